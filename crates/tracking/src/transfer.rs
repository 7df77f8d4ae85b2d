//! Files on their way: how many at once, how far they are, and what is there to send.

mod local;
mod meter;

use std::{fmt, sync::Arc};

use azml_core::BodySource;

#[cfg(feature = "azureml")]
pub(crate) use self::local::model_files;
pub(crate) use self::{
    local::{files, files_below},
    meter::Meter,
};
use crate::ArtifactPath;

type OnProgress = Arc<dyn Fn(&TransferProgress) + Send + Sync>;

/// How to move files.
#[derive(Clone)]
#[non_exhaustive]
pub struct TransferOptions {
    /// Parts under way at once, of all files together. Each is held in memory.
    pub parallel: usize,
    on_progress: Option<OnProgress>,
}

impl Default for TransferOptions {
    /// 4 parts of at most 4 MiB at once.
    fn default() -> Self {
        Self { parallel: 4, on_progress: None }
    }
}

impl TransferOptions {
    /// The usual way.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many parts are under way at once, at least 1.
    #[must_use]
    pub fn with_parallel(self, parallel: usize) -> Self {
        Self { parallel: parallel.max(1), ..self }
    }

    /// Calls `on_progress` after each part.
    #[must_use]
    pub fn with_progress(
        self,
        on_progress: impl Fn(&TransferProgress) + Send + Sync + 'static,
    ) -> Self {
        Self { on_progress: Some(Arc::new(on_progress)), ..self }
    }

    /// Files at once, and parts of each at once.
    pub(crate) fn split(&self, files: usize) -> (usize, usize) {
        let at_once = self.parallel.min(files).max(1);
        (at_once, (self.parallel / at_once).max(1))
    }
}

impl fmt::Debug for TransferOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransferOptions").field("parallel", &self.parallel).finish_non_exhaustive()
    }
}

/// How far a transfer is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// The file that has just got further, by its path at the service.
    pub file: String,
    /// Bytes of this file that are done.
    pub file_bytes_done: u64,
    /// Bytes of this file.
    pub file_bytes_total: u64,
    /// Bytes of all files that are done.
    pub bytes_done: u64,
    /// Bytes of all files whose size is known so far: in a download it grows.
    pub bytes_total: u64,
    /// Files that are done.
    pub files_done: usize,
    /// Files.
    pub files_total: usize,
}

/// A file that is to become an artifact.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upload {
    /// Where it goes.
    pub path: ArtifactPath,
    /// Its bytes.
    pub body: Arc<dyn BodySource>,
}

impl Upload {
    /// The bytes of `body`, to go to `path`.
    pub fn new(path: ArtifactPath, body: Arc<dyn BodySource>) -> Self {
        Self { path, body }
    }
}
