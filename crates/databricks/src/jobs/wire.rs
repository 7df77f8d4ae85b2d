//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use std::{collections::BTreeMap, time::Duration};

use azml_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{
    JobId, JobRun, JobRunId, JobRunOutput, JobRunState, SubmitRun, Task, TaskCode, TaskCompute,
    TaskKey, TaskRun,
};
use crate::{
    clusters::{ClusterId, wire::ClusterSpec},
    libraries::wire::WireLibrary,
    wire::{Integer, Millis},
};

#[derive(Serialize)]
pub(super) struct SubmitRequest<'a> {
    run_name: &'a str,
    tasks: Vec<WireTask<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<u64>,
    idempotency_token: &'a str,
}

#[derive(Serialize)]
struct WireTask<'a> {
    task_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notebook_task: Option<WireNotebook<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spark_python_task: Option<WirePython<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spark_jar_task: Option<WireJar<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    python_wheel_task: Option<WireWheel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    existing_cluster_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_cluster: Option<ClusterSpec<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    libraries: Vec<WireLibrary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Dependency<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retries: Option<u32>,
}

#[derive(Serialize)]
struct WireNotebook<'a> {
    notebook_path: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    base_parameters: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct WirePython<'a> {
    python_file: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    parameters: &'a [String],
}

#[derive(Serialize)]
struct WireJar<'a> {
    main_class_name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    parameters: &'a [String],
}

#[derive(Serialize)]
struct WireWheel<'a> {
    package_name: &'a str,
    entry_point: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    parameters: &'a [String],
}

#[derive(Serialize)]
struct Dependency<'a> {
    task_key: &'a str,
}

impl<'a> SubmitRequest<'a> {
    /// Checks `run` and writes it down.
    pub(super) fn new(operation: &'static str, run: &'a SubmitRun, token: &'a str) -> Result<Self> {
        let invalid = |reason: String| Err(Error::invalid(operation, reason));
        if run.tasks.is_empty() {
            return invalid("tasks: is empty; a run has at least one".to_owned());
        }
        if token.len() > 64 {
            return invalid(
                "idempotency_token: is longer than 64 characters; shorten it".to_owned(),
            );
        }
        for (index, task) in run.tasks.iter().enumerate() {
            let key = &task.task_key;
            if run.tasks[..index].iter().any(|it| it.task_key == *key) {
                return invalid(format!("task_key: two tasks are named {key}; rename one"));
            }
            let is_there = |key: &&TaskKey| run.tasks.iter().any(|it| it.task_key == **key);
            if let Some(missing) = task.depends_on.iter().find(|it| !is_there(it)) {
                return invalid(format!(
                    "depends_on: task {key} waits for {missing}, which is not in the run; add it"
                ));
            }
        }
        let tasks =
            run.tasks.iter().map(|it| WireTask::new(operation, it)).collect::<Result<_>>()?;
        Ok(Self {
            run_name: &run.run_name,
            tasks,
            timeout_seconds: run.timeout.as_ref().map(Duration::as_secs),
            idempotency_token: token,
        })
    }
}

impl<'a> WireTask<'a> {
    fn new(operation: &'static str, task: &'a Task) -> Result<Self> {
        let mut wire = Self {
            task_key: task.task_key.as_str(),
            notebook_task: None,
            spark_python_task: None,
            spark_jar_task: None,
            python_wheel_task: None,
            existing_cluster_id: None,
            new_cluster: None,
            libraries: task.libraries.iter().map(Into::into).collect(),
            depends_on: task
                .depends_on
                .iter()
                .map(|it| Dependency { task_key: it.as_str() })
                .collect(),
            timeout_seconds: task.timeout.as_ref().map(Duration::as_secs),
            max_retries: Some(task.max_retries).filter(|it| *it > 0),
        };
        match &task.compute {
            TaskCompute::Serverless => (),
            TaskCompute::New(new) => wire.new_cluster = Some(ClusterSpec::new(operation, new)?),
            TaskCompute::Existing(id) => wire.existing_cluster_id = Some(id.as_str()),
        }
        match &task.code {
            TaskCode::Notebook(it) => {
                wire.notebook_task = Some(WireNotebook {
                    notebook_path: &it.notebook_path,
                    base_parameters: &it.base_parameters,
                });
            }
            TaskCode::SparkPython(it) => {
                wire.spark_python_task =
                    Some(WirePython { python_file: &it.python_file, parameters: &it.parameters });
            }
            TaskCode::SparkJar(it) => {
                wire.spark_jar_task = Some(WireJar {
                    main_class_name: &it.main_class_name,
                    parameters: &it.parameters,
                });
            }
            TaskCode::PythonWheel(it) => {
                wire.python_wheel_task = Some(WireWheel {
                    package_name: &it.package_name,
                    entry_point: &it.entry_point,
                    parameters: &it.parameters,
                });
            }
        }
        Ok(wire)
    }
}

