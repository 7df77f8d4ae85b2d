use std::path::{Path, PathBuf};

use async_trait::async_trait;
use azml_core::{Error, Result};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

use super::FolderTracking;
use crate::{
    ModelName, ModelQuery, ModelVersion, ModelVersionNumber, NewModel, RegisteredModels, RunRef,
    TransferOptions,
};

fn unsupported() -> Error {
    let reason = "a folder has no registered models; use a server, or keep the artifact";
    Error::invalid("folder.models", reason)
}

#[async_trait]
impl RegisteredModels for FolderTracking {
    async fn register(&self, _: Option<&RunRef>, _: &NewModel) -> Result<ModelVersion> {
        Err(unsupported())
    }

    fn list(&self, _: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        stream::iter([Err(unsupported())]).boxed()
    }

    async fn get(&self, _: &ModelName, _: Option<ModelVersionNumber>) -> Result<ModelVersion> {
        Err(unsupported())
    }

    async fn download(
        &self,
        _: &ModelVersion,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        Err(unsupported())
    }
}
