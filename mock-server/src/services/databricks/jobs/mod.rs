//! Databricks Jobs API 2.0, 2.1 and 2.2.
//!
//! Emulated: saved jobs, and their runs and one-time runs of up to 1000 tasks,
//! with dependencies, conditions, loops, runs of other jobs, libraries, time
//! limits, retries, repairs, queues, parameters and references to values, on
//! clusters that exist, are made for a task, or are shared by the tasks of a
//! run; output, export, cancellation.
//!
//! Not emulated: schedules and triggers are kept and checked, but start nothing;
//! no notification is sent; the hourly limits of creation; tasks for pipelines,
//! dbt, dashboards, alerts, queries and other products can be saved, and a run
//! of them is refused with 501. SQL files and `spark-submit` only succeed where
//! nothing is executed.
//!
//! Who decides how a task ends: an outcome rule, which is asked before any
//! cluster, library or path is looked up; else the executor, if it executes;
//! else it succeeds after a minute.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::ends::{
        decide_began, decide_cluster_lost, decide_report, decide_restart, decide_workspace_lost,
    },
    state::launch::decide_due,
    state::rules::{decide_cancel, decide_submit},
    state::spec::{ClusterChoice, CodeSpec, Submission, TaskSpec},
    state::view::{RunView, log_of, log_path, run_state},
    state::work::effect_of,
    state::{Due, Event, Jobs, TaskResult},
};
