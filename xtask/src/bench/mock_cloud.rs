//! Start and idle memory of the mock cloud, beside their limits.

use std::{fs, process::Command};

use anyhow::{Context, ensure};

use super::{
    http, median,
    served::{self, NO_OPTIONS, Served},
};
use crate::{process, project::Project, report::Stopwatch};

const RUNS: usize = 5;
const START_LIMIT_MS: f64 = 50.0;
const IDLE_LIMIT_MIB: f64 = 20.0;

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    served::build(project)?;
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
    let watch = Stopwatch::start();
    let served = Served::start(project, NO_OPTIONS)?;
    http::get(served.said("url")?, "/_mock/health")?;
    let start = watch.elapsed().as_secs_f64() * 1000.0;
    let size = resident_mib(served.mock.pid)?;
    served.stop()?;
    Ok((start, size))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_status_of_the_process() {
        assert_eq!(resident_kib("Name:\tx\nVmRSS:\t   18432 kB\nThreads: 1\n"), Some(18432));
        assert_eq!(resident_kib("Name:\tx\n"), None);
    }
}
