//! Databricks workspaces as resources of Azure.
//!
//! One that is made here is a Databricks workspace of the world, with a host of
//! its own, as soon as the operation has ended; one that is deleted is gone
//! there, too. PUT replaces everything that the caller may set: a parameter
//! that is not in the body is cleared, `amlWorkspaceId` (the link to an Azure
//! ML workspace) included. Properties that the mock has no use for are kept and
//! shown. A local client reaches the default workspace only, so others show
//! their real host, which leads there through the proxy.
//! Not emulated: peerings, private endpoints, encryption, the managed group.
//!
//! Assumed: that a link to an Azure ML workspace that does not exist is refused.
//!
//! Reference: the published description of Microsoft.Databricks 2018-04-01.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use self::wire::databricks_json;
pub(crate) use self::{routes::SERVICE, state::DatabricksWorkspace};
