//! The OAuth endpoints of a workspace, and the OAuth secrets of its service
//! principals.
//!
//! Emulated: discovery, the key set, client credentials, the exchange of
//! federated tokens and of personal access tokens, secrets that are made and
//! deleted, a metadata service for local tools. A federated token counts when
//! Entra made it, or when it is the one of the default world. The consent page
//! of a browser and scopes are not emulated: every token is for all APIs. Data
//! plane tokens (`jwt-bearer`) are refused.
//!
//! Reference: OAuth for Azure Databricks, RFC 6749, RFC 8414, RFC 8693.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::{SECRETS, SERVICE},
    state::{Event, Oidc},
};
