use async_trait::async_trait;
use azml_core::{Error, ErrorKind, PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;

use super::{
    BlobContainer, Datastore, DatastoreName, Datastores, RegisterOptions, ops, register, wire,
};
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

    async fn set_default(&self, name: &DatastoreName) -> Result<()> {
        let endpoint = self.workspace.data_plane().await?;
        endpoint.call(&ops::SetDefault { workspace: self.workspace.id(), name }).await
    }

    async fn register_blob_container(
        &self,
        name: &DatastoreName,
        container: &BlobContainer,
        options: &RegisterOptions,
    ) -> Result<Datastore> {
        register::check_name(name)?;
        container.check()?;
        let endpoint = self.workspace.data_plane().await?;
        let suffix = &self.workspace.session().cloud().storage_suffix;
        let (workspace, body) =
            (self.workspace.id(), wire::NewDatastore::new(name, container, suffix));
        let created = endpoint.call(&ops::Create { workspace, body: &body, options }).await;
        match created {
            Err(err) if options.replace && is_taken(&err) => {
                endpoint.call(&ops::Update { workspace, name, body: &body, options }).await?;
            }
            other => other?,
        }
        self.get(name).await
    }

    async fn unregister(&self, name: &DatastoreName) -> Result<()> {
        let endpoint = self.workspace.data_plane().await?;
        endpoint.call(&ops::Delete { workspace: self.workspace.id(), name }).await
    }
}

/// The service says so in words only: a 400 of one code for all mistakes.
fn is_taken(err: &Error) -> bool {
    let says_so = |it: &azml_core::ServiceFault| it.message.contains("already exists");
    err.kind() == ErrorKind::Conflict || err.service_fault().is_some_and(says_so)
}
