//! Databricks Command Execution API 1.2: contexts on a cluster that keep their
//! variables from one command to the next.
//!
//! Emulated: contexts (create, status, destroy) and commands (execute, status,
//! cancel), with results as text, tables, images and errors. When tasks are
//! executed for real, a context is a Python process of its own, which runs
//! Python and SQL. Otherwise each command ends at once and says that nothing
//! has run. The text of a command is in no log.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::state::rules::decide_restart;
#[cfg(feature = "local")]
pub(crate) use self::state::rules::{decide_began, decide_ended, decide_lost, decide_ready};
pub(crate) use self::{
    routes::SERVICE,
    state::{Commands, Event},
};
