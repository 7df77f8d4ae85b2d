//! Artifacts: files that belong to a run.

use std::{fmt, path::Path, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use azml_core::{BodySource, Error, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::{RunRef, TransferOptions, Upload};

/// Where a file is within its run, for example `outputs/model.json`.
///
/// Invariant: relative, with `/` between its parts, none of which is empty, `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(Box<str>);

impl ArtifactPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a path
    /// that leads out of the run.
    pub fn parse(path: &str) -> Result<Self> {
        let is_bad = |part: &str| matches!(part, "" | "." | "..") || part.contains(['\\', '\0']);
        if path.split('/').any(is_bad) {
            let text = format!(
                "artifact path \"{path}\": write a relative path such as outputs/model.json"
            );
            return Err(Error::invalid("artifact.path", text));
        }
        Ok(Self(path.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Where the file goes below `folder`.
    pub fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&*self.0)
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that belongs to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// Where it is within the run.
    pub path: ArtifactPath,
}

/// The artifacts of the runs of one server or workspace.
#[async_trait]
pub trait Artifacts: fmt::Debug + Send + Sync {
    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn upload(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        body: Arc<dyn BodySource>,
    ) -> Result<()>;

    /// Uploads several files. Those that are there already are not sent again, and
    /// a large one that broke off is gone on with.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn upload_all(
        &self,
        run: &RunRef,
        files: Vec<Upload>,
        options: &TransferOptions,
    ) -> Result<()> {
        let _ = options;
        for Upload { path, body } in files {
            self.upload(run, &path, body).await?;
        }
        Ok(())
    }

    /// Lists the files of a run.
    fn list(&self, run: &RunRef) -> BoxStream<'static, Result<Artifact>>;

    /// Reads a whole file into memory. For large ones see [`download`](Self::download).
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such file exists.
    async fn read(&self, run: &RunRef, path: &ArtifactPath) -> Result<Bytes>;

    /// Downloads a file to `to`. Folders on the way are made.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such file exists.
    async fn download(&self, run: &RunRef, path: &ArtifactPath, to: &Path) -> Result<()>;

    /// Downloads every file whose path begins with `prefix` below `folder`, at its
    /// whole path, and tells where each is. An empty prefix means all. Files that
    /// are there already stay, and one that broke off is gone on with.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn download_all(
        &self,
        run: &RunRef,
        prefix: &str,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>>;

    /// Downloads the files of the run's folder `path` below `folder`, at their
    /// paths within it, and tells where each is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run has no such folder.
    async fn download_folder(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>>;
}

const _: fn(&dyn Artifacts) = |_| ();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_out_of_the_run_is_refused() {
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\\b", "a\0"] {
            assert!(ArtifactPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_path_stays_below_its_folder(text in "[a.\\\\/ ]{0,12}") {
            let folder = Path::new("/run");
            if let Ok(path) = ArtifactPath::parse(&text) {
                let below = path.below(folder);
                prop_assert!(below.starts_with(folder) && below != folder);
                prop_assert_eq!(path.as_str(), text);
            }
        }
    }
}
