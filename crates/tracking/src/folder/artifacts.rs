use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use azml_core::{BodySource, Error, ErrorKind, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::{FolderTracking, files};
use crate::{Artifact, ArtifactPath, Artifacts, RunRef, TransferOptions};

/// Bytes that are in memory at once.
const PART: u64 = 4 * 1024 * 1024;
const UPLOAD: &str = "folder.artifacts.upload";
const LIST: &str = "folder.artifacts.list";
const READ: &str = "folder.artifacts.read";

#[async_trait]
impl Artifacts for FolderTracking {
    async fn upload(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        body: Arc<dyn BodySource>,
    ) -> Result<()> {
        self.stored_run(UPLOAD, &run.id)?;
        let target = path.below(&self.artifacts_folder(run));
        let failed = |err| files::failed(UPLOAD, &target, err);
        let folder = target.parent().unwrap_or(&target);
        fs::create_dir_all(folder).map_err(failed)?;
        // Under another name until it is whole.
        let fresh = self.run_folder(&run.id).join(format!("{}.new", Uuid::new_v4()));
        let mut file = fs::File::create(&fresh).map_err(failed)?;
        let (mut at, end) = (0, body.len());
        while at < end {
            let next = end.min(at + PART);
            let part = body.read(at..next).await.map_err(failed)?;
            file.write_all(&part).map_err(failed)?;
            at = next;
        }
        fs::rename(fresh, &target).map_err(failed)
    }

    fn list(&self, run: &RunRef) -> BoxStream<'static, Result<Artifact>> {
        match self.paths(run) {
            Ok(paths) => stream::iter(paths.into_iter().map(|path| Ok(Artifact { path }))).boxed(),
            Err(err) => stream::iter([Err(err)]).boxed(),
        }
    }

    async fn read(&self, run: &RunRef, path: &ArtifactPath) -> Result<Bytes> {
        let file = self.artifact(run, path)?;
        let bytes = fs::read(&file).map_err(|err| files::failed(READ, &file, err))?;
        Ok(bytes.into())
    }

    async fn download(&self, run: &RunRef, path: &ArtifactPath, to: &Path) -> Result<()> {
        copy(&self.artifact(run, path)?, to)
    }

    async fn download_all(
        &self,
        run: &RunRef,
        prefix: &str,
        folder: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let mut saved = Vec::new();
        for path in self.paths(run)? {
            if path.as_str().starts_with(prefix) {
                let to = path.below(folder);
                copy(&self.artifact(run, &path)?, &to)?;
                saved.push(to);
            }
        }
        Ok(saved)
    }

    async fn download_folder(
        &self,
        run: &RunRef,
        path: &ArtifactPath,
        folder: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let within = format!("{path}/");
        let mut saved = Vec::new();
        for it in self.paths(run)? {
            let to = match it.as_str().strip_prefix(&within) {
                Some(rest) => ArtifactPath::parse(rest)?.below(folder),
                None if it == *path => folder.join(it.file_name()),
                None => continue,
            };
            copy(&self.artifact(run, &it)?, &to)?;
            saved.push(to);
        }
        if saved.is_empty() {
            let reason = format!("run {} has no artifacts in \"{path}\"", run.id);
            return Err(Error::explained(READ, ErrorKind::NotFound, reason));
        }
        Ok(saved)
    }
}

impl FolderTracking {
    fn artifacts_folder(&self, run: &RunRef) -> PathBuf {
        self.run_folder(&run.id).join("artifacts")
    }

    fn artifact(&self, run: &RunRef, path: &ArtifactPath) -> Result<PathBuf> {
        self.stored_run(READ, &run.id)?;
        let file = path.below(&self.artifacts_folder(run));
        if !file.is_file() {
            let reason = format!("run {} has no artifact \"{path}\"", run.id);
            return Err(Error::explained(READ, ErrorKind::NotFound, reason));
        }
        Ok(file)
    }

    /// The paths of all artifacts, in order.
    fn paths(&self, run: &RunRef) -> Result<Vec<ArtifactPath>> {
        self.stored_run(LIST, &run.id)?;
        let root = self.artifacts_folder(run);
        let (mut found, mut left) = (Vec::new(), vec![String::new()]);
        while let Some(prefix) = left.pop() {
            for name in files::names(LIST, &root.join(&prefix))? {
                let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                if root.join(&path).is_dir() {
                    left.push(path);
                } else {
                    found.push(ArtifactPath::parse(&path)?);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let copy = || {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(from, to)
    };
    copy().map(drop).map_err(|err| files::failed(READ, to, err))
}
