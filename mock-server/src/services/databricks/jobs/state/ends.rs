//! The many ways in which a task ends.

use std::{collections::BTreeMap, time::Duration};

use time::OffsetDateTime;

use super::{
    End, Event, JobRun, Stage, TaskResult, TaskRun, Why,
    rules::{decide_cancel, draw, event},
};
use crate::{
    executor::{AttemptId, Ending, Report},
    kernel::{self, Ctx, World, clock::later},
    services::databricks::clusters::{self, Termination},
};

impl End {
    pub(in super::super) fn new(
        at: OffsetDateTime,
        result: TaskResult,
        why: Why,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        let (error, error_trace, exit_value) = (None, None, None);
        Self {
            at,
            result,
            why,
            message,
            error,
            error_trace,
            exit_value,
            task_values: BTreeMap::new(),
            outcome: None,
        }
    }
}

pub(in super::super) fn failed(at: OffsetDateTime, why: Why, message: String) -> End {
    let error = Some(message.clone());
    End { error, ..End::new(at, TaskResult::Failed, why, message) }
}

pub(in super::super) fn skipped(at: OffsetDateTime, result: TaskResult) -> End {
    let message = match result {
        TaskResult::UpstreamFailed => "An upstream task failed.",
        TaskResult::UpstreamCanceled => "An upstream task was canceled.",
        TaskResult::Disabled => "The task is disabled.",
        _ => "The condition of the task was not met.",
    };
    End::new(at, result, Why::Skipped, message)
}

/// Ends a task, gives back what it had, and tries again where it may.
/// `is_over`: its process has ended by itself.
pub(in super::super) fn decide_end(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    end: End,
    is_over: bool,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let spec = run.spec(task);
    // A run that is out of time tries nothing again.
    let since = run.repairs.last().map(|it| it.at).or(run.admitted_at).unwrap_or(ctx.now);
    let is_run_over = run.submission.timeout.is_some_and(|it| later(since, it) <= ctx.now);
    let is_retried = !is_run_over
        && match end.result {
            TaskResult::Failed => true,
            TaskResult::TimedOut => spec.retry_on_timeout,
            _ => false,
        }
        && spec.max_retries.is_none_or(|it| task.attempt - task.first_attempt < it);
    let kills = task.executing().filter(|_| !is_over);
    let run_id = task.run_id;
    let mut events = within(world, workspace, run, task, &end, ctx);
    events.push(event(workspace, Event::Ended { run_id, end: Box::new(end), kills }));
    if let Some(id) = task.cluster_id.as_deref().filter(|_| task.owns_cluster) {
        let reason = Termination::JobFinished;
        let terminated = clusters::decide_terminate(world, workspace, id, reason, ctx);
        events.extend(terminated.map(|(events, ())| events).unwrap_or_default());
    }
    if is_retried {
        let tried = task.attempt - task.first_attempt;
        let pause = spec.min_retry_interval.max(pause_before(tried));
        let not_before = later(ctx.now, pause);
        events.push(event(workspace, Event::Retried { run_id, new_run_id: draw(ctx), not_before }));
    }
    events
}

/// Ends what a task was waiting for: the iterations of a loop, a run of a job.
fn within(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    end: &End,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let mut events = Vec::new();
    if end.result == TaskResult::Success {
        return events;
    }
    if let Some(child) = task.child {
        events.extend(decide_cancel(world, workspace, child, ctx));
    }
    let is_open = |it: &&TaskRun| it.end().is_none();
    for iteration in run.iterations_of(task.run_id).filter(is_open) {
        let end = End::new(ctx.now, TaskResult::Canceled, end.why, end.message.clone());
        events.extend(decide_end(world, workspace, run, iteration, end, false, ctx));
    }
    events
}

/// How long a task waits at least before it is tried again: longer each time,
/// and never not at all, since a task that fails at once would be tried for
/// ever at one and the same moment.
fn pause_before(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.min(10))
}

/// Fails what runs on a cluster that goes away, and what waits for it.
pub(crate) fn decide_cluster_lost(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let on_it = |it: &TaskRun| it.cluster_id.as_deref() == Some(cluster_id);
    let lost = |(run, task): (&JobRun, &TaskRun)| {
        let text = format!("Run failed because cluster {cluster_id} was terminated");
        let end = failed(ctx.now, Why::Cluster, text);
        decide_lost(world, workspace, run, task, end, ctx)
    };
    state.jobs.open_tasks().filter(|(_, it)| on_it(it)).flat_map(lost).collect()
}

/// Ends what runs in a workspace that goes away, and tries nothing again.
pub(crate) fn decide_workspace_lost(
    world: &World,
    workspace: u64,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let lost = |(_, task): (&JobRun, &TaskRun)| {
        let end = failed(ctx.now, Why::Internal, "the workspace was deleted".to_owned());
        let (run_id, kills) = (task.run_id, task.executing());
        event(workspace, Event::Ended { run_id, end: Box::new(end), kills })
    };
    state.jobs.open_tasks().map(lost).collect()
}

/// As [`decide_end`], but whoever asks takes care of the cluster.
fn decide_lost(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    end: End,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let without_cluster = TaskRun { owns_cluster: false, ..task.clone() };
    decide_end(world, workspace, run, &without_cluster, end, false, ctx)
}

/// Takes in that this machine has room for a task, unless that no longer matters.
pub(crate) fn decide_began(
    world: &World,
    attempt: &AttemptId,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let state = world.databricks.get(&attempt.workspace);
    let task = state.and_then(|it| it.jobs.find(attempt.run_id).ok()?.1);
    let is_awaited = world.epoch == attempt.epoch
        && task
            .is_some_and(|it| it.stage == Stage::Queued && it.executing() == Some(attempt.epoch));
    let began = Event::Began { run_id: attempt.run_id, at: ctx.now };
    is_awaited.then(|| event(attempt.workspace, began)).into_iter().collect()
}

/// Takes in how a task ended on this machine, unless that no longer matters.
pub(crate) fn decide_report(
    world: &World,
    attempt: &AttemptId,
    report: Report,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&attempt.workspace) else { return Vec::new() };
    let Ok((run, Some(task))) = state.jobs.find(attempt.run_id) else { return Vec::new() };
    if world.epoch != attempt.epoch || task.executing() != Some(attempt.epoch) {
        return Vec::new();
    }
    let text = "Workload failed, see run output for details";
    let mut end = match report.ending {
        Ending::Succeeded => End::new(ctx.now, TaskResult::Success, Why::Success, ""),
        Ending::Failed => failed(ctx.now, Why::Workload, text.to_owned()),
        Ending::TimedOut => {
            End::new(ctx.now, TaskResult::TimedOut, Why::TimeLimit, "Run timed out")
        }
    };
    end.error = report.error;
    end.error_trace = report.error_trace;
    end.exit_value = report.exit_value;
    end.task_values = report.task_values;
    decide_end(world, attempt.workspace, run, task, end, true, ctx)
}

/// What this machine was executing when the mock ended has failed.
pub(crate) fn decide_restart(
    world: &World,
    workspace: u64,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let executing = state.jobs.open_tasks().filter(|(_, it)| it.executing().is_some());
    let lost = |(run, task): (&JobRun, &TaskRun)| {
        let end = failed(ctx.now, Why::Internal, "the mock was restarted".to_owned());
        decide_end(world, workspace, run, task, end, true, ctx)
    };
    executing.flat_map(lost).collect()
}
