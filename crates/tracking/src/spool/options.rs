use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::segment::{Disk, RealDisk};

/// What survives what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing survives the process: what waits is in a temporary folder, which
    /// nobody recovers.
    None,
    /// What was logged survives the end of the process, however it ends
    /// (`kill -9`, out of memory, panic). A call takes well under a microsecond.
    #[default]
    Process,
    /// What was logged also survives a power cut: each call waits for the disk,
    /// and calls at the same time share one wait. Hundreds of microseconds a call.
    Disk,
}

/// What to do when a run has filled its share of the disk because the server
/// takes nothing, or too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Waits up to this long for room, then refuses what is logged.
    Block(Duration),
    /// Refuses what is logged, at once.
    Refuse,
    /// Drops the oldest points, in blocks of one segment. They are counted, and
    /// the count becomes the tag `azml.spool.dropped_points` of the run. Params,
    /// tags, artifacts and the end of the run are never dropped.
    DropOldest,
}

/// How the runs of this process wait for the server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpoolOptions {
    /// The folder of the spool, below which each run has its own.
    pub folder: PathBuf,
    /// What survives what.
    pub durability: Durability,
    /// Bytes that one run may have on the disk, at least 1 MiB. 1 GiB by default,
    /// which is some 25 million points.
    pub max_bytes: u64,
    /// What to do beyond that. Waits 30 s by default.
    pub when_full: WhenFull,
    /// The longest time that a point waits for others to be sent with it. 1 s by
    /// default.
    pub linger: Duration,
    /// Sends nothing: [`SpooledRun::upload`](crate::SpooledRun::upload) and `azml
    /// tracking sync` do that, from this process or another.
    pub is_offline: bool,
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    pub(crate) disk: Arc<dyn Disk>,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            folder: default_folder(),
            durability: Durability::default(),
            max_bytes: 1 << 30,
            when_full: WhenFull::Block(Duration::from_secs(30)),
            linger: Duration::from_secs(1),
            is_offline: false,
            runtime: None,
            disk: Arc::new(RealDisk),
        }
    }
}

impl SpoolOptions {
    /// In the folder that `AZML_SPOOL_DIR` names, else in `azml/spool` below
    /// `XDG_STATE_HOME`, `~/.local/state`, or the temporary folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the folder.
    #[must_use]
    pub fn with_folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..self }
    }

    /// Sets what survives what.
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// Sets how many bytes one run may have on the disk, at least 1 MiB.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes: max_bytes.max(1 << 20), ..self }
    }

    /// Sets what to do when a run has as many bytes as it may.
    #[must_use]
    pub fn with_when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// Sets how long a point may wait for others.
    #[must_use]
    pub fn with_linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// Sends nothing by itself.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { is_offline: true, ..self }
    }

    /// Sends from a task of this runtime instead of from a thread of its own. A
    /// runtime whose threads are busy sends late.
    #[must_use]
    pub fn with_runtime(self, runtime: tokio::runtime::Handle) -> Self {
        Self { runtime: Some(runtime), ..self }
    }

    /// How long a segment may be: large, but several fit.
    pub(super) fn segment_bytes(&self) -> usize {
        const MOST: u64 = 4 << 20;
        usize::try_from((self.max_bytes / 8).clamp(1 << 16, MOST)).unwrap_or(1 << 16)
    }
}

fn default_folder() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("AZML_SPOOL_DIR") {
        return folder;
    }
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    state.unwrap_or_else(env::temp_dir).join(Path::new("azml/spool"))
}
