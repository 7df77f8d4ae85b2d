//! What is true of a run, in the terms of those who ask.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{JobRun, LifeCycle, Stage, TaskResult, TaskRun, Why};
use crate::{
    executor::{AttemptId, outcomes::Outcome},
    kernel::{Kernel, World},
};

/// How much of a log is shown: its end.
pub(in super::super) const LOG_LIMIT: usize = 5 * 1024 * 1024;

/// How far a job run is. Of several tasks, output and error are those of the
/// first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunView<'a> {
    pub(crate) life_cycle: LifeCycle,
    pub(crate) result: Option<TaskResult>,
    pub(crate) message: String,
    /// When the first task began to work.
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) error: Option<&'a str>,
    pub(crate) error_trace: Option<&'a str>,
    pub(crate) exit_value: Option<&'a str>,
    /// What a rule says that the task did.
    pub(crate) decided: Option<&'a Outcome>,
    pub(crate) task_run_id: i64,
}

/// Looks at a job run, or at one task run.
pub(crate) fn run_state(world: &World, workspace: u64, run_id: i64) -> Option<RunView<'_>> {
    let (run, task) = world.databricks.get(&workspace)?.jobs.find(run_id).ok()?;
    let first = task.or_else(|| run.tasks.first())?;
    let end = first.end();
    let whole = task.map_or_else(|| of_run(run), of_task);
    Some(RunView {
        life_cycle: whole.life_cycle,
        result: whole.result,
        message: whole.message,
        started_at: match task {
            Some(it) => it.started_at,
            None => run.tasks.iter().filter_map(|it| it.started_at).min(),
        },
        ended_at: task.map_or_else(|| run.ended_at(), |it| it.end().map(|it| it.at)),
        error: end.and_then(|it| it.error.as_deref()),
        error_trace: end.and_then(|it| it.error_trace.as_deref()),
        exit_value: end.and_then(|it| it.exit_value.as_deref()),
        decided: first.decided.as_ref().map(|it| &it.outcome),
        task_run_id: first.run_id,
    })
}

/// What a task has written so far, from the start of its last 5 MiB on.
pub(crate) async fn log_of(kernel: Arc<Kernel>, workspace: u64, run_id: i64) -> String {
    let found = kernel.inspect(|world| {
        let (run, task) = world.databricks.get(&workspace)?.jobs.find(run_id).ok()?;
        let task = task.or_else(|| run.tasks.first())?;
        if let Some(decided) = &task.decided {
            return Some(Ok(decided.outcome.log.clone().unwrap_or_default()));
        }
        let world = kernel.id.clone();
        Some(Err(AttemptId { world, epoch: task.epoch?, workspace, run_id: task.run_id }))
    });
    match found {
        Some(Ok(text)) => text,
        Some(Err(attempt)) => tail(kernel.files.scratch().join(attempt.log_name())).await,
        None => String::new(),
    }
}

async fn tail(file: std::path::PathBuf) -> String {
    let bytes = tokio::fs::read(file).await.unwrap_or_default();
    let from = bytes.len().saturating_sub(LOG_LIMIT);
    String::from_utf8_lossy(&bytes[from..]).into_owned()
}

/// State of a run or a task, as both versions of the API need it.
pub(in super::super) struct Whole {
    pub(in super::super) life_cycle: LifeCycle,
    pub(in super::super) result: Option<TaskResult>,
    pub(in super::super) why: Option<Why>,
    pub(in super::super) message: String,
}

pub(in super::super) fn of_task(task: &TaskRun) -> Whole {
    let open = |life_cycle, message: &str| Whole {
        life_cycle,
        result: None,
        why: None,
        message: message.to_owned(),
    };
    match &task.stage {
        Stage::Blocked => open(LifeCycle::Blocked, ""),
        Stage::Setup => open(LifeCycle::Pending, "Waiting for cluster"),
        Stage::Running { .. } => open(LifeCycle::Running, "In run"),
        Stage::Ended(end) => Whole {
            life_cycle: match end.result {
                TaskResult::Failed => LifeCycle::InternalError,
                TaskResult::UpstreamFailed
                | TaskResult::UpstreamCanceled
                | TaskResult::Excluded => LifeCycle::Skipped,
                _ => LifeCycle::Terminated,
            },
            result: Some(end.result),
            why: Some(end.why),
            message: end.message.clone(),
        },
    }
}

/// The result of a run is that of its last tasks.
pub(in super::super) fn of_run(run: &JobRun) -> Whole {
    let open = |life_cycle, message: &str| Whole {
        life_cycle,
        result: None,
        why: None,
        message: message.to_owned(),
    };
    let ends: Vec<_> = run.tasks.iter().filter_map(TaskRun::end).collect();
    if ends.len() < run.tasks.len() {
        let begun = |it: &TaskRun| !matches!(it.stage, Stage::Blocked | Stage::Setup);
        let is_running = run.tasks.iter().any(begun);
        return if is_running {
            open(LifeCycle::Running, "In run")
        } else {
            open(LifeCycle::Pending, "Waiting for cluster")
        };
    }
    let is_last = |task: &&TaskRun| {
        let key = &run.spec(task).task_key;
        !run.submission.tasks.iter().any(|it| it.depends_on.contains(key))
    };
    let last: Vec<TaskResult> =
        run.tasks.iter().filter(is_last).filter_map(|it| Some(it.end()?.result)).collect();
    let any = |results: &[TaskResult]| last.iter().any(|it| results.contains(it));
    let (life_cycle, result) = if any(&[TaskResult::Canceled, TaskResult::UpstreamCanceled]) {
        (LifeCycle::Terminated, TaskResult::Canceled)
    } else if any(&[TaskResult::Failed, TaskResult::UpstreamFailed]) {
        (LifeCycle::InternalError, TaskResult::Failed)
    } else if any(&[TaskResult::TimedOut]) {
        (LifeCycle::Terminated, TaskResult::TimedOut)
    } else if ends.iter().any(|it| it.result.is_failure()) {
        (LifeCycle::Terminated, TaskResult::SuccessWithFailures)
    } else {
        (LifeCycle::Terminated, TaskResult::Success)
    };
    let culprit = run.tasks.iter().find(|it| it.end().is_some_and(|it| it.result == result));
    let message = match culprit.and_then(|it| Some((it, it.end()?))) {
        Some((task, end)) if result == TaskResult::Failed => {
            let (key, text) = (&run.spec(task).task_key, end.message.trim_end_matches('.'));
            let skipped = ends.iter().any(|it| it.result == TaskResult::UpstreamFailed);
            let tail =
                if skipped { " This caused all downstream tasks to get skipped." } else { "" };
            format!("Task {key} failed with message: {text}.{tail}")
        }
        Some((_, end)) => end.message.clone(),
        None => String::new(),
    };
    let why = culprit.and_then(TaskRun::end).map_or(Why::Success, |it| it.why);
    Whole { life_cycle, result: Some(result), why: Some(why), message }
}
