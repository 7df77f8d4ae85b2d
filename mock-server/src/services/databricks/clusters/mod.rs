//! Databricks Clusters API 2.0 and 2.1.
//!
//! Emulated: the life cycle with its states and waits, editing and updating,
//! resizing, pinning, owners, automatic termination, events, lists with filters,
//! the catalogues of machines, zones and runtimes, policies and pools, and that
//! terminated clusters are forgotten after 30 days. `edit` restarts a running
//! cluster at once. `clone_from` is taken and has no effect.

mod routes;
mod state;
#[cfg(test)]
pub(super) mod tests;
mod wire;

pub(crate) use self::wire::{NewCluster, describe_spec};
pub(crate) use self::{
    routes::SERVICE,
    state::rules::{
        decide_create, decide_due, decide_start, decide_terminate, decide_workspace_lost, effect_of,
    },
    state::{ClusterSpec, Clusters, Due, Event, Source, State, Termination},
};
