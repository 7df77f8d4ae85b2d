//! Databricks Git Credentials API 2.0.
//!
//! Emulated: create, update, delete, get, list, one default for each provider.
//! A personal access token goes in and never comes out. Credentials on behalf of
//! other principals are not emulated.
//!
//! Reference: the Git Credentials API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Credentials, Event},
};
