mod handle;
mod log;
mod series;
mod start;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use azml_core::{Error, ErrorKind, Result};
use futures_util::future::{Either, select};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::handle::MetricHandle;
use crate::{
    RemoteRun, RunEnd, RunError, RunId, RunRef, Tracking,
    spool::{Header, Lock, Record, Writer},
    upload::{Status, is_transient},
};

/// A run to log to, whatever the backend. Cheap to clone.
///
/// What is logged goes to the spool, on the disk of this machine, and a thread
/// brings it to the server. So no call that logs waits for a network or fails
/// because of one: [`log_metric`](Self::log_metric) takes well under a microsecond,
/// while the server is down as well, and what it has accepted outlives the process
/// (see [`Durability`](crate::Durability)). What a process has left when it dies is
/// brought to the server by [`Tracking::recover`] or by `azml tracking sync`.
///
/// Only the `async` methods wait: [`id`](Self::id) and [`connect`](Self::connect)
/// until the server has made the run, [`sync`](Self::sync) until it has everything.
///
/// A run ends with [`finish`](Self::finish), [`fail`](Self::fail) or
/// [`cancel`](Self::cancel). If the last handle is dropped before, the run has
/// failed: the code that logged has returned early, or panicked. A process that is
/// killed, or aborts (as a panic does with `panic = "abort"`), leaves a run that
/// [`Tracking::recover`] ends as killed, at the time when it was last alive.
#[derive(Clone, Debug)]
pub struct Run(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracking: Tracking,
    folder: PathBuf,
    header: Header,
    writer: Arc<Writer>,
    /// `None` when nothing is sent from this process.
    status: Option<watch::Receiver<Status>>,
    /// What was logged, because a param never changes.
    params: Mutex<BTreeMap<String, String>>,
    _lock: Lock,
}

impl Run {
    /// The id that the run has at once, on this machine. Servers keep it: as the
    /// id of the run in Azure ML, as the tag `azml.spool.run` in MLflow.
    pub fn local_id(&self) -> Uuid {
        self.0.header.local_id
    }

    /// The id at the server. Waits until the server has made the run.
    ///
    /// # Errors
    ///
    /// What the server has said if another try will not mend it, for example
    /// [`Unauthenticated`](ErrorKind::Unauthenticated);
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when this process is
    /// offline (see [`SpoolOptions::offline`](crate::SpoolOptions::offline)).
    pub async fn id(&self) -> Result<RunId> {
        Ok(self.reference("run.id").await?.id)
    }

    /// The run as the server has it. Waits until the server has made the run.
    ///
    /// # Errors
    ///
    /// As [`id`](Self::id).
    pub async fn connect(&self) -> Result<RemoteRun> {
        let reference = self.reference("run.connect").await?;
        Ok(RemoteRun::new(self.0.tracking.backend().clone(), reference))
    }

    async fn reference(&self, operation: &'static str) -> Result<RunRef> {
        let mut status = self.status(operation)?;
        let seen = status.wait_for(|it| it.run.is_some() || is_stuck(it)).await;
        let seen = seen.map_err(|_| stopped(operation))?;
        match (&seen.run, &seen.failure) {
            (Some(run), _) => Ok(run.clone()),
            (None, Some(failure)) => Err(again(operation, failure)),
            (None, None) => Err(stopped(operation)),
        }
    }

    fn status(&self, operation: &'static str) -> Result<watch::Receiver<Status>> {
        self.0.status.clone().ok_or_else(|| {
            let reason = "this process is offline: upload the spool with `azml tracking sync`";
            Error::invalid(operation, reason)
        })
    }

    /// Waits until the server has all that was logged before this call, for
    /// `patience` at most. What is not there then stays in the spool.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) when it takes longer, with what went wrong
    /// at last; what the server has said if another try will not mend it;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when this process is offline.
    pub async fn sync(&self, patience: Duration) -> Result<()> {
        const NAME: &str = "run.sync";
        let mut status = self.status(NAME)?;
        let writer = &self.0.writer;
        let target = writer.accepted();
        writer.flush();
        let is_there = |_: &Status| target <= writer.acknowledged();
        let wait = async { status.wait_for(|it| is_there(it) || is_stuck(it)).await.map(drop) };
        let clock = self.0.tracking.backend().clock().clone();
        let waited = match select(std::pin::pin!(wait), clock.sleep(patience)).await {
            Either::Left((waited, _)) => waited,
            Either::Right(_) => Ok(()),
        };
        if target <= writer.acknowledged() {
            return Ok(());
        }
        let failure = status.borrow().failure.clone();
        match (waited, failure) {
            (_, Some(failure)) if !is_transient(failure.kind()) => Err(again(NAME, &failure)),
            (Err(_), _) => Err(stopped(NAME)),
            (Ok(()), failure) => {
                let reason = format!(
                    "{} records still wait after {patience:?}; they stay in {}",
                    self.pending(),
                    self.0.folder.display()
                );
                let err = Error::explained(NAME, ErrorKind::Timeout, reason);
                Err(match failure {
                    Some(failure) => err.with_source(failure.to_string()),
                    None => err,
                })
            }
        }
    }

    /// How many records wait for the server.
    pub fn pending(&self) -> u64 {
        self.0.writer.pending()
    }

    /// For how long the oldest record has been waiting, at most. Zero when none
    /// waits.
    pub fn lag(&self) -> Duration {
        let since = self.0.writer.waits_since();
        let now = self.0.writer.now_ms();
        let millis = since.and_then(|it| u64::try_from(now - it).ok());
        Duration::from_millis(millis.unwrap_or_default())
    }

    /// How many points were dropped to make room, see
    /// [`WhenFull::DropOldest`](crate::WhenFull::DropOldest).
    pub fn dropped(&self) -> u64 {
        self.0.writer.dropped()
    }

    /// How many records the server has refused for good. They and the reasons are
    /// in the file `rejected.jsonl` of the run's folder.
    pub fn rejected(&self) -> u64 {
        self.0.status.as_ref().map_or(0, |it| it.borrow().rejected)
    }

    /// What went wrong when the uploader tried last; `None` when it went well.
    pub fn last_error(&self) -> Option<String> {
        let failure = self.0.status.as_ref()?.borrow().failure.clone();
        failure.map(|it| it.to_string())
    }

    /// The folder of the run in the spool. It goes when everything is at the server.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.writer.is_closed() {
            return;
        }
        if self.header.attached_to.is_some() {
            self.writer.close();
            return;
        }
        let (code, message) = if std::thread::panicking() {
            ("Panicked", "the program panicked before the run was finished")
        } else {
            ("Abandoned", "the run was dropped before it was finished")
        };
        let end = RunEnd::Failed(RunError::new(code, message));
        let end = Record::End { end, at_ms: self.writer.now_ms() };
        if let Err(err) = self.writer.record(&end) {
            tracing::error!(run = %self.header.local_id, error = %err, "the end of a run is not noted");
            self.writer.close();
        }
    }
}

/// Whether nothing gets better by waiting.
fn is_stuck(status: &Status) -> bool {
    status.failure.as_ref().is_some_and(|it| !is_transient(it.kind()))
}

/// The error of the uploader, for one more who wants to know.
fn again(operation: &'static str, err: &Error) -> Error {
    let kind = err.kind();
    match err.service_fault() {
        Some(fault) => Error::service(operation, kind, fault.clone()),
        None => Error::explained(operation, kind, err.to_string()),
    }
}

fn stopped(operation: &'static str) -> Error {
    Error::explained(operation, ErrorKind::Canceled, "the upload of the run was stopped")
}
