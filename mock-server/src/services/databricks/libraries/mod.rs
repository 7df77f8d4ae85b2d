//! Databricks Libraries API 2.0.
//!
//! Emulated: installing and uninstalling on a cluster, statuses, installation
//! anew after a restart. When tasks are executed for real, Python packages are
//! really installed; all others are installed in name only.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{
        Due, Event, Libraries, Library, Maven, Readiness, decide_due, decide_install,
        decide_report, decide_restart, effect_of,
    },
};
