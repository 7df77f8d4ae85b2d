//! Databricks Clusters API 2.0 and 2.1.
//!
//! Emulated: the life cycle with its states and waits, editing, resizing,
//! pinning, automatic termination, events, the catalogues of machines and
//! runtimes. Terminated clusters are kept for ever. Policies, pools, zones and
//! permissions are not emulated. `edit` restarts a running cluster at once.

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
    state::{ClusterSpec, Clusters, Due, Event, Size, Source, State, Termination},
};
