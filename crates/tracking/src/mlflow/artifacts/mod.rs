//! Artifacts that the server keeps for its clients (`mlflow-artifacts:/...`), which
//! is what `mlflow server` does by default.

mod multipart;
mod ops;
mod root;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use azml_core::{BodySource, Error, ErrorKind, FileSink, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryFutureExt, TryStreamExt, stream};
use uuid::Uuid;

pub(in crate::mlflow) use self::root::Root;
use crate::{
    Artifact, ArtifactPath, Artifacts, MlflowTracking, RunRef, TransferOptions, Upload,
    transfer::Meter,
};

const UPLOAD: &str = "mlflow.artifacts.upload";
const DOWNLOAD: &str = "mlflow.artifacts.download";

#[async_trait]
impl Artifacts for MlflowTracking {
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
        let root = self.artifact_root(run).await?;
        let sizes = files.iter().map(|it| (it.path.to_string(), Some(it.body.len())));
        let meter = Meter::new(options, sizes);
        let (files_at_once, parts_at_once) = options.split(files.len());
        let uploads = files.into_iter().enumerate().map(|(index, Upload { path, body })| {
            let (root, meter) = (&root, &meter);
            async move {
                let total = body.len();
                let report = |done| meter.report(index, done, total);
                if self.goes_in_parts(total).await? {
                    let sent = self.send_parts(root, &path, &body, parts_at_once, &report).await?;
                    if sent {
                        return Ok(());
                    }
                }
                let name = root.file(&path);
                self.endpoint.call(&ops::Upload { name: &name, body }).await?;
                report(total);
                Ok(())
            }
        });
        let uploads: Vec<_> = uploads.collect();
        stream::iter(uploads).buffer_unordered(files_at_once).try_collect().await
    }

    fn list(&self, run: &RunRef) -> BoxStream<'static, Result<Artifact>> {
        let (this, run) = (self.clone(), run.clone());
        let paths = async move {
            let root = this.artifact_root(&run).await?;
            this.paths(&root, "").await
        };
        let artifact =
            |it: Vec<ArtifactPath>| stream::iter(it.into_iter().map(|path| Ok(Artifact { path })));
        paths.map_ok(artifact).try_flatten_stream().boxed()
    }

    async fn read(&self, run: &RunRef, path: &ArtifactPath) -> Result<Bytes> {
        let name = self.artifact_root(run).await?.file(path);
        self.endpoint.call(&ops::Read { name: &name }).await
    }

    async fn download(&self, run: &RunRef, path: &ArtifactPath, to: &Path) -> Result<()> {
        let root = self.artifact_root(run).await?;
        self.save(&root, path, to).await
    }

    async fn download_all(
        &self,
        run: &RunRef,
        prefix: &str,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let root = self.artifact_root(run).await?;
        let paths = self.paths(&root, "").await?.into_iter();
        let wanted = paths.filter(|it| it.as_str().starts_with(prefix));
        let pairs = wanted.map(|it| (it.below(folder), it)).collect();
        self.save_all(&root, pairs, options).await
    }

    async fn download_folder(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let root = self.artifact_root(run).await?;
        let pairs = self.within(&root, path, folder).await?;
        if pairs.is_empty() {
            let reason = format!("run {} has no artifacts in \"{path}\"", run.id);
            return Err(Error::explained(DOWNLOAD, ErrorKind::NotFound, reason));
        }
        self.save_all(&root, pairs, options).await
    }
}

impl MlflowTracking {
    /// Where the artifacts of a run are.
    pub(in crate::mlflow) async fn artifact_root(&self, run: &RunRef) -> Result<Root> {
        if let Some(uri) = &run.data_container {
            return Root::parse(uri);
        }
        let info = self.endpoint.call(&super::ops::GetRun(&run.id)).await?;
        Root::parse(info.data_container.as_deref().unwrap_or_default())
    }

    /// The files below `folder` of `root`, which is a path or empty, in order.
    pub(in crate::mlflow) async fn paths(
        &self,
        root: &Root,
        folder: &str,
    ) -> Result<Vec<ArtifactPath>> {
        let (mut found, mut left) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = left.pop() {
            let name = root.folder(&folder);
            for entry in self.endpoint.call(&ops::List { name: &name }).await? {
                // The server names them relative to what was asked for.
                let name = ArtifactPath::parse(&entry.path)?;
                let path =
                    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
                if entry.is_dir {
                    left.push(path);
                } else {
                    found.push(ArtifactPath::parse(&path)?);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The files in and below `path`, or the file that it is, each with its place
    /// below `folder`.
    pub(in crate::mlflow) async fn within(
        &self,
        root: &Root,
        path: &ArtifactPath,
        folder: &Path,
    ) -> Result<Vec<(PathBuf, ArtifactPath)>> {
        let all = self.paths(root, path.as_str()).await;
        // A file has nothing below it: some servers say so by an error.
        let all = match all {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(err),
            all => all.unwrap_or_default(),
        };
        let within = format!("{path}/");
        let mut pairs = Vec::new();
        for it in all {
            if let Some(rest) = it.as_str().strip_prefix(&within) {
                pairs.push((ArtifactPath::parse(rest)?.below(folder), it));
            }
        }
        let name = path.file_name();
        if let [(_, only)] = &pairs[..]
            && only.as_str() == format!("{within}{name}")
            && !self.has(root, only).await?
        {
            pairs.clear();
        }
        if pairs.is_empty() && self.has(root, path).await? {
            pairs.push((folder.join(name), path.clone()));
        }
        Ok(pairs)
    }

    /// Whether `path` is a file, as the listing of its folder says.
    pub(in crate::mlflow) async fn has(&self, root: &Root, path: &ArtifactPath) -> Result<bool> {
        let (folder, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let listed = self.endpoint.call(&ops::List { name: &root.folder(folder) }).await;
        match listed {
            Ok(entries) => Ok(entries.iter().any(|it| it.path == name && !it.is_dir)),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
            Err(err) => Err(err),
        }
    }

    pub(in crate::mlflow) async fn save_all(
        &self,
        root: &Root,
        pairs: Vec<(PathBuf, ArtifactPath)>,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let names = pairs.iter().map(|(_, path)| (path.to_string(), None));
        let meter = Meter::new(options, names);
        let (at_once, _) = options.split(pairs.len());
        let saves: Vec<_> = pairs
            .into_iter()
            .enumerate()
            .map(|(index, (to, path))| {
                let meter = meter.clone();
                async move {
                    self.save(root, &path, &to).await?;
                    let length = tokio::fs::metadata(&to).await.map_or(0, |it| it.len());
                    meter.report(index, length, length);
                    Ok(to)
                }
            })
            .collect();
        stream::iter(saves).buffered(at_once).try_collect().await
    }

    async fn save(&self, root: &Root, path: &ArtifactPath, to: &Path) -> Result<()> {
        let failed =
            |err: std::io::Error| Error::invalid(DOWNLOAD, format!("{}: {err}", to.display()));
        if let Some(folder) = to.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        }
        // Under another name until it is whole.
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", Uuid::new_v4().simple()));
        let fresh = to.with_file_name(name);
        let mut sink = FileSink::new(&fresh);
        let name = root.file(path);
        let received = self.endpoint.receive(&ops::Download { name: &name }, &mut sink).await;
        let finished = sink.finish().await.map_err(failed);
        if let Err(err) = received.and(finished) {
            let _ = tokio::fs::remove_file(&fresh).await;
            return Err(err);
        }
        tokio::fs::rename(fresh, to).await.map_err(failed)
    }
}
