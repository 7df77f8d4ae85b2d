//! Databricks Instance Pools API 2.0.
//!
//! Emulated: create, edit, delete, get, list, and clusters that take their
//! machines from a pool. The numbers of machines are what they would be once
//! everything is at rest; a full pool refuses nobody.
//!
//! Reference: the Instance Pools API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Pools},
};
