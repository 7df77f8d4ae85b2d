//! Azure Resource Manager: subscriptions, resources, Azure ML and Databricks
//! workspaces, compute targets; and how clients find all that.
//!
//! Emulated: the documents that describe the cloud, subscriptions, tenants,
//! resource groups, generic resources by filter, Azure ML and Databricks
//! workspaces, Databricks computes (attach, read, keys, detach); changes that
//! go on after the answer, with the headers that tell where to ask. Computes
//! are also shown by the data plane below `/rp`, out of the same state.
//! Not emulated: computes of other types, deployments, deleting groups.
//!
//! Any `api-version` is taken, but there must be one. Reference: what
//! azureml-core 1.61 sends and needs.

mod computes;
mod databricks_workspaces;
mod metadata;
mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;
mod workspaces;

pub(crate) use self::{
    computes::{RP, SERVICE as COMPUTES},
    databricks_workspaces::SERVICE as DATABRICKS_WORKSPACES,
    metadata::{DISCOVERY, SERVICE as METADATA},
    routes::SERVICE,
    state::{ACCOUNT, Arm, Due, Event, REGION, TENANT},
    workspaces::SERVICE as WORKSPACES,
};
