//! Databricks Jobs API 2.0, 2.1 and 2.2.
//!
//! Emulated: one-time runs of one or many tasks (notebook, Python file, wheel,
//! JAR) with dependencies, conditions, libraries, time limits, retries, on
//! clusters that exist or are made for the task; output, cancellation; saved
//! jobs as far as running them goes. Not emulated: schedules, triggers, repair,
//! other kinds of tasks. Tasks that name a job cluster get one each.
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
    state::ends::{decide_cluster_lost, decide_report, decide_restart, decide_workspace_lost},
    state::rules::{decide_cancel, decide_due, decide_submit},
    state::spec::{ClusterChoice, CodeSpec, Submission, TaskSpec},
    state::view::{RunView, log_of, log_path, run_state},
    state::work::effect_of,
    state::{Due, Event, Jobs, TaskResult},
};
