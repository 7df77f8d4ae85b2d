//! `cargo xtask fixtures`: records anew what official SDKs send.

use std::{
    fs::{self, File},
    process::Command,
    time::Duration,
};

use anyhow::{Context, anyhow};

use crate::{
    mock::{self, RunningMock},
    process,
    project::Project,
    python,
};

const RECORDERS: &str = "tests/recorders";

#[derive(clap::Subcommand)]
pub(crate) enum Chore {
    /// Records fixtures with an official SDK, against the mock cloud
    Record(Options),
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to record
    what: Recording,
    /// Records only cases with this in their name, and keeps the others
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Recording {
    /// What the SDK makes of definitions of pipelines
    Pipelines,
}

impl Recording {
    /// Its script, the packages that it needs, and the folder that it writes.
    fn parts(self) -> [&'static str; 3] {
        match self {
            Self::Pipelines => ["pipelines.py", "requirements-pipelines.txt", "fixtures/pipelines"],
        }
    }
}

pub(crate) fn run(project: &Project, chore: &Chore) -> anyhow::Result<()> {
    let Chore::Record(options) = chore;
    let [script, requirements, folder] = options.what.parts();
    let recorders = project.path(RECORDERS);
    let requirements = recorders.join(requirements);
    let packages = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    // The oldest of the SDKs has no wheels for Python 3.12 and later.
    let python = python::find(&["python3.11", "python3"])
        .context("the official SDKs are Python programs")?;
    let environment = project.target.join("venv/record").join(script.trim_end_matches(".py"));
    let interpreter = python::environment(&environment, &python, &packages)?;
    process::run(&mut project.cargo(["build", "-p", "azml-mock", "--bin", "azml-mock"]))?;

    let (ready_file, log) = mock::files(&project.target, "record");
    fs::create_dir_all(project.target.join("xtask"))?;
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut serve = Command::new(project.debug_binary("azml-mock"));
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
        .arg(&ready_file)
        .stdout(output.try_clone()?)
        .stderr(output);
    let mock = RunningMock::start(&mut serve, &ready_file, Duration::from_millis(20))
        .with_context(|| format!("the mock's own log is {}", log.display()))?;
    let mut record = Command::new(&interpreter);
    record
        .arg(recorders.join(script))
        .arg("--ready")
        .arg(&ready_file)
        .arg("--out")
        .arg(project.path(folder));
    if let Some(only) = &options.only {
        record.args(["--only", only]);
    }
    let recorded = process::run(&mut record);
    let stopped = mock.stop();
    recorded.map_err(|err| anyhow!("{err:#} (the mock's log: {})", log.display()))?;
    stopped?;
    for file in [&ready_file, &log] {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}
