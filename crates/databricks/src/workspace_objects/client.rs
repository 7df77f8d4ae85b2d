use async_trait::async_trait;
use azml_core::{Endpoint, ErrorKind, Result};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};

use super::{
    ExportFormat, ImportOptions, ObjectKind, WorkspaceObject, WorkspaceObjects, WorkspacePath, ops,
};
use crate::wire::stream_list;

/// Talks to the Workspace API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceObjectsClient {
    endpoint: Endpoint,
}

impl WorkspaceObjectsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Lists what is in a folder and in the folders in it, each folder before what is
    /// in it. Folders are read one at a time, when they are reached.
    ///
    /// The stream ends after the first error.
    pub fn walk(&self, path: &WorkspacePath) -> BoxStream<'static, Result<WorkspaceObject>> {
        let endpoint = self.endpoint.clone();
        stream::try_unfold(vec![path.clone()], move |mut folders| {
            let endpoint = endpoint.clone();
            async move {
                let Some(folder) = folders.pop() else { return Ok(None) };
                let found = endpoint.call(&ops::List(&folder)).await?;
                let inner = found.iter().filter(|it| it.kind == ObjectKind::Directory);
                folders.extend(inner.map(|it| it.path.clone()).rev());
                Ok(Some((stream::iter(found).map(Ok), folders)))
            }
        })
        .try_flatten()
        .boxed()
    }

    /// Whether there is an object.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot tell.
    pub async fn exists(&self, path: &WorkspacePath) -> Result<bool> {
        match self.get_status(path).await {
            Ok(_) => Ok(true),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
            Err(err) => Err(err),
        }
    }
}

#[async_trait]
impl WorkspaceObjects for WorkspaceObjectsClient {
    async fn import(
        &self,
        path: &WorkspacePath,
        content: Bytes,
        options: &ImportOptions,
    ) -> Result<()> {
        self.endpoint.call(&ops::Import { path, content, options }).await
    }

    async fn export(&self, path: &WorkspacePath, format: &ExportFormat) -> Result<Bytes> {
        self.endpoint.call(&ops::Export { path, format }).await
    }

    async fn get_status(&self, path: &WorkspacePath) -> Result<WorkspaceObject> {
        self.endpoint.call(&ops::GetStatus(path)).await
    }

    fn list(&self, path: &WorkspacePath) -> BoxStream<'static, Result<WorkspaceObject>> {
        let (endpoint, path) = (self.endpoint.clone(), path.clone());
        stream_list(async move { endpoint.call(&ops::List(&path)).await })
    }

    async fn mkdirs(&self, path: &WorkspacePath) -> Result<()> {
        self.endpoint.call(&ops::Mkdirs(path)).await
    }

    async fn delete(&self, path: &WorkspacePath, recursive: bool) -> Result<()> {
        self.endpoint.call(&ops::Delete { path, recursive }).await
    }
}
