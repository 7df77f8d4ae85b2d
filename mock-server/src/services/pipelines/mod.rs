//! The v1 pipeline service: data types, modules, data sources, graphs, runs.
//!
//! Emulated: what `azureml-pipeline` 1.62 sends to build, submit, follow and
//! cancel a pipeline of `DatabricksStep`s. A submitted pipeline is a run in
//! run history with a child for each step; a step whose inputs are there
//! becomes a job run on the attached Databricks workspace and ends with it.
//! After a failed step nothing new starts, unless the pipeline says to go on;
//! then only what depends on the failed step is canceled.
//! A deterministic step whose module, parameters and inputs are those of a
//! finished one is not executed: it takes over the outputs of that one.
//! Published pipelines have an address of their own and can be disabled.
//! The logs of steps are artifacts of their runs.
//! Not emulated: schedules, pipeline endpoints, drafts.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{CopiedFile, Due, Event, Pipelines, SharedLog, decide_due, effect_of},
};
