//! The uploader: brings what a spool has to the server, once in effect.
//!
//! One uploader has a run at a time, and one batch is under way. A record is
//! acknowledged, in the state file, only after the server has answered. When an
//! answer is lost, the batch is sent again where the server keeps equal points
//! once; elsewhere what is missing is looked for first.

mod collect;
mod deliver;
mod pause;
mod start;
mod thread;
mod verify;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use azml_core::{Error, ErrorKind, Result};
use futures_util::future::{Either, select};
use time::OffsetDateTime;
use tokio::sync::watch;

use self::{
    collect::{Collected, Work},
    pause::Pause,
};
pub(crate) use self::{
    pause::{Patience, is_transient},
    thread::spawn,
};
use crate::{
    BatchLimits, MetricKey, RunEnd, RunRef, TrackingBackend,
    spool::{self, Header, Lock, Position, Reader, State, Writer},
};

const NAME: &str = "run.upload";

/// What the handles of a run see of its uploader.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    /// The run at the server, once it is made.
    pub(crate) run: Option<RunRef>,
    /// What went wrong at the last try, until one goes well.
    pub(crate) failure: Option<Arc<Error>>,
    /// Records that the server has refused.
    pub(crate) rejected: u64,
}

/// Uploads one run.
#[derive(Debug)]
pub(crate) struct Uploader {
    /// Tries each call once, so that a lost answer is known as one.
    backend: Arc<dyn TrackingBackend>,
    /// Repeats calls, for files, which can be sent twice.
    patient: Arc<dyn TrackingBackend>,
    limits: BatchLimits,
    folder: PathBuf,
    header: Header,
    state: State,
    run: Option<RunRef>,
    reader: Reader,
    keys: HashMap<u32, MetricKey>,
    /// What was perhaps sent by an uploader that is gone.
    in_doubt_until: Option<Position>,
    last_at_ms: i64,
    pause: Pause,
    writer: Option<Arc<Writer>>,
    status: watch::Sender<Status>,
    _lock: Lock,
}

impl Uploader {
    /// Takes up a run where its last uploader has left it.
    pub(crate) fn new(
        backend: &Arc<dyn TrackingBackend>,
        folder: &Path,
        header: Header,
        lock: Lock,
        patience: Patience,
    ) -> io::Result<(Self, watch::Receiver<Status>)> {
        let state = State::read(folder)?;
        let reader = Reader::new(folder, header.local_id, state.position());
        let keys = reader.keys()?.into_iter().map(|(id, name)| (id, name.into())).collect();
        let status = Status { rejected: state.rejected, ..Status::default() };
        let (status, seen) = watch::channel(status);
        let uploader = Self {
            backend: backend.tried_once(),
            patient: backend.clone(),
            limits: backend.limits(),
            folder: folder.to_owned(),
            last_at_ms: header.started_at_ms,
            header,
            in_doubt_until: state.sending,
            state,
            run: None,
            reader,
            keys,
            pause: Pause::new(backend.clock().clone(), patience),
            writer: None,
            status,
            _lock: lock,
        };
        Ok((uploader, seen))
    }

    /// Also tells the writer, which is in this process.
    pub(crate) fn beside(self, writer: Arc<Writer>) -> Self {
        let reader = self.reader.behind(writer.fence());
        Self { writer: Some(writer), reader, ..self }
    }

    /// Uploads as long as the run logs, and until all is at the server.
    pub(crate) async fn follow(mut self, linger: Duration) {
        let Some(writer) = self.writer.clone() else { return };
        loop {
            // Asked before looking for records: none comes after it was so.
            let is_over = writer.is_closed();
            // It has no end of patience, so that only the disk of this machine can fail.
            if let Err(err) = self.drain().await {
                tracing::error!(run = %self.header.local_id, error = %err, "the spool cannot be read");
                self.fail(err);
            } else if is_over {
                // Only a disk without any room keeps a run from noting its end.
                if let Err(err) = self.end_dead().await {
                    self.fail(err);
                    continue;
                }
                self.leave();
                return;
            }
            writer.wake_when_pending(self.limits.metrics as u64);
            let woken = std::pin::pin!(writer.wake.notified());
            let clock = self.patient.clock().clone();
            if let Either::Left(_) = select(woken, clock.sleep(linger)).await {
                tracing::trace!(run = %self.header.local_id, "woken before time");
            }
        }
    }

