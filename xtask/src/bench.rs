//! `cargo xtask bench`: figures of a release build, beside their limits.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};

use crate::{
    mock::{self, RunningMock},
    process,
    project::Project,
    report::Stopwatch,
};

const RUNS: usize = 5;
const START_LIMIT_MS: f64 = 50.0;
const IDLE_LIMIT_MIB: f64 = 20.0;

#[derive(Clone, Copy, clap::ValueEnum)]
enum Benchmark {
    /// Start and idle memory of the mock cloud
    Mock,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure; everything when left out
    name: Option<Benchmark>,
    /// Fails when a figure is beyond its limit
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<()> {
    match options.name {
        None | Some(Benchmark::Mock) => mock_cloud(project, options.check),
    }
}

fn mock_cloud(project: &Project, check: bool) -> anyhow::Result<()> {
    process::run(&mut project.cargo([
        "build",
        "--release",
        "-p",
        "azml-mock",
        "--bin",
        "azml-mock",
    ]))?;
    let mut starts = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..RUNS {
        let (start, size) = start_once(project)?;
        starts.push(start);
        sizes.push(size);
    }
    let rows = [
        ("start until `/_mock/health` answers", median(&mut starts), START_LIMIT_MS, "ms"),
        ("resident memory when idle", median(&mut sizes), IDLE_LIMIT_MIB, "MiB"),
    ];
    println!("| `azml-mock`, release, median of {RUNS} | Figure | Limit | Measured by |");
    println!("|---|---|---|---|");
    for (what, figure, limit, unit) in rows {
        println!("| {what} | {figure:.1} {unit} | {limit:.0} {unit} | `cargo xtask bench` |");
    }
    if check {
        for (what, figure, limit, unit) in rows {
            ensure!(figure <= limit, "{what}: {figure:.1} {unit}, the limit is {limit:.0} {unit}");
        }
    }
    Ok(())
}

/// One start: milliseconds until the first answer, and MiB in memory after it.
fn start_once(project: &Project) -> anyhow::Result<(f64, f64)> {
    let (ready_file, _) = mock::files(&project.target, "bench");
    let mut command = Command::new(project.target.join("release/azml-mock"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
        .arg(&ready_file)
        .stdout(Stdio::null());
    let watch = Stopwatch::start();
    let mock = RunningMock::start(&mut command, &ready_file, Duration::from_micros(500))?;
    let url = mock.ready["url"].as_str().context("the ready file has no url")?;
    health(url)?;
    let start = watch.elapsed().as_secs_f64() * 1000.0;
    let size = resident_mib(mock.pid)?;
    mock.stop()?;
    fs::remove_file(&ready_file)?;
    Ok((start, size))
}

fn health(url: &str) -> anyhow::Result<()> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /_mock/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "/_mock/health answered {status:?}");
    Ok(())
}

fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let kib = match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => resident_kib(&status).context("no VmRSS in the status of the process")?,
        // Where there is no /proc.
        Err(_) => {
            process::capture(Command::new("ps").args(["-o", "rss=", "-p", &pid.to_string()]))?
                .trim()
                .parse()
                .context("ps told no number")?
        }
    };
    Ok(f64::from(kib) / 1024.0)
}

fn resident_kib(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert_eq!(median(&mut [9.0, 1.0, 5.0]).to_bits(), 5.0_f64.to_bits());
    }

    #[test]
    fn resident_memory_is_read_from_the_status_of_the_process() {
        assert_eq!(resident_kib("Name:\tx\nVmRSS:\t   18432 kB\nThreads: 1\n"), Some(18432));
        assert_eq!(resident_kib("Name:\tx\n"), None);
    }
}
