//! What is true of a run, in the terms of those who ask.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::body::{Body, Bytes};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{JobRun, LifeCycle, QueuedFor, Stage, TaskResult, TaskRun, Why};
use crate::{
    executor::{AttemptId, outcomes::Outcome},
    kernel::{Kernel, World},
};

const WAITING_FOR_ROOM: &str = "Waiting for room on the machine that runs the tasks";

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

/// What a task has written so far. To await it gives the last 5 MiB as text.
pub(crate) fn log_of(kernel: Arc<Kernel>, workspace: u64, run_id: i64) -> TaskLog {
    let found = kernel.inspect(|world| {
        let (run, task) = world.databricks.get(&workspace)?.jobs.find(run_id).ok()?;
        let task = task.or_else(|| run.tasks.first())?;
        if let Some(decided) = &task.decided {
            return Some(Ok(decided.outcome.log.clone().unwrap_or_default()));
        }
        let (world, epoch) = (kernel.id.clone(), task.epoch?);
        Some(Err(AttemptId { world, epoch, workspace, run_id: task.run_id }))
    });
    match found {
        Some(Err(attempt)) => TaskLog::Written(kernel, attempt),
        Some(Ok(text)) => TaskLog::Decided(text),
        None => TaskLog::Decided(String::new()),
    }
}

/// Where the output of a task is.
pub(crate) enum TaskLog {
    /// A rule says what it is.
    Decided(String),
    /// In a file that grows while the task runs.
    Written(Arc<Kernel>, AttemptId),
}

/// The file that a task writes its output to, unless a rule says what it is.
pub(crate) fn log_path(kernel: &Arc<Kernel>, workspace: u64, run_id: i64) -> Option<PathBuf> {
    match log_of(kernel.clone(), workspace, run_id) {
        TaskLog::Written(kernel, attempt) => Some(log_file(&kernel, &attempt)),
        TaskLog::Decided(_) => None,
    }
}

fn log_file(kernel: &Kernel, attempt: &AttemptId) -> PathBuf {
    kernel.files.scratch().join(attempt.log_name())
}

impl TaskLog {
    /// All of it, for readers that go on from the byte up to which they have read.
    pub(crate) fn whole(self) -> Body {
        match self {
            Self::Decided(text) => text.into(),
            // A task that has just begun has no file yet.
            Self::Written(kernel, attempt) => {
                File::open(log_file(&kernel, &attempt)).map_or_else(|_| Body::empty(), whole)
            }
        }
    }
}

impl IntoFuture for TaskLog {
    type Output = String;
    type IntoFuture = BoxFuture<'static, String>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let file = match self {
                Self::Decided(text) => return text,
                Self::Written(kernel, attempt) => log_file(&kernel, &attempt),
            };
            let read = tokio::task::spawn_blocking(move || tail(&file)).await;
            // A task that has just begun has no file yet.
            let bytes = read.ok().and_then(Result::ok).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
}

fn tail(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LOG_LIMIT as u64)))?;
    let mut bytes = Vec::new();
    file.take(LOG_LIMIT as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of `file` up to its present end, piece by piece.
fn whole(file: File) -> Body {
    const PIECE: u64 = 1 << 18;
    let Ok(len) = file.metadata().map(|it| it.len()) else { return Body::empty() };
    let pieces = futures_util::stream::try_unfold((file, len), |(mut file, left)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::new();
            (&mut file).take(left.min(PIECE)).read_to_end(&mut piece)?;
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        let left = left - piece.len() as u64;
        Ok::<_, io::Error>((!piece.is_empty()).then(|| (Bytes::from(piece), (file, left))))
    });
    Body::from_stream(pieces)
}

/// State of a run or a task, as both versions of the API need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Whole {
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
        Stage::Blocked if task.first_attempt < task.attempt => {
            open(LifeCycle::WaitingForRetry, "Waiting to be tried again")
        }
        Stage::Blocked => open(LifeCycle::Blocked, ""),
        Stage::Setup => open(LifeCycle::Pending, "Waiting for cluster"),
        Stage::Queued => open(LifeCycle::Queued(QueuedFor::Room), WAITING_FOR_ROOM),
        Stage::Running { .. } => open(LifeCycle::Running, "In run"),
        Stage::Ended(end) => Whole {
            life_cycle: match end.result {
                TaskResult::Failed => LifeCycle::InternalError,
                TaskResult::UpstreamFailed
                | TaskResult::UpstreamCanceled
                | TaskResult::Disabled
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
    if run.is_rejected {
        return Whole {
            life_cycle: LifeCycle::Skipped,
            result: Some(TaskResult::MaximumConcurrentRunsReached),
            why: Some(Why::TooManyRuns),
            message: "Run skipped, because the job has as many runs as it may have.".to_owned(),
        };
    }
    let ends: Vec<_> = run.tasks.iter().filter_map(TaskRun::end).collect();
    if ends.len() < run.tasks.len() {
        if run.admitted_at.is_none() {
            let text = "Waiting for another run of the job to end";
            return open(LifeCycle::Queued(QueuedFor::Turn), text);
        }
        let begun = |it: &TaskRun| matches!(it.stage, Stage::Running { .. } | Stage::Ended(_));
        return if run.tasks.iter().any(begun) {
            open(LifeCycle::Running, "In run")
        } else if run.tasks.iter().any(|it| it.stage == Stage::Queued) {
            open(LifeCycle::Queued(QueuedFor::Room), WAITING_FOR_ROOM)
        } else {
            open(LifeCycle::Pending, "Waiting for cluster")
        };
    }
    let inner: BTreeSet<&str> = run
        .submission
        .tasks
        .iter()
        .flat_map(|it| it.depends_on.iter().map(|it| it.task_key.as_str()))
        .collect();
    let is_last = |task: &&TaskRun| !inner.contains(run.spec(task).task_key.as_str());
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
