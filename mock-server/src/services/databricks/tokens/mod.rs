//! Databricks Token API 2.0: personal access tokens of whoever asks.
//!
//! Emulated: `create`, `list`, `delete`, life times. A token's value is told
//! once. Scopes and the administration of other people's tokens are not emulated.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Tokens},
};
