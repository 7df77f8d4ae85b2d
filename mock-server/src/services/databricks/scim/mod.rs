//! Databricks SCIM 2.0: users, service principals, groups, and who is calling.
//!
//! Emulated: `Me`, all operations on the three kinds, filters, sorting, paging,
//! the choice of attributes, SCIM's own form of errors. The groups `admins` and
//! `users` exist from the beginning; everybody is in `users`. Only admins
//! change anything. Accounts are not emulated.
//!
//! Reference: the SCIM API 2.0 of Azure Databricks, RFC 7644.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{ADMIN, Event, Kind, Principals, SERVICE_PRINCIPAL, rules::decide_join},
};
