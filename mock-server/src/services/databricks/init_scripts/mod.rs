//! Databricks Global Init Scripts API 2.0.
//!
//! Emulated: create, update, delete, get, list, the order of the scripts. They
//! are kept and not run.
//!
//! Reference: the Global Init Scripts API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Scripts},
};
