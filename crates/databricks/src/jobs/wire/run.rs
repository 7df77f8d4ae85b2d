use azml_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::task::{WireDependency, take_code, truth};
use crate::{
    clusters::ClusterId,
    jobs::{
        Durations, ExportedView, JobId, JobRun, JobRunId, JobRunOutput, JobRunState, JobRunStatus,
        RepairHistoryItem, RepairId, RunIf, RunParameter, TaskKey, TaskRun, Termination,
    },
    wire::{Integer, Millis},
};

#[derive(Deserialize)]
pub(in super::super) struct ListRunsResponse {
    #[serde(default)]
    pub(in super::super) runs: Vec<WireRun>,
    #[serde(default)]
    pub(in super::super) next_page_token: String,
}

#[derive(Deserialize)]
pub(in super::super) struct WireRun {
    run_id: Integer,
    #[serde(default)]
    job_id: Option<Integer>,
    #[serde(default)]
    job_run_id: Option<Integer>,
    #[serde(default)]
    run_name: String,
    #[serde(default)]
    run_type: Option<String>,
    #[serde(default)]
    trigger: Option<String>,
    #[serde(default)]
    tasks: Vec<WireTaskRun>,
    #[serde(default)]
    iterations: Vec<WireTaskRun>,
    #[serde(default)]
    job_parameters: Vec<WireParameter>,
    #[serde(default)]
    repair_history: Vec<WireRepair>,
    #[serde(default)]
    attempt_number: Integer,
    #[serde(default)]
    run_page_url: String,
    #[serde(default)]
    creator_user_name: String,
    #[serde(flatten)]
    course: Course,
    #[serde(default)]
    has_more: bool,
    /// Where its further tasks are. A run shows a hundred at a time.
    #[serde(default)]
    pub(in super::super) next_page_token: String,
}

/// What runs, tasks and repairs have in common.
#[derive(Deserialize)]
struct Course {
    #[serde(default)]
    state: Option<WireState>,
    #[serde(default)]
    status: Option<WireStatus>,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
    #[serde(default)]
    queue_duration: Integer,
    #[serde(default)]
    setup_duration: Integer,
    #[serde(default)]
    execution_duration: Integer,
    #[serde(default)]
    cleanup_duration: Integer,
    #[serde(default)]
    run_duration: Integer,
}

#[derive(Deserialize)]
struct WireState {
    life_cycle_state: String,
    #[serde(default)]
    result_state: Option<String>,
    #[serde(default)]
    state_message: String,
}

#[derive(Deserialize)]
struct WireStatus {
    state: String,
    #[serde(default)]
    termination_details: Option<WireTermination>,
    #[serde(default)]
    queue_details: Option<QueueDetails>,
}

#[derive(Deserialize)]
struct WireTermination {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct QueueDetails {
    #[serde(default)]
    code: Option<String>,
}

#[derive(Deserialize)]
struct WireTaskRun {
    #[serde(default)]
    task_key: String,
    run_id: Integer,
    #[serde(default)]
    cluster_instance: Option<ClusterInstance>,
    #[serde(default)]
    existing_cluster_id: Option<String>,
    #[serde(default)]
    attempt_number: Integer,
    #[serde(default)]
    depends_on: Vec<WireDependency>,
    #[serde(default)]
    run_if: Option<RunIf>,
    #[serde(default)]
    run_page_url: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct ClusterInstance {
    #[serde(default)]
    cluster_id: Option<String>,
}

#[derive(Deserialize)]
struct WireParameter {
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    default: Option<String>,
}

#[derive(Deserialize)]
struct WireRepair {
    #[serde(default)]
    id: Option<Integer>,
    #[serde(default)]
    task_run_ids: Vec<Integer>,
    #[serde(flatten)]
    course: Course,
}

impl From<WireState> for JobRunState {
    fn from(it: WireState) -> Self {
        Self {
            life_cycle_state: it.life_cycle_state.into(),
            result_state: it.result_state.map(Into::into),
            state_message: it.state_message,
        }
    }
}

impl From<WireStatus> for JobRunStatus {
    fn from(it: WireStatus) -> Self {
        Self {
            state: it.state.into(),
            termination: it.termination_details.map(|it| Termination {
                code: it.code,
                kind: it.kind.into(),
                message: it.message,
            }),
            queue_code: it.queue_details.and_then(|it| it.code),
        }
    }
}

impl Course {
    /// Where it is, in both ways. The service sends at least one of them.
    fn states(&mut self, operation: &'static str) -> Result<(JobRunState, Option<JobRunStatus>)> {
        let status = self.status.take().map(JobRunStatus::from);
        let state = self.state.take().map(JobRunState::from);
        let state = state.or_else(|| status.as_ref().map(JobRunStatus::to_state));
        let missing = || {
            let reason = "the answer has neither a `state` nor a `status`";
            Error::explained(operation, ErrorKind::Decode, reason)
        };
        Ok((state.ok_or_else(missing)?, status))
    }

