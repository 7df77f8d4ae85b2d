use std::collections::BTreeMap;

use super::{
    End, Event, JobRun, TaskResult, TaskRun, Why, definitions::Job, ends::decide_end,
    spec::Submission, terms::Terms,
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

pub(in super::super) fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Jobs(event))
}

/// Draws the id of a job or a run.
pub(in super::super) fn draw(ctx: &mut Ctx<'_>) -> i64 {
    i64::try_from(ctx.draw_id()).unwrap_or(i64::MAX)
}

/// Submits a run, for whoever asks: the API, or a pipeline. The same
/// idempotency token gives the same run.
pub(crate) fn decide_submit(
    world: &World,
    workspace: u64,
    submission: Submission,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    decide_run(world, workspace, submission, Terms::default(), None, ctx)
}

/// The same with all that the API can ask for, maybe for a saved job.
pub(in super::super) fn decide_run(
    world: &World,
    workspace: u64,
    submission: Submission,
    terms: Terms,
    job: Option<&Job>,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    let jobs = &workspace_of(world, workspace)?.jobs;
    if let Some(run_id) = submission.idempotency_token.as_deref().and_then(|it| jobs.by_token(it)) {
        return Ok((Vec::new(), run_id?));
    }
    submission.check()?;
    let run_id = draw(ctx);
    let job_id = job.map_or_else(|| draw(ctx), |it| it.job_id);
    let is_free = job.is_none_or(|job| {
        let active = jobs.active(Some(job_id)).take(job.max_concurrent_runs());
        active.count() < job.max_concurrent_runs()
    });
    let is_rejected = !is_free && !terms.is_queued;
    let task = |index| TaskRun::new(draw(ctx), index, 0, ctx.now);
    let count = if is_rejected { 0 } else { submission.tasks.len() };
    let keys = submission.tasks.iter().enumerate().map(|(at, it)| (it.task_key.clone(), at));
    let run = JobRun {
        run_id,
        job_id,
        is_saved: job.is_some(),
        keys: keys.collect(),
        tasks: (0..count).map(task).collect(),
        iterations: Vec::new(),
        past: Vec::new(),
        replaced: Vec::new(),
        repairs: Vec::new(),
        clusters: BTreeMap::new(),
        submission,
        terms,
        submitted_at: ctx.now,
        admitted_at: is_free.then_some(ctx.now),
        is_rejected,
    };
    Ok((vec![event(workspace, Event::Submitted(Box::new(run)))], run_id))
}

/// Cancels a job run, or the one that a task run is part of. One that has
/// ended stays as it is.
pub(crate) fn decide_cancel(
    world: &World,
    workspace: u64,
    run_id: i64,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let Ok((run, _)) = state.jobs.find(run_id) else { return Vec::new() };
    let open = run.tasks.iter().filter(|it| it.end().is_none());
    let canceled = |task: &TaskRun| {
        let end = End::new(ctx.now, TaskResult::Canceled, Why::User, "Run cancelled.");
        decide_end(world, workspace, run, task, end, false, ctx)
    };
    open.flat_map(canceled).collect()
}

/// Cancels the runs of a job, or of all jobs, or only those that wait in a queue.
pub(in super::super) fn decide_cancel_all(
    world: &World,
    workspace: u64,
    job_id: Option<i64>,
    only_queued: bool,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let jobs = &workspace_of(world, workspace)?.jobs;
    let is_meant = |it: &&JobRun| !only_queued || it.admitted_at.is_none();
    let them: Vec<i64> = jobs.active(job_id).filter(is_meant).map(|it| it.run_id).collect();
    let events = them.into_iter().flat_map(|it| decide_cancel(world, workspace, it, ctx));
    Ok((events.collect(), ()))
}

/// Forgets a job run that has ended.
pub(in super::super) fn decide_remove(world: &World, workspace: u64, run_id: i64) -> Decision<()> {
    let (run, _) = workspace_of(world, workspace)?.jobs.find(run_id)?;
    if run.ended_at().is_none() {
        let text = format!("Run {run_id} is still active. Cancel it before it is deleted.");
        return Err(Refusal::invalid(text).with_code("INVALID_STATE"));
    }
    Ok((vec![event(workspace, Event::Removed { run_id: run.run_id })], ()))
}
