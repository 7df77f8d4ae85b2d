//! A mock cloud of its own for a chore: started on a free port, stopped by its id.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{process, report::Stopwatch};

/// Longest start that is waited for.
const START: Duration = Duration::from_secs(30);
/// Longest end that is waited for: the mock gives its children five seconds.
const STOP: Duration = Duration::from_secs(10);

/// A process that is stopped when this value goes.
pub(crate) struct RunningMock {
    pub(crate) pid: u32,
    /// What the ready file says.
    pub(crate) ready: Value,
    ended: Receiver<std::io::Result<ExitStatus>>,
    stopped: bool,
}

impl RunningMock {
    /// Starts the program and waits until it has written its ready file, looking
    /// once in every `pause`.
    pub(crate) fn start(
        command: &mut Command,
        ready_file: &Path,
        pause: Duration,
    ) -> anyhow::Result<Self> {
        if let Some(folder) = ready_file.parent() {
            fs::create_dir_all(folder)?;
        }
        if ready_file.exists() {
            fs::remove_file(ready_file)?;
        }
        let name = process::line(command);
        let watch = Stopwatch::start();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let pid = child.id();
        let ended = watch_over(child);
        let mut mock = Self { pid, ready: Value::Null, ended, stopped: false };
        loop {
            match mock.ended.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Ok(status)) => {
                    mock.stopped = true;
                    bail!("{name} ended with {status} before it was ready");
                }
                _ => bail!("lost sight of {name}"),
            }
            // Written atomically: when it is there, it is whole.
            if let Ok(text) = fs::read_to_string(ready_file) {
                mock.ready = serde_json::from_str(&text)
                    .with_context(|| format!("{} is not JSON", ready_file.display()))?;
                return Ok(mock);
            }
            if watch.elapsed() > START {
                bail!("{name} was not ready after {} s", START.as_secs());
            }
        }
    }

    /// Asks the process to end and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        match self.end() {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the mock ended with {status} instead of 0"),
            None => bail!("the mock did not end within {} s after SIGTERM", STOP.as_secs()),
        }
    }

    fn end(&mut self) -> Option<ExitStatus> {
        self.stopped = true;
        signal(self.pid, "-TERM");
        let ended = self.ended.recv_timeout(STOP);
        if ended.is_err() {
            signal(self.pid, "-KILL");
        }
        ended.ok()?.ok()
    }
}

impl Drop for RunningMock {
    fn drop(&mut self) {
        if !self.stopped {
            self.end();
        }
    }
}

/// Reaps the child in a thread, so that waiting for it can have a limit.
fn watch_over(mut child: Child) -> Receiver<std::io::Result<ExitStatus>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let stdin = child.stdin.take();
        let status = child.wait();
        drop(stdin);
        // Nobody listens any more when the chore has given up.
        let _ = sender.send(status);
    });
    receiver
}

fn signal(pid: u32, which: &str) {
    process::succeeds(Command::new("kill").args([which, &pid.to_string()]));
}

/// Where a chore keeps the ready file and the log of its mock.
pub(crate) fn files(target: &Path, chore: &str) -> (PathBuf, PathBuf) {
    let folder = target.join("xtask");
    let name = format!("{chore}-{}", std::process::id());
    (folder.join(format!("{name}.ready.json")), folder.join(format!("{name}.log")))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(2);

    fn shell(script: &str, ready_file: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(ready_file).stdin(Stdio::piped());
        command
    }

    #[test]
    fn a_process_is_ready_with_its_file_and_ends_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let ready_file = folder.path().join("ready.json");
        let script = r#"trap 'exit 0' TERM; echo '{"url": "http://127.0.0.1:1"}' > "$1.new";
            mv "$1.new" "$1"; read line"#;
        let mock = RunningMock::start(&mut shell(script, &ready_file), &ready_file, PAUSE).unwrap();
        assert_eq!(mock.ready["url"], "http://127.0.0.1:1");
        mock.stop().unwrap();
    }

    #[test]
    fn a_process_that_ends_early_is_told_with_its_status() {
        let folder = tempfile::tempdir().unwrap();
        let ready_file = folder.path().join("ready.json");
        let started = RunningMock::start(&mut shell("exit 2", &ready_file), &ready_file, PAUSE);
        let err = started.err().unwrap().to_string();
        assert_eq!(err.split(" ended with ").nth(1), Some("exit status: 2 before it was ready"));
    }
}
