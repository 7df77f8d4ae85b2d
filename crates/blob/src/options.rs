use std::{collections::BTreeMap, fmt, sync::Arc};

/// The most that goes in one request.
pub(crate) const BLOCK: u64 = 4 * 1024 * 1024;

type OnProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// How to upload.
#[derive(Clone)]
pub struct UploadOptions {
    /// The media type to store with the blob.
    pub(crate) content_type: Option<String>,
    /// Whether a blob of that name may be replaced. Otherwise it is a
    /// [`Conflict`](azml_core::ErrorKind::Conflict).
    pub(crate) overwrite: bool,
    /// Pairs to store with the blob. Names are identifiers.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Bytes in a block. A body of at most this size goes as a whole.
    pub(crate) block_size: u64,
    /// Blocks under way at once, each of which is held in memory.
    pub(crate) parallel: usize,
    /// Whether a blob of more than one block is left alone when its length and
    /// its hash say that it is there already. Costs reading the source once.
    pub(crate) skip_same: bool,
    on_progress: Option<OnProgress>,
}

impl Default for UploadOptions {
    /// Replaces what is there; 4 blocks of 4 MiB at once.
    fn default() -> Self {
        Self {
            content_type: None,
            overwrite: true,
            metadata: BTreeMap::new(),
            block_size: BLOCK,
            parallel: 4,
            skip_same: false,
            on_progress: None,
        }
    }
}

impl UploadOptions {
    /// Stores a media type with the blob.
    #[must_use]
    pub fn with_content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), ..self }
    }

    /// Allows or forbids to replace a blob. Forbidden, it is a
    /// [`Conflict`](azml_core::ErrorKind::Conflict).
    #[must_use]
    pub fn with_overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }

    /// Stores a pair with the blob. Names are identifiers.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Sets the bytes in a block, at least 1. A body of at most this size goes as
    /// a whole.
    #[must_use]
    pub fn with_block_size(self, block_size: u64) -> Self {
        Self { block_size: block_size.max(1), ..self }
    }

    /// Leaves a blob of more than one block alone when its length and its hash say
    /// that it is there already. Costs reading the source once.
    #[must_use]
    pub fn with_skip_same(self, skip_same: bool) -> Self {
        Self { skip_same, ..self }
    }

    /// Sets how many blocks are under way at once, at least 1. Each is held in memory.
    #[must_use]
    pub fn with_parallel(self, parallel: usize) -> Self {
        Self { parallel: parallel.max(1), ..self }
    }

    /// Calls `on_progress(sent, total)`, in bytes, after each block.
    #[must_use]
    pub fn with_progress(self, on_progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { on_progress: Some(Arc::new(on_progress)), ..self }
    }

    pub(crate) fn report(&self, done: u64, total: u64) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(done, total);
        }
    }
}

impl fmt::Debug for UploadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadOptions")
            .field("content_type", &self.content_type)
            .field("overwrite", &self.overwrite)
            .field("metadata", &self.metadata)
            .field("block_size", &self.block_size)
            .field("parallel", &self.parallel)
            .field("skip_same", &self.skip_same)
            .finish_non_exhaustive()
    }
}

/// How to download.
#[derive(Clone)]
pub struct DownloadOptions {
    /// Bytes in a part.
    pub(crate) part_size: u64,
    /// Parts under way at once, each of which is held in memory.
    pub(crate) parallel: usize,
    /// Whether a download that broke off goes on where it stopped, and a file
    /// that is complete already stays.
    pub(crate) resume: bool,
    on_progress: Option<OnProgress>,
}

impl Default for DownloadOptions {
    /// 4 parts of 4 MiB at once.
    fn default() -> Self {
        Self { part_size: BLOCK, parallel: 4, resume: false, on_progress: None }
    }
}

impl DownloadOptions {
    /// Sets the bytes in a part, at least 1.
    #[must_use]
    pub fn with_part_size(self, part_size: u64) -> Self {
        Self { part_size: part_size.max(1), ..self }
    }

    /// Goes on with a download that broke off, and leaves a file alone that is
    /// complete already. What has arrived lies beside the file as `.NAME.ETAG.part`,
    /// which one download has at a time, and is taken only for the same version of
    /// the blob.
    #[must_use]
    pub fn with_resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Sets how many parts are under way at once, at least 1. Each is held in memory.
    #[must_use]
    pub fn with_parallel(self, parallel: usize) -> Self {
        Self { parallel: parallel.max(1), ..self }
    }

    /// Calls `on_progress(received, total)`, in bytes, after each part.
    #[must_use]
    pub fn with_progress(self, on_progress: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { on_progress: Some(Arc::new(on_progress)), ..self }
    }

    pub(crate) fn report(&self, done: u64, total: u64) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(done, total);
        }
    }
}

impl fmt::Debug for DownloadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadOptions")
            .field("part_size", &self.part_size)
            .field("parallel", &self.parallel)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}
