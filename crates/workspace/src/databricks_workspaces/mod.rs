//! Databricks workspaces as resources of Azure, and their link to an Azure ML
//! workspace.
//!
//! The portal makes that link once and cannot change it. Here it can be read,
//! set anew and cleared:
//!
//! ```no_run
//! use azml_core::{ResourceId, Session};
//! use azml_workspace::{DatabricksWorkspaces, DatabricksWorkspacesClient, Workspace};
//!
//! # async fn demo(session: &Session, workspace: &Workspace) -> Result<(), Box<dyn std::error::Error>> {
//! let id: ResourceId = ResourceId::new(
//!     "11111111-1111-1111-1111-111111111111",
//!     "dbx-rg",
//!     "Microsoft.Databricks",
//!     "workspaces",
//!     "dbx-ws",
//! )?;
//! let databricks = DatabricksWorkspacesClient::new(session);
//! let linked = databricks.set_link(&id, workspace.id()).await?.until_done().await?;
//! assert_eq!(linked.link.as_ref(), Some(workspace.id()));
//! databricks.clear_link(&id).await?.until_done().await?;
//! # Ok(())
//! # }
//! ```

mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Poller, ResourceId, Result};
use futures_core::stream::BoxStream;

pub use self::client::DatabricksWorkspacesClient;
use crate::arm::OperationStatus;

/// A Databricks workspace as Azure Resource Manager knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabricksWorkspace {
    /// ARM id.
    pub id: ResourceId,
    /// Name.
    pub name: String,
    /// Azure region, for example `eastus`.
    pub location: String,
    /// Where its REST API answers, for example
    /// `https://adb-1234567890123456.7.azuredatabricks.net`. None before it is there.
    pub workspace_url: Option<String>,
    /// The number that Databricks gives it, as text.
    pub workspace_id: Option<String>,
    /// Pricing tier, for example `premium`.
    pub sku: Option<String>,
    /// ARM id of the resource group that Databricks fills by itself.
    pub managed_resource_group_id: Option<String>,
    /// `Succeeded` for a workspace that can be used.
    pub provisioning_state: Option<String>,
    /// The Azure ML workspace that it is linked to.
    pub link: Option<ResourceId>,
    /// Tags of the resource.
    pub tags: BTreeMap<String, String>,
}

/// The Databricks workspaces that an identity may see.
///
/// Implemented by [`DatabricksWorkspacesClient`]. Implement it yourself to fake
/// or to decorate the service; `Arc<dyn DatabricksWorkspaces>` is the type to store.
#[async_trait]
pub trait DatabricksWorkspaces: fmt::Debug + Send + Sync {
    /// Lists the Databricks workspaces of a subscription.
    fn list(&self, subscription_id: &str) -> BoxStream<'static, Result<DatabricksWorkspace>>;

    /// Lists the Databricks workspaces of a resource group.
    fn list_in_group(
        &self,
        subscription_id: &str,
        resource_group: &str,
    ) -> BoxStream<'static, Result<DatabricksWorkspace>>;

    /// Describes one Databricks workspace.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before anything
    /// is sent, for the id of something else;
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such workspace.
    async fn get(&self, id: &ResourceId) -> Result<DatabricksWorkspace>;

    /// Tells which Azure ML workspace one is linked to.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    async fn link(&self, id: &ResourceId) -> Result<Option<ResourceId>> {
        Ok(self.get(id).await?.link)
    }

    /// Starts linking a Databricks workspace to an Azure ML workspace, in place of
    /// the one it may be linked to. Nothing is changed when it is that one.
    ///
    /// The whole resource is read and written back. Whoever changes it between the
    /// two loses that change: ARM has no condition for Databricks workspaces.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), also for a `workspace` that is no Azure ML workspace;
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) when this
    /// identity may not change the Databricks workspace. The poller fails with the
    /// service's reason.
    async fn set_link(
        &self,
        id: &ResourceId,
        workspace: &ResourceId,
    ) -> Result<Poller<OperationStatus, DatabricksWorkspace>>;

    /// Starts removing the link of a Databricks workspace. Nothing is changed when
    /// it has none.
    ///
    /// # Errors
    ///
    /// As [`set_link`](Self::set_link).
    async fn clear_link(
        &self,
        id: &ResourceId,
    ) -> Result<Poller<OperationStatus, DatabricksWorkspace>>;
}

const _: fn(&dyn DatabricksWorkspaces) = |_| ();
