//! Compute targets of an Azure ML workspace.
//!
//! A Databricks workspace is attached with an access token of its own; its
//! clusters live on when it is detached.
//!
//! ```no_run
//! use azml_compute::{AttachDatabricks, ComputeName, Computes, ComputesClient};
//! use azml_workspace::Workspace;
//! use secrecy::SecretString;
//!
//! # async fn demo(workspace: &Workspace, token: SecretString) -> azml_core::Result<()> {
//! let computes = ComputesClient::new(workspace);
//! let name = ComputeName::new("my-dbx-cluster");
//! let attach = AttachDatabricks::by_name("dbx-rg", "dbx-ws", token);
//! let target = computes.attach(&name, &attach).await?.until_done().await?;
//! println!("{} is {:?}", target.name, target.provisioning_state);
//! # Ok(())
//! # }
//! ```

pub mod computes;

pub use crate::computes::{
    AttachDatabricks, ComputeName, ComputeTarget, ComputeType, Computes, ComputesClient,
    DatabricksCredentials, ProvisioningError, ProvisioningState,
};
