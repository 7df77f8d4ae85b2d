use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use azml_core::{BodySource, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;

use super::RemoteRun;
use crate::{Artifact, ArtifactPath, TransferOptions, transfer};

const UPLOAD: &str = "artifact.upload";

impl RemoteRun {
    /// Uploads a file of this machine as the artifact `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the file
    /// cannot be read or `path` leads out of the run.
    pub async fn upload_file(&self, path: &str, file: impl AsRef<Path>) -> Result<()> {
        self.upload_files([(path, file)], &TransferOptions::default()).await
    }

    /// Uploads files of this machine, each as the artifact named with it. Several
    /// go at once. A large file that is there already is not sent again, and one
    /// that broke off is gone on with.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, with all the files that cannot be read and all the paths
    /// that are bad or given twice.
    pub async fn upload_files<P: Into<String>, F: AsRef<Path>>(
        &self,
        files: impl IntoIterator<Item = (P, F)>,
        options: &TransferOptions,
    ) -> Result<()> {
        let pairs = files.into_iter().map(|(path, file)| (path.into(), file.as_ref().to_owned()));
        let files = transfer::files(UPLOAD, pairs.collect()).await?;
        self.backend.artifacts().upload_all(&self.reference, files, options).await
    }

    /// Uploads everything in and below a folder of this machine, below `path`. An
    /// empty path is the top.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, when it is no folder or something in it cannot be sent.
    pub async fn upload_folder(
        &self,
        path: &str,
        folder: impl AsRef<Path>,
        options: &TransferOptions,
    ) -> Result<()> {
        let files = transfer::files_below(UPLOAD, path, folder.as_ref()).await?;
        self.upload_files(files, options).await
    }

    /// Uploads bytes as the artifact `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `path` leads out of the run.
    pub async fn upload_bytes(&self, path: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.upload(&ArtifactPath::parse(path)?, Arc::new(bytes.into())).await
    }

    /// Uploads an artifact of any size.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn upload(&self, path: &ArtifactPath, body: Arc<dyn BodySource>) -> Result<()> {
        self.backend.artifacts().upload(&self.reference, path, body).await
    }

    /// Lists the artifacts.
    pub fn artifacts(&self) -> BoxStream<'static, Result<Artifact>> {
        self.backend.artifacts().list(&self.reference)
    }

    /// Reads an artifact into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such artifact.
    pub async fn read_artifact(&self, path: &str) -> Result<Bytes> {
        self.backend.artifacts().read(&self.reference, &ArtifactPath::parse(path)?).await
    }

    /// Downloads the artifact `path` to the file `to`. A file that is there
    /// already stays, and one that broke off is gone on with.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such artifact.
    pub async fn download_file(&self, path: &str, to: impl AsRef<Path>) -> Result<()> {
        let path = ArtifactPath::parse(path)?;
        self.backend.artifacts().download(&self.reference, &path, to.as_ref()).await
    }

    /// Downloads every artifact whose path begins with `prefix` below `folder`, at
    /// its whole path, and tells where each is. An empty prefix means all.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn download_files(
        &self,
        prefix: &str,
        folder: impl AsRef<Path>,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let artifacts = self.backend.artifacts();
        artifacts.download_all(&self.reference, prefix, folder.as_ref(), options).await
    }

    /// Downloads the artifacts in and below `path` below `folder`, at their paths
    /// within it, and tells where each is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run has none there.
    pub async fn download_folder(
        &self,
        path: &str,
        folder: impl AsRef<Path>,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let path = ArtifactPath::parse(path.trim_end_matches('/'))?;
        let artifacts = self.backend.artifacts();
        artifacts.download_folder(&self.reference, &path, folder.as_ref(), options).await
    }
}
