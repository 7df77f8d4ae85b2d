//! Databricks SCIM 2.0: who is calling.
//!
//! Emulated: `Me`. Users, groups and service principals cannot be changed.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{ADMIN, Principals, SERVICE_PRINCIPAL},
};
