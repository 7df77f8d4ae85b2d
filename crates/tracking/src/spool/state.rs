//! What a run's folder says beside its segments: which run it is, how far its
//! records are at the server, who has it.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::segment::Position;
use crate::{Destination, ExperimentId, RunId};

/// The version of the files that this crate writes.
pub(crate) const VERSION: u32 = 1;

/// What is fixed when a run starts. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) version: u32,
    /// The run, before any server knows it.
    pub(crate) local_id: Uuid,
    pub(crate) destination: Destination,
    pub(crate) experiment: String,
    pub(crate) name: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) parent: Option<Parent>,
    pub(crate) started_at_ms: i64,
    /// The run that somebody else has started, and will end.
    pub(crate) attached_to: Option<Attached>,
}

/// A run that was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attached {
    pub(crate) run_id: RunId,
    pub(crate) experiment_id: Option<ExperimentId>,
    pub(crate) data_container: Option<String>,
}

impl Attached {
    /// The run `run_id`, of which nothing else is known.
    pub(crate) fn to(run_id: RunId) -> Self {
        Self { run_id, experiment_id: None, data_container: None }
    }
}

/// The run that a run is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Parent {
    /// The server knows it.
    Known(RunId),
    /// It is a spooled run too.
    Local(Uuid),
}

/// How far the records of a run are at the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The run was perhaps made at the server, although no answer says so.
    pub(crate) is_creating: bool,
    pub(crate) run_id: Option<RunId>,
    pub(crate) experiment_id: Option<ExperimentId>,
    pub(crate) data_container: Option<String>,
    /// All before this is at the server.
    pub(crate) acknowledged: Option<Position>,
    /// What is between `acknowledged` and this was perhaps sent.
    pub(crate) sending: Option<Position>,
    /// Points that were dropped because the disk may hold no more.
    pub(crate) dropped: u64,
    /// Records that the server has refused.
    pub(crate) rejected: u64,
    /// The end of the run is at the server.
    pub(crate) is_ended: bool,
}

const HEADER: &str = "run.json";
const STATE: &str = "state.json";
const WRITER_LOCK: &str = "writer.lock";
const UPLOAD_LOCK: &str = "upload.lock";
const REJECTED: &str = "rejected.jsonl";

impl Header {
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        replace(&folder.join(HEADER), &serde_json::to_vec_pretty(self)?)
    }

    /// `None` when the folder is no run's.
    pub(crate) fn read(folder: &Path) -> io::Result<Option<Self>> {
        read_json(&folder.join(HEADER))
    }
}

impl State {
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        replace(&folder.join(STATE), &serde_json::to_vec(self)?)
    }

    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        Ok(read_json(&folder.join(STATE))?.unwrap_or_default())
    }

    /// Where to go on.
    pub(crate) fn position(&self) -> Position {
        self.acknowledged.unwrap_or(Position::START)
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => {
            let read = serde_json::from_slice(&bytes);
            let about = |err| {
                let text = format!("{}: {err}", path.display());
                io::Error::new(io::ErrorKind::InvalidData, text)
            };
            read.map(Some).map_err(about)
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

/// Replaces a file as a whole, so that a reader sees the old or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::rename(fresh, path)
}

/// Held by the process that logs to a run, and by the one that uploads it. Gone
/// when that process is.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    fn take(path: PathBuf) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(err)) => Err(err),
        }
    }

    /// `None` when the process that logs is alive.
    pub(crate) fn of_writer(folder: &Path) -> io::Result<Option<Self>> {
        Self::take(folder.join(WRITER_LOCK))
    }

    /// `None` when somebody else uploads the run.
    pub(crate) fn of_uploader(folder: &Path) -> io::Result<Option<Self>> {
        Self::take(folder.join(UPLOAD_LOCK))
    }
}

/// Notes in the file of the writer's lock that it is alive.
pub(crate) fn beat(folder: &Path, now_ms: i64) {
    // A folder that is gone has nobody who asks.
    if let Ok(mut file) = OpenOptions::new().write(true).open(folder.join(WRITER_LOCK)) {
        // Always as long, so that no reader sees a part of it.
        let _ = file.rewind().and_then(|()| file.write_all(format!("{now_ms:020}").as_bytes()));
    }
}

/// When the writer was alive for the last time.
pub(crate) fn last_beat(folder: &Path) -> Option<i64> {
    let mut text = String::new();
    File::open(folder.join(WRITER_LOCK)).ok()?.read_to_string(&mut text).ok()?;
    text.parse().ok()
}

/// Keeps a record that the server has refused, in JSON and with the reason.
pub(crate) fn reject(folder: &Path, record: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(REJECTED))?;
    file.write_all(&line)
}

/// Where refused records are.
pub(crate) fn rejected_path(folder: &Path) -> PathBuf {
    folder.join(REJECTED)
}
