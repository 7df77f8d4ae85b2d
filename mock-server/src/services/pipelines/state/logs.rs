//! The logs of steps among the artifacts of their runs.
//!
//! The output of a task that is executed here is one file with two names: the
//! one that the executor writes to, and the artifact. So it grows for whoever
//! looks, and is never copied. What a rule decided is written whole.

use serde::{Deserialize, Serialize};

use super::{PipelineRun, StatusCode, Step};
use crate::{
    kernel,
    services::{
        blob::{self, ARTIFACTS},
        databricks::jobs::RunView,
        history::instant,
    },
};

/// The name that the official SDK streams while a step runs.
const DRIVER: &str = "azureml-logs/70_driver_log.txt";
const OUTPUT: &str = "logs/azureml/stdoutlogs.txt";
const ERRORS: &str = "logs/azureml/stderrlogs.txt";
const EXECUTION: &str = "logs/azureml/executionlogs.txt";

/// The output of a task that is to be seen as artifacts, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SharedLog {
    pub(crate) workspace: u64,
    pub(crate) job_run: i64,
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) blobs: Vec<String>,
    /// Whether the task writes still.
    pub(crate) is_growing: bool,
}

fn blob_of(step: &Step, name: &str) -> String {
    format!("ExperimentRun/dcid.{}/{name}", step.run_id)
}

/// Where the output of a step has to appear.
pub(super) fn shared(run: &PipelineRun, step: &Step, is_growing: bool) -> Option<SharedLog> {
    let (workspace, job_run) = step.job_run?;
    Some(SharedLog {
        workspace,
        job_run,
        account: run.workspace.account.clone(),
        container: ARTIFACTS.to_owned(),
        blobs: [DRIVER, OUTPUT].map(|it| blob_of(step, it)).into(),
        is_growing,
    })
}

fn written(run: &PipelineRun, step: &Step, name: &str, text: String) -> kernel::Event {
    kernel::Event::Blob(blob::Event::Written {
        account: run.workspace.account.clone(),
        container: ARTIFACTS.to_owned(),
        name: blob_of(step, name),
        text,
    })
}

/// What a rule says that the task has put out, when it begins.
pub(super) fn begun(run: &PipelineRun, step: &Step, view: &RunView<'_>) -> Vec<kernel::Event> {
    let Some(outcome) = view.decided else { return Vec::new() };
    let text = outcome.log.clone().unwrap_or_default();
    [DRIVER, OUTPUT].map(|it| written(run, step, it, text.clone())).into()
}

/// What there is to say when a task has ended.
pub(super) fn ended(
    run: &PipelineRun,
    step: &Step,
    status: StatusCode,
    view: &RunView<'_>,
) -> Vec<kernel::Event> {
    let errors = view.error_trace.or(view.error).unwrap_or_default().to_owned();
    let execution = job_log(&step.name, status, step.job_run, Some(view));
    vec![written(run, step, ERRORS, errors), written(run, step, EXECUTION, execution)]
}

/// What the service itself logs of a step.
pub(in super::super) fn job_log(
    name: &str,
    status: StatusCode,
    job_run: Option<(u64, i64)>,
    view: Option<&RunView<'_>>,
) -> String {
    let mut lines = vec![format!("Step '{name}' is {}", status.as_str())];
    if let (Some((workspace, job_run)), Some(view)) = (job_run, view) {
        lines
            .push(format!("Databricks workspace {workspace}, job run {job_run}: {}", view.message));
        let times = [("started", view.started_at), ("ended", view.ended_at)];
        lines.extend(
            times.into_iter().filter_map(|(word, at)| Some(format!("{word} at {}", instant(at?)))),
        );
    }
    lines.join("\n") + "\n"
}