#[derive(Serialize)]
pub(super) struct ById {
    pub(super) run_id: i64,
}

#[derive(Deserialize)]
pub(super) struct SubmitResponse {
    pub(super) run_id: Integer,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) runs: Vec<WireRun>,
    #[serde(default)]
    pub(super) next_page_token: String,
}

#[derive(Deserialize)]
pub(super) struct WireRun {
    run_id: Integer,
    #[serde(default)]
    job_id: Option<Integer>,
    #[serde(default)]
    run_name: String,
    state: WireState,
    #[serde(default)]
    tasks: Vec<WireTaskRun>,
    #[serde(default)]
    run_page_url: String,
    #[serde(default)]
    creator_user_name: String,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
    /// Where its further tasks are. A run shows a hundred at a time.
    #[serde(default)]
    pub(super) next_page_token: String,
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
struct WireTaskRun {
    task_key: String,
    run_id: Integer,
    state: WireState,
    #[serde(default)]
    cluster_instance: Option<ClusterInstance>,
    #[serde(default)]
    existing_cluster_id: Option<String>,
    #[serde(default)]
    attempt_number: u32,
    #[serde(default)]
    depends_on: Vec<ReadDependency>,
    #[serde(default)]
    run_page_url: String,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    end_time: Millis,
}

#[derive(Deserialize)]
struct ClusterInstance {
    #[serde(default)]
    cluster_id: Option<String>,
}

#[derive(Deserialize)]
struct ReadDependency {
    task_key: String,
}

#[derive(Deserialize)]
pub(super) struct OutputResponse {
    #[serde(default)]
    notebook_output: Option<NotebookOutput>,
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

impl From<WireState> for JobRunState {
    fn from(it: WireState) -> Self {
        Self {
            life_cycle_state: it.life_cycle_state.into(),
            result_state: it.result_state.map(Into::into),
            state_message: it.state_message,
        }
    }
}

impl From<WireRun> for JobRun {
    fn from(it: WireRun) -> Self {
        Self {
            run_id: JobRunId::new(it.run_id.0),
            job_id: it.job_id.map(|it| JobId::new(it.0)),
            run_name: it.run_name,
            state: it.state.into(),
            tasks: it.tasks.into_iter().map(Into::into).collect(),
            run_page_url: it.run_page_url,
            creator_user_name: it.creator_user_name,
            started_at: it.start_time.instant(),
            ended_at: it.end_time.instant(),
        }
    }
}

impl From<WireTaskRun> for TaskRun {
    fn from(it: WireTaskRun) -> Self {
        let cluster_id = it.cluster_instance.and_then(|it| it.cluster_id);
        Self {
            task_key: TaskKey::new(it.task_key),
            run_id: JobRunId::new(it.run_id.0),
            state: it.state.into(),
            cluster_id: cluster_id.or(it.existing_cluster_id).map(ClusterId::from),
            attempt_number: it.attempt_number,
            depends_on: it.depends_on.into_iter().map(|it| TaskKey::new(it.task_key)).collect(),
            run_page_url: it.run_page_url,
            started_at: it.start_time.instant(),
            ended_at: it.end_time.instant(),
        }
    }
}

impl From<OutputResponse> for JobRunOutput {
    fn from(it: OutputResponse) -> Self {
        let (result, truncated) =
            it.notebook_output.map_or((None, false), |it| (it.result, it.truncated));
        Self {
            notebook_result: result,
            is_notebook_result_truncated: truncated,
            logs: it.logs,
            are_logs_truncated: it.logs_truncated,
            error: it.error,
            error_trace: it.error_trace,
            run: it.metadata.map(Into::into),
        }
    }
}
