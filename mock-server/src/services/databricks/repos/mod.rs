//! Databricks Repos API 2.0: Git folders.
//!
//! Emulated: create, update of branch and tag, delete, get, list. A Git folder
//! is an empty folder in the workspace: nothing is fetched from anywhere, and
//! the commit that it is at is made up.
//!
//! Reference: the Repos API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Repos},
};
