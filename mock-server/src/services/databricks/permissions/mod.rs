//! Databricks Permissions API 2.0: who may do what with which object.
//!
//! Emulated: all kinds of objects with their levels, `PUT` that replaces, `PATCH`
//! that merges, owners, what admins inherit, principals that must exist. Who
//! may not manage an object cannot change its permissions; apart from that
//! nobody is kept from anything. Inheritance between folders is not emulated.
//!
//! Reference: the Permissions API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Permissions},
};
