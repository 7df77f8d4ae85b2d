//! `cargo xtask demo`: the main job, against the mock cloud, over a real socket.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::Context;

use crate::{process, project::Project, python};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Trains in plain Python even where Spark is there
    #[arg(long)]
    no_spark: bool,
    /// Leaves the mock running at the end and prints how to use it
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<ExitCode> {
    let python = python::find(&["python3"])?;
    process::run(&mut project.cargo(["build", "-p", "azml-mock", "--bin", "azml-mock"]))?;
    process::run(&mut project.cargo(["build", "-p", "azml", "--example", "wine"]))?;

    let spark = if options.no_spark { None } else { spark(project, &python) };
    let mut wine = Command::new(project.debug_binary("examples/wine"));
    wine.current_dir(&project.root)
        .arg("--mock")
        .arg(project.debug_binary("azml-mock"))
        .arg("--fixtures")
        .arg(project.path("fixtures"))
        .arg("--python");
    match &spark {
        Some(interpreter) => wine.arg(interpreter),
        None => wine.args([python.as_str(), "--no-spark"]),
    };
    if options.keep {
        wine.arg("--keep");
    }
    let status = wine.status().with_context(|| format!("cannot start {}", process::line(&wine)))?;
    // Ended by a signal: there is no code to pass on.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The interpreter of an environment that has Spark, or a line that says why not.
fn spark(project: &Project, python: &str) -> Option<PathBuf> {
    match python::spark_environment(project, python) {
        Ok(interpreter) => Some(interpreter),
        Err(err) => {
            println!("There is no Spark: training in plain Python instead ({err:#})");
            None
        }
    }
}
