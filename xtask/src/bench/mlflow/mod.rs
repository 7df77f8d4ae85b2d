//! The mock's MLflow side beside the real `mlflow server` and `fml`: what
//! a request costs the server, with 10,000 runs loaded.
//!
//! The measure is the CPU time of the server's processes, in the program and in
//! the kernel, because machines and their neighbors differ. To each server the
//! same client sends the requests one after the other over one connection, so
//! that a request pays for waking the server, too, and for waking the client,
//! which costs more on a machine that is idle. Where several are under way at
//! once, the line says so. What is set up before is not counted.

mod cost;
mod figures;
mod load;
mod server;
mod work;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use self::{
    figures::{Figures, Machine},
    server::{Kind, Server},
};
use crate::{process, project::Project, python};

/// Runs that every server holds while it is measured.
const RUNS: usize = 10_000;
/// Runs of the large search.
const MANY_RUNS: usize = 100_000;
/// Starts of which the median is told.
const STARTS: usize = 5;

#[derive(clap::Args)]
pub(crate) struct Choices {
    /// Measures only the mock, not the servers that it stands beside
    #[arg(long)]
    ours_only: bool,
    /// Measures this program instead of a new release build
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

pub(super) fn run(project: &Project, options: &Choices, check: bool) -> anyhow::Result<()> {
    let program = if let Some(program) = &options.program {
        program.clone()
    } else {
        let build = ["build", "--release", "-p", "azml-mock", "--bin", "azml-mock"];
        process::run(&mut project.cargo(build))?;
        project.target.join("release/azml-mock")
    };
    let kinds: &[Kind] = if options.ours_only {
        &[Kind::Memory, Kind::DataDir]
    } else {
        &[Kind::Memory, Kind::DataDir, Kind::Mlflow, Kind::FastTrackMl]
    };
    let mut figures = Figures::new(Machine::this()?);
    for kind in kinds {
        println!("== {}", kind.name());
        let folder = project.target.join("bench").join(kind.word());
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        measure(project, *kind, &program, &folder, &mut figures)?;
    }
    figures.print();
    if !options.ours_only {
        let file = project.path("bench/mlflow.json");
        fs::write(&file, figures.json())
            .with_context(|| format!("cannot write {}", file.display()))?;
        println!("written: {}", file.display());
    }
    let beyond = figures.beyond_limits();
    ensure!(!check || beyond.is_empty(), "beyond the limit: {}", beyond.join("; "));
    Ok(())
}

fn measure(
    project: &Project,
    kind: Kind,
    program: &Path,
    folder: &Path,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let python = kind.requirements().map(|name| -> anyhow::Result<PathBuf> {
        let file = project.path(&format!("bench/{name}"));
        let wanted =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let venv = project.target.join("venv").join(kind.word());
        python::environment(&venv, &python::find(&["python3"])?, &wanted)
    });
    let python = python.transpose()?;
    let rows = project.path("bench/mlflow_rows.py");
    if let (Kind::Mlflow, Some(python)) = (kind, &python) {
        load::insert(python, &rows, folder, RUNS)?;
    }
    let start = |folder: &Path| Server::start(kind, program, python.as_deref(), folder);
    if kind.is_ours() {
        let (mut starts, mut sizes) = (Vec::new(), Vec::new());
        for round in 0..STARTS {
            let empty = folder.join(format!("start-{round}"));
            fs::create_dir(&empty)?;
            let server = start(&empty)?;
            starts.push(server.started_ms);
            sizes.push(cost::resident_mib(server.pid())?);
            server.stop()?;
        }
        figures.add(kind, "start to first answer", super::median(&mut starts));
        figures.add(kind, "memory, empty", super::median(&mut sizes));
    }
    let server = start(folder)?;
    if !kind.is_ours() {
        figures.add(kind, "start to first answer", server.started_ms);
    }
    let measured = work::all(&server, figures);
    server.stop()?;
    measured
}