    fn durations(&self) -> Durations {
        Durations {
            queue: self.queue_duration.millis(),
            setup: self.setup_duration.millis(),
            execution: self.execution_duration.millis(),
            cleanup: self.cleanup_duration.millis(),
            run: self.run_duration.millis(),
        }
    }
}

impl WireRun {
    pub(in super::super) fn into_domain(mut self, operation: &'static str) -> Result<JobRun> {
        let (state, status) = self.course.states(operation)?;
        let tasks = |them: Vec<WireTaskRun>| {
            them.into_iter().map(|it| it.into_domain(operation)).collect::<Result<_>>()
        };
        let repairs = self.repair_history.into_iter().map(|it| it.into_domain(operation));
        Ok(JobRun {
            run_id: JobRunId::new(self.run_id.0),
            job_id: self.job_id.map(|it| JobId::new(it.0)),
            job_run_id: self.job_run_id.map(|it| JobRunId::new(it.0)),
            run_name: self.run_name,
            run_type: self.run_type.map(Into::into),
            trigger: self.trigger,
            state,
            status,
            tasks: tasks(self.tasks)?,
            iterations: tasks(self.iterations)?,
            job_parameters: self.job_parameters.into_iter().map(Into::into).collect(),
            repair_history: repairs.collect::<Result<_>>()?,
            attempt_number: self.attempt_number.count().unwrap_or_default(),
            run_page_url: self.run_page_url,
            creator_user_name: self.creator_user_name,
            started_at: self.course.start_time.instant(),
            ended_at: self.course.end_time.instant(),
            durations: self.course.durations(),
            has_more: self.has_more,
        })
    }
}

impl WireTaskRun {
    fn into_domain(mut self, operation: &'static str) -> Result<TaskRun> {
        let outcome = self.rest.get("condition_task").and_then(|it| it.get("outcome"));
        let outcome = outcome.and_then(Value::as_str).and_then(truth);
        let code = take_code(operation, &mut self.rest)?;
        let mut course = Course::deserialize(Value::Object(self.rest))
            .map_err(|err| Error::local(operation, ErrorKind::Decode, err))?;
        let (state, status) = course.states(operation)?;
        let cluster_id = self.cluster_instance.and_then(|it| it.cluster_id);
        Ok(TaskRun {
            task_key: TaskKey::new(self.task_key),
            run_id: JobRunId::new(self.run_id.0),
            code,
            state,
            status,
            cluster_id: cluster_id.or(self.existing_cluster_id).map(ClusterId::from),
            attempt_number: self.attempt_number.count().unwrap_or_default(),
            depends_on: self.depends_on.into_iter().map(Into::into).collect(),
            run_if: self.run_if,
            outcome,
            run_page_url: self.run_page_url,
            started_at: course.start_time.instant(),
            ended_at: course.end_time.instant(),
            durations: course.durations(),
        })
    }
}

impl From<WireParameter> for RunParameter {
    fn from(it: WireParameter) -> Self {
        let value = it.value.or_else(|| it.default.clone()).unwrap_or_default();
        Self { name: it.name, value, default: it.default }
    }
}

impl WireRepair {
    fn into_domain(mut self, operation: &'static str) -> Result<RepairHistoryItem> {
        Ok(RepairHistoryItem {
            id: self.id.map(|it| RepairId::new(it.0)),
            state: self.course.states(operation)?.0,
            task_run_ids: self.task_run_ids.into_iter().map(|it| JobRunId::new(it.0)).collect(),
            started_at: self.course.start_time.instant(),
            ended_at: self.course.end_time.instant(),
        })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct OutputResponse {
    #[serde(default)]
    notebook_output: Option<NotebookOutput>,
    #[serde(default)]
    run_job_output: Option<RunJobOutput>,
    #[serde(default)]
    sql_output: Option<SqlOutput>,
    #[serde(default)]
    logs: Option<String>,
    #[serde(default)]
    logs_truncated: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_trace: Option<String>,
    #[serde(default)]
    metadata: Option<WireRun>,
}

#[derive(Deserialize)]
struct NotebookOutput {
    #[serde(default)]
    result: Option<String>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct RunJobOutput {
    #[serde(default)]
    run_id: Option<Integer>,
}

/// Whichever of its kinds it is, the link is in the same place.
#[derive(Deserialize)]
struct SqlOutput {
    #[serde(default, alias = "alert_output")]
    query_output: Option<SqlQueryOutput>,
}

#[derive(Deserialize)]
struct SqlQueryOutput {
    #[serde(default)]
    output_link: Option<String>,
}

impl OutputResponse {
    pub(in super::super) fn into_domain(self, operation: &'static str) -> Result<JobRunOutput> {
        let (result, truncated) =
            self.notebook_output.map_or((None, false), |it| (it.result, it.truncated));
        let called = self.run_job_output.and_then(|it| it.run_id);
        Ok(JobRunOutput {
            notebook_result: result,
            is_notebook_result_truncated: truncated,
            logs: self.logs,
            are_logs_truncated: self.logs_truncated,
            error: self.error,
            error_trace: self.error_trace,
            called_run_id: called.map(|it| JobRunId::new(it.0)),
            sql_output_link: self.sql_output.and_then(|it| it.query_output?.output_link),
            run: self.metadata.map(|it| it.into_domain(operation)).transpose()?,
        })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct ExportResponse {
    #[serde(default)]
    pub(in super::super) views: Vec<WireView>,
}

#[derive(Deserialize)]
pub(in super::super) struct WireView {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    content: String,
}

impl From<WireView> for ExportedView {
    fn from(it: WireView) -> Self {
        Self { name: it.name, kind: it.kind, content: it.content }
    }
}
