use async_trait::async_trait;
use azml_core::{Endpoint, Result};
use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::{ExportFormat, ImportOptions, WorkspaceObject, WorkspaceObjects, WorkspacePath, ops};
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
