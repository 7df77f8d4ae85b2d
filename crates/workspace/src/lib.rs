//! Azure ML workspaces: where they are, what serves them, where their data lies.
//!
//! Start from a [`Session`](azml_core::Session) and open a [`Workspace`], by
//! its `config.json` or by name:
//!
//! ```no_run
//! use azml_core::Session;
//! use azml_workspace::{Workspace, WorkspaceRef};
//!
//! # async fn demo(session: &Session) -> azml_core::Result<()> {
//! let workspace = Workspace::from_config(session, ".").await?;
//! println!("{} in {}", workspace.name(), workspace.location());
//!
//! let named = WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1");
//! let same = Workspace::get(session, named).await?;
//! assert_eq!(same.id(), workspace.id());
//! # Ok(())
//! # }
//! ```

pub mod arm;
pub mod config;
pub mod databricks_workspaces;
pub mod datastores;
pub mod discovery;
#[cfg(test)]
mod testing;
pub mod workspaces;

pub use crate::{
    config::{ConfigError, WorkspaceConfig},
    databricks_workspaces::{
        DatabricksWorkspace, DatabricksWorkspaces, DatabricksWorkspacesClient,
    },
    datastores::{
        BlobContainer, Datastore, DatastoreName, Datastores, DatastoresClient, RegisterOptions,
    },
    discovery::Services,
    workspaces::{Workspace, WorkspaceDetails, WorkspaceIdentity, WorkspaceRef, WorkspaceSummary},
};
