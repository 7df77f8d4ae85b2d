use std::{
    fs, io,
    path::{Path, PathBuf},
};

use azml_core::{Error, ErrorKind, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Destination, ExperimentName, RunId, Tracking,
    spool::{self, Header, Lock, State},
    upload::{Patience, Uploader},
};

const NAME: &str = "spool.recover";
/// How often a call is tried in a row.
const TRIES: u32 = 5;

/// A folder in which runs wait for their servers.
///
/// ```no_run
/// # async fn demo(tracking: azml_tracking::Tracking) -> azml_core::Result<()> {
/// use azml_tracking::Spool;
///
/// let recovery = Spool::recover(&tracking.spool().folder, &tracking).await?;
/// println!("{} runs were brought to their end", recovery.ended);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

/// What a recovery came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// Runs that are complete at the server and have gone from the spool.
    pub ended: usize,
    /// Runs of which all that is there is at the server, and that still log.
    pub live: usize,
    /// Runs that somebody else uploads at this moment.
    pub busy: usize,
    /// Runs that belong to another server.
    pub foreign: usize,
    /// Records that a server has refused for good: they stay in the spool.
    pub rejected: u64,
    /// Runs of which something still waits, with the reason.
    pub failed: Vec<(Uuid, Error)>,
}

/// What became of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uploaded {
    /// It is complete at the server, and has ended there.
    Ended {
        /// Records that the server has refused for good: they stay in the spool.
        rejected: u64,
    },
    /// All that is there is at the server; the run still logs.
    Live,
    /// Somebody else uploads it at this moment.
    Busy,
}

/// A run in a spool.
#[derive(Clone, Debug)]
pub struct SpooledRun {
    folder: PathBuf,
    header: Header,
    state: State,
}

impl Spool {
    /// Opens a spool. One that is not there has no runs.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its runs, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) when the folder cannot be read,
    /// [`Decode`](ErrorKind::Decode) for a run of a newer version of this crate.
    pub fn runs(&self) -> Result<Vec<SpooledRun>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(unreadable(&self.folder, err)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let folder = entry.map_err(|err| unreadable(&self.folder, err))?.path();
            if !folder.is_dir() {
                continue;
            }
            let header = Header::read(&folder).map_err(|err| unreadable(&folder, err))?;
            // A run that died while it began has logged nothing.
            let Some(header) = header else { continue };
            if header.version > spool::VERSION {
                let reason = format!(
                    "{} was written by a newer version ({}, here {}); use that one",
                    folder.display(),
                    header.version,
                    spool::VERSION
                );
                return Err(Error::explained(NAME, ErrorKind::Decode, reason));
            }
            let state = State::read(&folder).map_err(|err| unreadable(&folder, err))?;
            runs.push(SpooledRun { folder, header, state });
        }
        runs.sort_by_key(|it| (it.header.started_at_ms, it.header.local_id));
        Ok(runs)
    }

    /// Uploads all that runs of `tracking` have left in `folder`, and ends those
    /// whose process is dead: as it said, or as killed when it was seen alive for the
    /// last time. A run that still logs is uploaded as far as it is, and may be so
    /// again and again; nothing is stored twice. What a failure has left stays for
    /// the next time.
    ///
    /// # Errors
    ///
    /// As [`runs`](Self::runs). What goes wrong with one run is in the [`Recovery`].
    pub async fn recover(folder: impl AsRef<Path>, tracking: &Tracking) -> Result<Recovery> {
        let mut recovery = Recovery::default();
        let destination = tracking.backend().destination();
        for run in Self::open(folder.as_ref()).runs()? {
            if run.header.destination != destination {
                recovery.foreign += 1;
                continue;
            }
            match run.upload(tracking).await {
                Ok(uploaded) => recovery.count(uploaded),
                Err(err) => recovery.failed.push((run.local_id(), err)),
            }
        }
        Ok(recovery)
    }
}

impl Recovery {
    /// Counts what became of one run.
    pub fn count(&mut self, uploaded: Uploaded) {
        match uploaded {
            Uploaded::Ended { rejected } => {
                self.ended += 1;
                self.rejected += rejected;
            }
            Uploaded::Live => self.live += 1,
            Uploaded::Busy => self.busy += 1,
        }
    }
}

impl SpooledRun {
    /// The id that it had from the start, on this machine.
    pub fn local_id(&self) -> Uuid {
        self.header.local_id
    }

    /// The id at the server, if it is known to have been made.
    pub fn id(&self) -> Option<&RunId> {
        let attached = self.header.attached_to.as_ref().map(|it| &it.run_id);
        attached.or(self.state.run_id.as_ref())
    }

    /// Where it belongs.
    pub fn destination(&self) -> &Destination {
        &self.header.destination
    }

    /// The experiment it belongs to. Empty when only the server knows.
    pub fn experiment(&self) -> ExperimentName {
        ExperimentName::new(self.header.experiment.as_str())
    }

    /// When it began.
    pub fn started_at(&self) -> OffsetDateTime {
        spool::instant(self.header.started_at_ms)
    }

    /// Whether the process that logs to it is alive.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) when the folder cannot be read.
    pub fn is_live(&self) -> Result<bool> {
        let lock = Lock::of_writer(&self.folder).map_err(|err| unreadable(&self.folder, err))?;
        Ok(lock.is_none())
    }

    /// Brings it to its server, as [`Spool::recover`] does.
    ///
    /// # Errors
    ///
    /// What the server said at last.
    pub async fn upload(&self, tracking: &Tracking) -> Result<Uploaded> {
        let failed = |err| unreadable(&self.folder, err);
        // Asked first: what a dead process has left is all that there will ever be.
        let writer_lock = Lock::of_writer(&self.folder).map_err(failed)?;
        let Some(lock) = Lock::of_uploader(&self.folder).map_err(failed)? else {
            return Ok(Uploaded::Busy);
        };
        let backend = tracking.backend();
        let patience = Patience::Tries(TRIES);
        let (mut uploader, _) =
            Uploader::new(backend, &self.folder, self.header.clone(), lock, patience)
                .map_err(failed)?;
        uploader.drain().await?;
        if writer_lock.is_some() {
            uploader.end_dead().await?;
        } else if !uploader.is_ended() {
            return Ok(Uploaded::Live);
        }
        uploader.leave();
        Ok(Uploaded::Ended { rejected: uploader.rejected() })
    }
}

fn unreadable(path: &Path, err: io::Error) -> Error {
    let reason = format!("{} cannot be read", path.display());
    Error::explained(NAME, ErrorKind::Other, reason).with_source(err)
}
