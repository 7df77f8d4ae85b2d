//! The backend that is a folder of this machine: for work without a server.
//!
//! ```text
//! experiments/{id}.json       name, whether it is archived
//! runs/{id}/run.json          what is said about the run
//! runs/{id}/metrics.jsonl     a number a line, each with an id
//! runs/{id}/artifacts/        its files
//! ```

mod artifacts;
mod files;
mod models;
mod runs;
mod store;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use azml_core::{Clock, TokioClock};

use crate::{
    Artifacts, BatchLimits, Destination, Experiments, Metrics, RegisteredModels, Runs,
    TrackingBackend,
};

/// Tracks runs in a folder of this machine, in JSON that people can read. Cheap to
/// clone.
///
/// Has experiments, runs, numbers, params, tags and artifacts; no registered models,
/// and no metrics that are no numbers. Several processes may log at once, each to
/// runs of its own or to the same.
#[derive(Clone, Debug)]
pub struct FolderTracking {
    root: Arc<PathBuf>,
    clock: Arc<dyn Clock>,
}

impl FolderTracking {
    /// Tracks runs below `root`, which is made when it is needed.
    pub fn new(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref();
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self { root: Arc::new(root), clock: Arc::new(TokioClock::new()) }
    }

    /// Stamps what is logged by `clock`.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl TrackingBackend for FolderTracking {
    fn experiments(&self) -> &dyn Experiments {
        self
    }

    fn runs(&self) -> &dyn Runs {
        self
    }

    fn metrics(&self) -> &dyn Metrics {
        self
    }

    fn artifacts(&self) -> &dyn Artifacts {
        self
    }

    fn models(&self) -> &dyn RegisteredModels {
        self
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn destination(&self) -> Destination {
        Destination::Folder { path: (*self.root).clone() }
    }

    fn limits(&self) -> BatchLimits {
        // A number that is written twice has the same id, and is read once.
        BatchLimits::new(1000, 1000, 1000)
    }

    fn tried_once(&self) -> Arc<dyn TrackingBackend> {
        Arc::new(self.clone())
    }
}
