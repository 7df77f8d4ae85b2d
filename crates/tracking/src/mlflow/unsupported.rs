//! What this backend cannot do yet, said in a clear error before anything is sent.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use azml_core::{BodySource, Error, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

use crate::{
    Artifact, ArtifactPath, Artifacts, ModelName, ModelQuery, ModelVersion, ModelVersionNumber,
    NewModel, RegisteredModels, RunRef, TransferOptions,
};

#[derive(Debug)]
pub(super) struct Unsupported;

fn artifacts() -> Error {
    let reason = "the MLflow backend does not move artifacts yet; use AzureMlTracking";
    Error::invalid("mlflow.artifacts", reason)
}

fn models() -> Error {
    let reason = "the MLflow backend does not register models yet; use AzureMlTracking";
    Error::invalid("mlflow.registered_models", reason)
}

#[async_trait]
impl Artifacts for Unsupported {
    async fn upload(&self, _: &RunRef, _: &ArtifactPath, _: Arc<dyn BodySource>) -> Result<()> {
        Err(artifacts())
    }

    fn list(&self, _: &RunRef) -> BoxStream<'static, Result<Artifact>> {
        stream::iter([Err(artifacts())]).boxed()
    }

    async fn read(&self, _: &RunRef, _: &ArtifactPath) -> Result<Bytes> {
        Err(artifacts())
    }

    async fn download(&self, _: &RunRef, _: &ArtifactPath, _: &Path) -> Result<()> {
        Err(artifacts())
    }

    async fn download_all(
        &self,
        _: &RunRef,
        _: &str,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        Err(artifacts())
    }

    async fn download_folder(
        &self,
        _: &RunRef,
        _: &ArtifactPath,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        Err(artifacts())
    }
}

#[async_trait]
impl RegisteredModels for Unsupported {
    async fn register(&self, _: Option<&RunRef>, _: &NewModel) -> Result<ModelVersion> {
        Err(models())
    }

    fn list(&self, _: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        stream::iter([Err(models())]).boxed()
    }

    async fn get(&self, _: &ModelName, _: Option<ModelVersionNumber>) -> Result<ModelVersion> {
        Err(models())
    }

    async fn download(
        &self,
        _: &ModelVersion,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        Err(models())
    }
}
