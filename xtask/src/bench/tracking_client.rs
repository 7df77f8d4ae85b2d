//! What a tracking client costs the code that logs, and what it loses: azml beside
//! the official MLflow client, trackio and wandb, against the same `mlflow server`.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::http;
use crate::{process, project::Project, python, report::Stopwatch};

/// Points that azml logs, and the others, which take longer for each.
const POINTS: &str = "100000";
const FEW_POINTS: &str = "1000";
const MANY_POINTS: &str = "20000";
/// After so long a process that logs is killed.
const LIFE: Duration = Duration::from_secs(3);
/// What a call of azml may take, in nanoseconds: the median, and one in a thousand.
const MEDIAN_LIMIT: f64 = 1_000.0;
const RARE_LIMIT: f64 = 10_000.0;

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    process::run(&mut project.cargo([
        "build",
        "--release",
        "-p",
        "azml",
        "--example",
        "tracking_client",
    ]))?;
    let requirements = fs::read_to_string(project.path("bench/tracking-client-requirements.txt"))?;
    let python = python::find(&["python3.11", "python3"])?;
    let folder = project.target.join("venv/tracking-client");
    let bench = Bench {
        python: python::environment(&folder, &python, &requirements)?,
        script: project.path("bench/tracking_client.py"),
        ours: project.target.join("release/examples/tracking_client"),
        scratch: project.target.join("xtask/tracking-client"),
    };
    let _ = fs::remove_dir_all(&bench.scratch);
    fs::create_dir_all(&bench.scratch)?;
    let server = Server::start(&bench)?;
    let cost = bench.cost(&server.url)?;
    let lost = bench.lost(&server.url)?;
    drop(server);
    let down = bench.down()?;
    let _ = fs::remove_dir_all(&bench.scratch);
    println!("{}", table(&cost, &lost, &down));
    if check {
        let ours = &cost[0].1;
        let (median, rare) = (number(ours, "p50_ns")?, number(ours, "p999_ns")?);
        ensure!(median <= MEDIAN_LIMIT, "a call takes {median} ns, the limit is {MEDIAN_LIMIT}");
        ensure!(rare <= RARE_LIMIT, "one call in 1000 takes {rare} ns, the limit is {RARE_LIMIT}");
        ensure!(lost[0].1.accepted <= lost[0].1.stored, "azml has lost points");
    }
    Ok(())
}

struct Bench {
    python: PathBuf,
    script: PathBuf,
    ours: PathBuf,
    scratch: PathBuf,
}

/// What a client was told, and what arrived.
struct Lost {
    accepted: u64,
    stored: u64,
}

type Named<T> = Vec<(&'static str, T)>;

impl Bench {
    fn ours(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.ours);
        command.args(arguments).env("AZML_SPOOL_DIR", self.scratch.join("spool"));
        command
    }

    fn theirs(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-W").arg("ignore").arg(&self.script).args(arguments);
        command.current_dir(&self.scratch).stderr(Stdio::null());
        command
    }

    fn cost(&self, url: &str) -> anyhow::Result<Named<Value>> {
        let kinds = [("sync", FEW_POINTS), ("async", FEW_POINTS), ("batch", MANY_POINTS)];
        let mut figures = vec![("azml", last_json(&mut self.ours(&["cost", url, POINTS]))?)];
        for ((kind, points), name) in kinds.into_iter().zip([
            "mlflow, synchronous",
            "mlflow, asynchronous",
            "mlflow, log_batch of 1000",
        ]) {
            figures.push((name, last_json(&mut self.theirs(&["cost", kind, url, points]))?));
        }
        Ok(figures)
    }

    fn down(&self) -> anyhow::Result<Named<Value>> {
        // Nobody listens there: the port was free a moment ago.
        let url = format!("http://127.0.0.1:{}", free_port()?);
        let ours = last_json(&mut self.ours(&["down", &url, FEW_POINTS]))?;
        Ok(vec![("azml", ours), ("mlflow", last_json(&mut self.theirs(&["down", &url]))?)])
    }

    fn lost(&self, url: &str) -> anyhow::Result<Named<Lost>> {
        let before = self.stored_by_us(url)?;
        let accepted = killed(&mut self.ours(&["forever", url]))?;
        let stored = self.stored_by_us(url)? - before;
        let mut figures = vec![("azml", Lost { accepted, stored })];
        for (name, peer) in [
            ("mlflow, asynchronous", "mlflow"),
            ("trackio", "trackio"),
            ("wandb, offline", "wandb"),
        ] {
            let folder = self.scratch.join(peer);
            fs::create_dir_all(&folder)?;
            let place = if peer == "mlflow" { url } else { utf8(&folder)? };
            let accepted = killed(&mut self.theirs(&["forever", peer, place]))?;
            let stored = last_json(&mut self.theirs(&["stored", peer, place]))?;
            let stored = stored["stored"].as_u64().context("no number of points")?;
            figures.push((name, Lost { accepted, stored }));
        }
        Ok(figures)
    }

    fn stored_by_us(&self, url: &str) -> anyhow::Result<u64> {
        let recovered = last_json(&mut self.ours(&["recover", url]))?;
        recovered["stored"].as_u64().context("no number of points")
    }
}