    /// Uploads all that is there now. Says whether the end of the run was among it.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        if self.state.is_ended {
            return Ok(());
        }
        let run = self.ensure_run().await?;
        while let Some(collected) = self.collect()? {
            self.deliver(&run, collected).await?;
        }
        Ok(())
    }

    /// Ends a run whose process has died without a word, when that was seen alive
    /// for the last time.
    pub(crate) async fn end_dead(&mut self) -> Result<()> {
        if self.state.is_ended || self.header.attached_to.is_some() {
            return Ok(());
        }
        let run = self.ensure_run().await?;
        let at_ms = self.last_at_ms.max(spool::last_beat(&self.folder).unwrap_or_default());
        self.end(&run, &RunEnd::Canceled, spool::instant(at_ms)).await
    }

    /// Whether everything is at the server and the run has ended there.
    pub(crate) fn is_ended(&self) -> bool {
        self.state.is_ended
    }

    /// Records that were refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.state.rejected
    }

    /// Removes the folder of a run of which nothing is left to do. Refused records stay.
    pub(crate) fn leave(&mut self) {
        if self.state.rejected == 0 {
            let _ = fs::remove_dir_all(&self.folder);
        } else {
            spool::remove_segments(&self.folder);
        }
    }

    async fn deliver(&mut self, run: &RunRef, collected: Collected) -> Result<()> {
        let Collected { work, records, end, at_ms, dropped } = collected;
        let in_doubt = self.in_doubt_until.is_some_and(|it| self.state.position() < it);
        if !self.limits.deduplicates {
            self.state.sending = Some(end.max(self.in_doubt_until.unwrap_or(end)));
            self.save();
        }
        self.state.dropped += dropped;
        match work {
            Work::Batch(mut batch) => {
                if dropped > 0 {
                    let total = self.state.dropped.to_string();
                    batch.tags.insert(spool::DROPPED_TAG.to_owned(), total);
                }
                self.send_batch(run, batch, in_doubt).await?;
            }
            Work::Series(series, id) => self.send_series(run, &series, id, in_doubt).await?,
            Work::Artifact { path, file } => self.send_artifact(run, &path, &file).await?,
            Work::End { end, at_ms } => self.end(run, &end, spool::instant(at_ms)).await?,
        }
        self.acknowledge(end, records, at_ms);
        Ok(())
    }

    /// Notes that all before `end` is at the server.
    fn acknowledge(&mut self, end: Position, records: u64, at_ms: Option<i64>) {
        let left = self.state.position().segment..end.segment;
        self.state.acknowledged = Some(end);
        self.state.sending = self.in_doubt_until.filter(|it| *it > end);
        self.in_doubt_until = self.state.sending;
        self.save();
        let made_room = !left.is_empty();
        for segment in left {
            spool::remove_segment(&self.folder, segment);
        }
        if let Some(at_ms) = at_ms {
            self.last_at_ms = self.last_at_ms.max(at_ms);
        }
        if let Some(writer) = &self.writer {
            writer.acknowledge(records, at_ms);
            if made_room {
                spool::make_room(writer);
            }
        }
        self.succeed();
    }

    fn save(&self) {
        // A disk without room has some again when segments go. What is lost then is
        // only how far one was, and equal points are kept once, or looked for.
        if let Err(err) = self.state.write(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), error = %err, "cannot note how far the upload is");
        }
    }

    fn succeed(&mut self) {
        self.pause.reset();
        let (run, rejected) = (&self.run, self.state.rejected);
        self.status.send_modify(|it| {
            it.failure = None;
            it.rejected = rejected;
            if it.run.is_none() {
                it.run.clone_from(run);
            }
        });
    }

    fn fail(&self, err: Error) {
        self.status.send_modify(|it| it.failure = Some(Arc::new(err)));
    }

    /// Waits before the next try, unless there is no patience left for `err`.
    async fn wait_after(&mut self, err: Error) -> Result<()> {
        tracing::debug!(run = %self.header.local_id, error = %err, "an upload failed");
        let wait = self.pause.after(&err);
        let Some(wait) = wait else { return Err(err) };
        self.fail(err);
        self.pause.sleep(wait).await;
        Ok(())
    }

    async fn end(&mut self, run: &RunRef, end: &RunEnd, at: OffsetDateTime) -> Result<()> {
        if self.state.rejected > 0 {
            let tags = [(spool::REJECTED_TAG.to_owned(), self.state.rejected.to_string())];
            let tags = tags.into_iter().collect();
            while let Err(err) = self.backend.runs().set_tags(run, &tags).await {
                self.wait_after(err).await?;
            }
        }
        while let Err(err) = self.backend.runs().end(run, end, at).await {
            // A run that is gone, or ended otherwise, is over too.
            if err.kind() == ErrorKind::InvalidArgument || err.kind() == ErrorKind::Conflict {
                tracing::error!(run = %run.id, error = %err, "the server does not end the run");
                break;
            }
            self.wait_after(err).await?;
        }
        self.state.is_ended = true;
        self.save();
        Ok(())
    }
}

/// An error of the disk of this machine.
fn of_disk(err: io::Error) -> Error {
    Error::local(NAME, ErrorKind::Other, err)
}
