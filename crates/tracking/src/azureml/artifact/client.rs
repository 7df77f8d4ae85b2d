use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use azml_core::{BodySource, Error, ErrorKind, PageToken, Result, stream_pages};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;

use super::{
    super::files::{Content, download},
    ops,
};
use crate::{
    Artifact, ArtifactPath, Artifacts, AzureMlTracking, RunRef, Runs, TransferOptions, Upload,
};

#[async_trait]
impl Artifacts for AzureMlTracking {
    async fn upload(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        body: Arc<dyn BodySource>,
    ) -> Result<()> {
        let files = vec![Upload::new(path.clone(), body)];
        self.upload_all(run, files, &TransferOptions::default()).await
    }

    async fn upload_all(
        &self,
        run: &RunRef,
        files: Vec<Upload>,
        options: &TransferOptions,
    ) -> Result<()> {
        let container = self.container(run).await?;
        self.send_files(ops::ORIGIN, &container, files, options).await
    }

    fn list(&self, run: &RunRef) -> BoxStream<'static, Result<Artifact>> {
        let (this, run) = (self.clone(), run.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (this, run) = (this.clone(), run.clone());
            async move {
                let container = this.container(&run).await?;
                let (workspace, token) = (&*this.workspace, token.as_ref());
                this.endpoint.call(&ops::List { workspace, container: &container, token }).await
            }
        })
    }

    async fn read(&self, run: &RunRef, path: &ArtifactPath) -> Result<Bytes> {
        let container = self.container(run).await?;
        let info = ops::GetContentInfo { workspace: &self.workspace, container: &container, path };
        let url = self.endpoint.call(&info).await?;
        self.blobs.get(&url, None).await
    }

    async fn download(&self, run: &RunRef, path: &ArtifactPath, to: &Path) -> Result<()> {
        let container = self.container(run).await?;
        let info = ops::GetContentInfo { workspace: &self.workspace, container: &container, path };
        let url = self.endpoint.call(&info).await?;
        self.blobs.download_to(&url, to, download(4)).await.map(drop)
    }

    async fn download_all(
        &self,
        run: &RunRef,
        prefix: &str,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let container = self.container(run).await?;
        let prefix = ops::PrefixContentInfo::id(&container, prefix);
        let contents = self.contents(&prefix).await?;
        self.save(contents, folder, options, |it| it.path.clone()).await
    }

    async fn download_folder(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let container = self.container(run).await?;
        let start = format!("{path}/");
        let prefix = ops::PrefixContentInfo::id(&container, &start);
        let contents = self.contents(&prefix).await?;
        if contents.is_empty() {
            let reason = format!("run {} has no artifacts in \"{path}\"", run.id);
            return Err(Error::explained("artifact.download", ErrorKind::NotFound, reason));
        }
        let within = |it: &Content| it.path.strip_prefix(&start).unwrap_or(&it.path).to_owned();
        self.save(contents, folder, options, within).await
    }
}

impl AzureMlTracking {
    /// The container of the run's artifacts, asked for if `run` does not say.
    pub(in crate::azureml) async fn container(&self, run: &RunRef) -> Result<String> {
        if let Some(container) = &run.data_container {
            return Ok(container.clone());
        }
        let info = Runs::get(self, &run.id).await?;
        info.data_container.ok_or_else(|| {
            let reason = format!("run {} has no artifact container", run.id);
            Error::explained("history.runs.get_by_id", ErrorKind::Decode, reason)
        })
    }

    /// Every file whose id begins with `prefix`.
    pub(in crate::azureml) async fn contents(&self, prefix: &str) -> Result<Vec<Content>> {
        let (this, prefix) = (self.clone(), prefix.to_owned());
        let pages = stream_pages(move |token: Option<PageToken>| {
            let (this, prefix) = (this.clone(), prefix.clone());
            async move {
                let (workspace, token) = (&*this.workspace, token.as_ref());
                let info = ops::PrefixContentInfo { workspace, prefix: &prefix, token };
                this.endpoint.call(&info).await
            }
        });
        pages.try_collect().await
    }
}