/// `mlflow server` with one worker and a database file, stopped when this value goes.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(bench: &Bench) -> anyhow::Result<Self> {
        let folder = bench.scratch.join("server");
        fs::create_dir_all(&folder)?;
        let port = free_port()?.to_string();
        let child = Command::new(&bench.python)
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", &port])
            .args(["--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db"])
            .args(["--artifacts-destination", "./artifacts"])
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start mlflow server")?;
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let watch = Stopwatch::start();
        while http::get(&server.url, "/health").is_err() {
            if watch.elapsed() > Duration::from_secs(120) {
                bail!("mlflow server was not ready after 120 s");
            }
            thread::park_timeout(Duration::from_millis(100));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill_group(&mut self.child, "-TERM");
    }
}

/// Ends a process and all that it has started.
fn kill_group(child: &mut Child, signal: &str) {
    let group = format!("-{}", child.id());
    process::succeeds(Command::new("kill").args([signal, "--", &group]));
    let _ = child.wait();
}

/// Kills a process that logs, and tells what it has said at last.
fn killed(command: &mut Command) -> anyhow::Result<u64> {
    let name = process::line(command);
    let mut child = command
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let out = child.stdout.take().context("no output")?;
    let said = thread::spawn(move || {
        let numbers = BufReader::new(out).lines().map_while(Result::ok);
        numbers.filter_map(|it| it.trim().parse::<u64>().ok()).max()
    });
    // Python takes a while to start.
    thread::park_timeout(LIFE + Duration::from_secs(5));
    kill_group(&mut child, "-KILL");
    let said = said.join().ok().flatten();
    said.with_context(|| format!("{name} has logged nothing"))
}

fn last_json(command: &mut Command) -> anyhow::Result<Value> {
    let said = process::capture(command)?;
    let line = said.lines().rev().find(|it| it.starts_with('{'));
    let line = line.with_context(|| format!("{} said no JSON", process::line(command)))?;
    Ok(serde_json::from_str(line)?)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn utf8(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is no text")
}

fn number(figures: &Value, key: &str) -> anyhow::Result<f64> {
    figures[key].as_f64().with_context(|| format!("no {key} in {figures}"))
}

fn table(cost: &Named<Value>, lost: &Named<Lost>, down: &Named<Value>) -> String {
    let mut text = String::from(
        "| client, against `mlflow server` 3.17.2 | call: median | 99 % | 99.9 % | points/s at the server | requests per 1000 points | median, ratio |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let get = |it: &Value, key: &str| it[key].as_f64().unwrap_or(f64::NAN);
    let ours = get(&cost[0].1, "p50_ns");
    for (name, it) in cost {
        let points = get(it, "points_per_second") * get(it, "drained_s");
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {:.0} | {:.1} | {:.0} |",
            span(get(it, "p50_ns")),
            span(get(it, "p99_ns")),
            span(get(it, "p999_ns")),
            get(it, "points_per_second"),
            get(it, "requests") / points * 1000.0,
            get(it, "p50_ns") / ours,
        );
    }
    text += "\n| killed with `kill -9` while it logs | accepted, at least | arrived | lost, at least |\n|---|---|---|---|\n";
    for (name, Lost { accepted, stored }) in lost {
        let share = 100.0 * percent(accepted.saturating_sub(*stored), *accepted);
        let _ = writeln!(text, "| {name} | {accepted} | {stored} | {share:.1} % |");
    }
    text += "\n| the server is not there | the code that logs stands still for |\n|---|---|\n";
    for (name, it) in down {
        let _ = writeln!(text, "| {name} | {:.3} s |", get(it, "stalled_s"));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 / (whole as f64).max(1.0)
}

/// Nanoseconds for people.
fn span(nanos: f64) -> String {
    if nanos < 1e3 {
        format!("{nanos:.0} ns")
    } else if nanos < 1e6 {
        format!("{:.1} µs", nanos / 1e3)
    } else {
        format!("{:.1} ms", nanos / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_names_the_ratio_and_what_was_lost() {
        let figures = |p50: u64| json!({ "p50_ns": p50, "p99_ns": 2000, "p999_ns": 3_000_000, "points_per_second": 10.0, "drained_s": 100.0, "requests": 2 });
        let cost = vec![("ours", figures(100)), ("theirs", figures(5000))];
        let lost = vec![("theirs", Lost { accepted: 200, stored: 100 })];
        let down = vec![("ours", json!({ "stalled_s": 0.0 }))];
        let text = table(&cost, &lost, &down);
        assert!(text.contains("| theirs | 5.0 µs | 2.0 µs | 3.0 ms | 10 | 2.0 | 50 |"), "{text}");
        assert!(text.contains("| theirs | 200 | 100 | 50.0 % |"), "{text}");
    }
}
