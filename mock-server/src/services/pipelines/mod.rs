//! The v1 pipeline service: data types, modules, data sources, graphs, runs.
//!
//! Emulated: what `azureml-pipeline` 1.62 sends to build, submit, follow and
//! cancel a pipeline of `DatabricksStep`s. A submitted pipeline is a run in
//! run history with a child for each step; a step whose inputs are there
//! becomes a job run on the attached Databricks workspace and ends with it.
//! After a failed step nothing new starts, unless the pipeline says to go on;
//! then only what depends on the failed step is canceled.
//! Not emulated yet: reuse of outputs, published pipelines, schedules.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{CopiedFile, Due, Event, Pipelines, SharedLog, decide_due, effect_of},
};
