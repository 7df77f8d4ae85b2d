//! Databricks Cluster Policies API 2.0 and Policy Families API 2.0.
//!
//! Emulated: create, edit, delete, get, list, the families, and what policies do
//! to clusters that are created, edited or updated through the API: fixed and
//! default values, limits, lists, patterns, clusters per user. Policies of
//! clusters of jobs, libraries of policies and enforcement on clusters that
//! exist are not emulated.
//!
//! Reference: the Cluster Policies API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Policies, apply, check_number},
};
