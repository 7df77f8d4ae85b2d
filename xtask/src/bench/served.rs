//! A release build of the mock cloud that serves for one measurement.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context;

use crate::{
    mock::{self, RunningMock},
    process,
    project::Project,
};

/// For a mock as it is without any.
pub(super) const NO_OPTIONS: [&str; 0] = [];

/// How often is looked whether it is ready: often, where the start itself is measured.
const PAUSE: Duration = Duration::from_micros(500);

/// Builds the program.
pub(super) fn build(project: &Project) -> anyhow::Result<()> {
    process::run(&mut project.cargo([
        "build",
        "--release",
        "-p",
        "azml-mock",
        "--bin",
        "azml-mock",
    ]))
}

/// It ends with this value.
pub(super) struct Served {
    pub(super) mock: RunningMock,
    pub(super) ready_file: PathBuf,
}

impl Served {
    /// Starts the program with these options beside the usual ones.
    pub(super) fn start(
        project: &Project,
        options: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> anyhow::Result<Self> {
        let (ready_file, _) = mock::files(&project.target, "bench");
        let mut command = Command::new(project.target.join("release/azml-mock"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&ready_file)
            .args(options.into_iter().map(|it| it.as_ref().as_os_str().to_owned()))
            .stdout(Stdio::null());
        let mock = RunningMock::start(&mut command, &ready_file, PAUSE)?;
        Ok(Self { mock, ready_file })
    }

    /// A text of the ready file, for example `url`.
    pub(super) fn said(&self, key: &str) -> anyhow::Result<&str> {
        self.mock.ready[key].as_str().with_context(|| format!("the ready file has no {key}"))
    }

    /// Ends it, which is part of what is measured: an end that fails counts.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let stopped = self.mock.stop();
        fs::remove_file(&self.ready_file)?;
        stopped
    }
}
