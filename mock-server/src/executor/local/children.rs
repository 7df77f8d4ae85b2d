//! Ending processes, and all that they started.

use std::time::Duration;

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::process::Child;

/// How long a process may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How long it may take to be gone after it was killed.
const GONE: Duration = Duration::from_secs(1);

/// Asks a group to end, waits, and ends what is left of it.
pub(super) async fn end(child: &mut Child) {
    let Some(pid) = pid_of(child) else { return };
    signal(pid, Signal::SIGTERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal(pid, Signal::SIGKILL);
        // Little outlives SIGKILL for long; nothing waits for what does.
        let _ = tokio::time::timeout(GONE, child.wait()).await;
    }
    sweep(pid);
}

pub(super) fn pid_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|it| i32::try_from(it).ok()).map(Pid::from_raw)
}

/// A group of processes that is killed when this is dropped.
pub(super) struct Group(pub(super) Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        self.0.into_iter().for_each(sweep);
    }
}

/// Ends what is left of a group whose first process is gone.
pub(super) fn sweep(pid: Pid) {
    // There is nothing to do about a group that does not exist any more.
    let _ = killpg(pid, Signal::SIGKILL);
}

/// A process that has just started may not lead its group yet.
fn signal(pid: Pid, signal: Signal) {
    if killpg(pid, signal).is_err() {
        let _ = kill(pid, signal);
    }
}
