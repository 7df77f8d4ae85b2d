//! Databricks Secrets API 2.0: scopes, secrets and who may do what with them.
//!
//! Emulated: scopes of Databricks itself, secrets (text and bytes), access
//! control lists and their enforcement, the limits of the service. A scope of
//! Azure Key Vault can be made and listed; its secrets are in the vault, which
//! is not emulated.
//!
//! Reference: the Secrets API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Secrets},
};
