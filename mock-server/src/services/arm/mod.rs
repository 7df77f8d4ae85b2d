//! Azure Resource Manager: subscriptions, resources, Azure ML and Databricks
//! workspaces, compute targets; and how clients find all that.
//!
//! Emulated: the documents that describe the cloud, subscriptions, tenants,
//! generic resources by type, workspaces (read), Databricks computes (attach,
//! read, keys, detach) with their long-running operations. Computes are also
//! shown by the data plane below `/rp`, out of the same state.
//! Not emulated: creating workspaces, computes of other types, deployments.
//!
//! Any `api-version` is taken, but there must be one. Reference: what
//! azureml-core 1.61 sends and needs.

mod computes;
mod metadata;
mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    computes::{Due, Event, RP, SERVICE as COMPUTES},
    metadata::{DISCOVERY, SERVICE as METADATA},
    routes::SERVICE,
    state::{ACCOUNT, Arm, REGION, TENANT},
};
