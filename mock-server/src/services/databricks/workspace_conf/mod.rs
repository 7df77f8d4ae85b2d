//! Databricks Workspace Conf API 2.0: switches of the workspace.
//!
//! Emulated: any key can be set and read; those that nobody set have the
//! defaults of a new workspace, or no value. Values are texts. No switch has an
//! effect.
//!
//! Reference: the Workspace Conf API 2.0 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Conf, Event},
};
