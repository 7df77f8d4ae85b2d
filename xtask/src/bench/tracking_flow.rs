//! Open a workspace, make an experiment and a run, log 100 metrics, complete:
//! azml beside the official SDK, against the same mock.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{http, median};
use crate::{
    mock::{self, RunningMock},
    process,
    project::Project,
    python,
    report::Stopwatch,
};

const RUNS: usize = 5;
const METRICS: &str = "100";
const MOST_REQUESTS: usize = 8;

/// What one run of one client took.
struct Figures {
    requests: usize,
    wall_s: f64,
    cpu_s: f64,
}

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    for (package, kind, name) in
        [("azml-mock", "--bin", "azml-mock"), ("azml", "--example", "hundred_metrics")]
    {
        process::run(&mut project.cargo(["build", "--release", "-p", package, kind, name]))?;
    }
    let folder = project.path("tests/conformance/azureml-v1");
    let requirements = fs::read_to_string(folder.join("requirements.txt"))?;
    let python = python::find(&["python3.11"])?;
    let python =
        python::environment(&project.target.join("venv/azureml-v1"), &python, &requirements)?;

    let (ready_file, _) = mock::files(&project.target, "bench");
    let mut serve = Command::new(project.target.join("release/azml-mock"));
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
        .arg(&ready_file)
        .stdout(Stdio::null());
    let mock = RunningMock::start(&mut serve, &ready_file, Duration::from_millis(5))?;
    let scratch = project.target.join("xtask/bench");
    let measured = measure(project, &mock, &ready_file, &python, &folder, &scratch);
    let stopped = mock.stop();
    fs::remove_file(&ready_file)?;
    let (theirs, ours) = measured?;
    stopped?;
    println!("{}", table(&theirs, &ours));
    if check {
        let most = ours.iter().map(|it| it.requests).max().unwrap_or_default();
        ensure!(most <= MOST_REQUESTS, "azml took {most} requests, the limit is {MOST_REQUESTS}");
    }
    Ok(())
}

/// The official SDK and azml in turns, each from a reset world.
fn measure(
    project: &Project,
    mock: &RunningMock,
    ready_file: &Path,
    python: &Path,
    folder: &Path,
    scratch: &Path,
) -> anyhow::Result<(Vec<Figures>, Vec<Figures>)> {
    let url = mock.ready["url"].as_str().context("the ready file has no url")?;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // A fresh home each time: the SDK keeps what it learned of a cloud.
        let _ = fs::remove_dir_all(scratch);
        fs::create_dir_all(scratch.join("azure"))?;
        let mut official = Command::new(python);
        // The SDK leaves folders where it runs.
        official.current_dir(scratch);
        official.arg("-W").arg("ignore").arg(folder.join("bench_f.py")).arg(METRICS);
        with_environment(project, &mut official, ready_file, "azureml-core")?;
        with_script_settings(&mut official, &mock.ready, scratch)?;
        theirs.push(once(url, &mut official)?);

        let mut azml = Command::new(project.target.join("release/examples/hundred_metrics"));
        azml.arg(METRICS);
        with_environment(project, &mut azml, ready_file, "rust")?;
        for (variable, key) in
            [("AZML_RESOURCE_GROUP", "resource_group"), ("AZML_WORKSPACE", "workspace_name")]
        {
            azml.env(variable, mock.ready[key].as_str().unwrap_or_default());
        }
        ours.push(once(url, &mut azml)?);
    }
    let _ = fs::remove_dir_all(scratch);
    Ok((theirs, ours))
}

/// What `azml-mock env` prints.
fn with_environment(
    project: &Project,
    command: &mut Command,
    ready_file: &Path,
    client: &str,
) -> anyhow::Result<()> {
    let mut env = Command::new(project.target.join("release/azml-mock"));
    env.args(["env", "--json", "--for", client, "--ready"]).arg(ready_file);
    let variables: Value = serde_json::from_str(&process::capture(&mut env)?)?;
    for (name, value) in variables.as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap_or_default());
    }
    Ok(())
}

/// What the script reads besides.
fn with_script_settings(command: &mut Command, ready: &Value, home: &Path) -> anyhow::Result<()> {
    let names = [
        ("AML_BASE_URL", "tls_url"),
        ("AML_SUB", "subscription_id"),
        ("AML_RG", "resource_group"),
        ("AML_WS", "workspace_name"),
        ("AML_TENANT", "tenant_id"),
        ("AML_CLIENT_ID", "client_id"),
        ("AML_CLIENT_SECRET", "client_secret"),
    ];
    for (variable, key) in names {
        command.env(variable, ready[key].as_str().with_context(|| format!("no {key}"))?);
    }
    command.env("AML_WORK", home).env("HOME", home).env("AZURE_CONFIG_DIR", home.join("azure"));
    Ok(())
}

/// Runs the program in a reset world and counts what it asked for.
fn once(url: &str, command: &mut Command) -> anyhow::Result<Figures> {
    http::post(url, "/_mock/reset")?;
    let (cpu, watch) = (cpu_of_children()?, Stopwatch::start());
    process::capture(command)?;
    let (wall_s, cpu_s) = (watch.elapsed().as_secs_f64(), cpu_of_children()? - cpu);
    let journal: Value = serde_json::from_str(&http::get(url, "/_mock/journal")?)?;
    let exchanges = journal["exchanges"].as_array().context("no exchanges in the journal")?;
    Ok(Figures { requests: exchanges.len(), wall_s, cpu_s })
}

/// Seconds that children took which have ended, from `/proc` (fields 16 and 17).
fn cpu_of_children() -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").context("this measurement needs /proc")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(13).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

fn table(theirs: &[Figures], ours: &[Figures]) -> String {
    let middle = |figures: &[Figures], figure: fn(&Figures) -> f64| {
        median(&mut figures.iter().map(figure).collect::<Vec<_>>())
    };
    let requests = |figures: &[Figures]| figures.iter().map(|it| it.requests).max().unwrap_or(0);
    let (their_wall, our_wall) = (middle(theirs, |it| it.wall_s), middle(ours, |it| it.wall_s));
    let (their_cpu, our_cpu) = (middle(theirs, |it| it.cpu_s), middle(ours, |it| it.cpu_s));
    format!(
        "| one run with {METRICS} metrics, whole process, median of {RUNS} | azureml-core | azml | ratio |\n\
         |---|---|---|---|\n\
         | requests (limit for azml: {MOST_REQUESTS}) | {} | {} | |\n\
         | wall | {their_wall:.2} s | {our_wall:.3} s | {:.0} |\n\
         | CPU of the client | {their_cpu:.2} s | {our_cpu:.3} s | {:.0} |",
        requests(theirs),
        requests(ours),
        their_wall / our_wall,
        their_cpu / our_cpu.max(0.01),
    )
}
