//! Databricks Token API 2.0 and Token Management API 2.0: personal access
//! tokens of whoever asks, and of all others for admins.
//!
//! Emulated: `create`, `list`, `update`, `delete`, life times, tokens on behalf
//! of service principals. A token's value is told once. Scopes are kept, and
//! limit nothing.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::{MANAGEMENT, SERVICE},
    state::{Event, Tokens},
};
