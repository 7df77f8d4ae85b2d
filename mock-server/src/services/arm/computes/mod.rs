//! Compute targets: attached Databricks workspaces.
//!
//! The resource manager changes them, the data plane (`/rp`) shows them; both
//! look at the same state. Attaching and detaching go on after the answer; that
//! a token is good for nothing comes to light at the end of attaching.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use self::state::{Compute, Computes};
pub(crate) use self::{
    routes::{RP, SERVICE},
    state::{Due, Event},
};
