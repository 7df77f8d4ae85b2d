use async_trait::async_trait;
use azml_core::{PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;

use super::{Datastore, DatastoreName, Datastores, ops};
use crate::Workspace;

/// Talks to the datastore service of one workspace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DatastoresClient {
    workspace: Workspace,
}

impl DatastoresClient {
    /// A client for the datastores of `workspace`.
    pub fn new(workspace: &Workspace) -> Self {
        Self { workspace: workspace.clone() }
    }
}

#[async_trait]
impl Datastores for DatastoresClient {
    async fn default(&self) -> Result<Datastore> {
        let endpoint = self.workspace.data_plane().await?;
        endpoint.call(&ops::Default { workspace: self.workspace.id() }).await
    }

    async fn get(&self, name: &DatastoreName) -> Result<Datastore> {
        let endpoint = self.workspace.data_plane().await?;
        endpoint.call(&ops::Get { workspace: self.workspace.id(), name }).await
    }

    fn list(&self) -> BoxStream<'static, Result<Datastore>> {
        let workspace = self.workspace.clone();
        stream_pages(move |token: Option<PageToken>| {
            let workspace = workspace.clone();
            async move {
                let endpoint = workspace.data_plane().await?;
                let token = token.as_ref().map(|it| it.0.as_str());
                endpoint.call(&ops::List { workspace: workspace.id(), token }).await
            }
        })
    }
}
