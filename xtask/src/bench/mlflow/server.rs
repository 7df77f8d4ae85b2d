//! The servers that are measured: each is started on a free port of loopback
//! and ended by its id.

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};

use crate::{bench::http, process, report::Stopwatch};

/// Longest start that is waited for: Python takes its time.
const START: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The mock, with nothing kept.
    Memory,
    /// The mock with `--data-dir`, `--sync normal`.
    DataDir,
    /// `mlflow server` on `SQLite`, one worker, no job runners: its cheapest form.
    Mlflow,
    /// `fml server` on `SQLite`.
    FastTrackMl,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "ours, memory",
            Self::DataDir => "ours, --data-dir",
            Self::Mlflow => "MLflow 3.17.2",
            Self::FastTrackMl => "FastTrackML 0.6.0",
        }
    }

    /// A short word for folders and keys.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::DataDir => "data-dir",
            Self::Mlflow => "mlflow",
            Self::FastTrackMl => "fasttrackml",
        }
    }

    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::Memory | Self::DataDir)
    }

    /// The file in `bench/` with the packages that it comes from.
    pub(super) fn requirements(self) -> Option<&'static str> {
        match self {
            Self::Memory | Self::DataDir => None,
            Self::Mlflow => Some("mlflow-requirements.txt"),
            Self::FastTrackMl => Some("fasttrackml-requirements.txt"),
        }
    }

    /// What stands before `/api/2.0/mlflow`.
    pub(super) fn mount(self) -> &'static str {
        if self.is_ours() { "/mlflow" } else { "" }
    }
}

/// A server that is ended when this value goes.
pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) url: String,
    /// Milliseconds from its start to its first answer.
    pub(super) started_ms: f64,
    child: Child,
}

impl Server {
    pub(super) fn start(
        kind: Kind,
        program: &Path,
        python: Option<&Path>,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        // A port that was free a moment ago: these servers do not tell which one they took.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = command(kind, program, python, folder, port)?;
        let log = folder.join("server.log");
        let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        let name = process::line(&command);
        let watch = Stopwatch::start();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { kind, url, started_ms: 0.0, child };
        let path = format!(
            "{}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default",
            kind.mount()
        );
        while http::get(&server.url, &path).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!(
                    "{name} ended with {status} before it answered; see its log in {}",
                    folder.display()
                );
            }
            if watch.elapsed() > START {
                bail!("{name} did not answer within {} s", START.as_secs());
            }
            pause(Duration::from_micros(500));
        }
        server.started_ms = watch.elapsed().as_secs_f64() * 1000.0;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        process::succeeds(Command::new("kill").args(["-TERM", &self.pid().to_string()]));
        let watch = Stopwatch::start();
        while self.child.try_wait()?.is_none() {
            if watch.elapsed() > Duration::from_secs(15) {
                self.child.kill()?;
                self.child.wait()?;
            }
            pause(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None))
            && let Err(err) = self.end()
        {
            println!("a server may still run: {err}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these programs tell nobody how far they are")]
fn pause(span: Duration) {
    thread::sleep(span);
}

fn command(
    kind: Kind,
    program: &Path,
    python: Option<&Path>,
    folder: &Path,
    port: u16,
) -> anyhow::Result<Command> {
    let of_python = |name: &str| -> anyhow::Result<Command> {
        let python = python.context("a server from PyPI needs an environment")?;
        let mut command = Command::new(python.with_file_name(name));
        command.current_dir(folder);
        Ok(command)
    };
    let address = format!("127.0.0.1:{port}");
    let database = folder.join("rows.db");
    Ok(match kind {
        Kind::Memory | Kind::DataDir => {
            let mut command = Command::new(program);
            command.args(["serve", "--listen", &address]);
            if kind == Kind::DataDir {
                command.arg("--data-dir").arg(folder.join("data"));
            }
            command
        }
        Kind::Mlflow => {
            let mut command = of_python("mlflow")?;
            command
                .args(["server", "--host", "127.0.0.1", "--port", &port.to_string()])
                .args(["--workers", "1", "--backend-store-uri"])
                .arg(format!("sqlite:///{}", database.display()))
                .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
                .env("MLFLOW_DISABLE_TELEMETRY", "true");
            command
        }
        Kind::FastTrackMl => {
            let mut command = of_python("fml")?;
            command
                .args(["server", "--log-level", "warn", "--listen-address", &address])
                .arg("--database-uri")
                .arg(format!("sqlite://{}", database.display()));
            command
        }
    })
}
