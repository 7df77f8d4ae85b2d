//! JSON exactly as the service writes it. Nothing here leaves this module tree.

mod run;
mod settings;
mod task;

pub(super) use self::{
    run::{ExportResponse, ListRunsResponse, OutputResponse, WireRun},
    settings::{ListJobsResponse, SubmitBody, WireJob, WireSettings},
};

use serde::{Deserialize, Serialize};

use super::{RunParameters, TaskKey};
use crate::wire::Integer;

#[derive(Serialize)]
pub(super) struct ByRun {
    pub(super) run_id: i64,
}

#[derive(Serialize)]
pub(super) struct ByJob {
    pub(super) job_id: i64,
}

#[derive(Deserialize)]
pub(super) struct RunCreated {
    pub(super) run_id: Integer,
}

#[derive(Deserialize)]
pub(super) struct JobCreated {
    pub(super) job_id: Integer,
}

#[derive(Deserialize)]
pub(super) struct RepairCreated {
    pub(super) repair_id: Integer,
}

#[derive(Serialize)]
pub(super) struct ChangeBody<'a> {
    pub(super) job_id: i64,
    pub(super) new_settings: WireSettings,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) fields_to_remove: &'a [String],
}

#[derive(Serialize)]
pub(super) struct RunNowBody<'a> {
    pub(super) job_id: i64,
    pub(super) idempotency_token: &'a str,
    #[serde(skip_serializing_if = "<[TaskKey]>::is_empty")]
    pub(super) only: &'a [TaskKey],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<Queue>,
    #[serde(flatten)]
    pub(super) parameters: &'a RunParameters,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Queue {
    pub(super) enabled: bool,
}

#[derive(Serialize)]
pub(super) struct RepairBody<'a> {
    pub(super) run_id: i64,
    #[serde(skip_serializing_if = "<[TaskKey]>::is_empty")]
    pub(super) rerun_tasks: &'a [TaskKey],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) rerun_all_failed_tasks: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) rerun_dependent_tasks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latest_repair_id: Option<i64>,
    #[serde(flatten)]
    pub(super) parameters: &'a RunParameters,
}
