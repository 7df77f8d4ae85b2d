//! Azure ML run history: experiments, runs, events, children, queries.
//!
//! Emulated: experiments by name and by id, runs (one and in batches), their
//! events, details, children, the query language of `runs:query` and
//! `experiments:query`, archived experiments, run tokens. Metrics are visible at
//! once, so `metricsingest/wait` never waits.
//! Not emulated: deletion of experiments, the metrics of version 1, run
//! definitions, services of a run.
//!
//! Reference: what azureml-core 1.61 sends and needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::{SERVICE, run_token},
    state::decide_experiment_named,
    wire::instant,
};
