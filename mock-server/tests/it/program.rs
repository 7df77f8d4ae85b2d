//! The program as a child process.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use azml_mock::Ready;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::http::soon;

/// A mock cloud that serves. It ends with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) ready: Ready,
    /// The line that it printed when it was ready.
    pub(crate) line: String,
    folder: TempDir,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_azml-mock"));
    command.args(arguments).env_remove("AZML_PYTHON").env_remove("AZML_MOCK_READY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    soon(command(arguments).output()).await.unwrap()
}

/// Runs the program, which cannot start, and returns what it complains about.
pub(crate) async fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    let mut lines = text.lines();
    let line = lines.next().unwrap().to_owned();
    assert_eq!(lines.next(), None, "one line is enough: {text}");
    line.strip_prefix("azml-mock: ").unwrap().to_owned()
}

impl Program {
    /// Serves, and waits until it says that it does.
    pub(crate) async fn serve(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let mut all = vec!["serve", "--ready-file", file.to_str().unwrap()];
        all.extend(arguments);
        let mut child = command(&all).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = soon(lines.next_line()).await.unwrap().unwrap_or_default();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let ready = serde_json::from_str(&text);
        let ready = ready.unwrap_or_else(|err| panic!("no ready file ({err}) after {line:?}"));
        Self { child, ready, line, folder }
    }

    pub(crate) fn url(&self) -> &str {
        &self.ready.url
    }

    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    pub(crate) fn ca_pem(&self) -> String {
        std::fs::read_to_string(&self.ready.ca_file).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("it runs");
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        soon(self.child.wait()).await.unwrap()
    }

    /// Ends it without a warning.
    pub(crate) async fn killed(mut self) {
        self.signal(Signal::SIGKILL);
        self.ended().await;
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
