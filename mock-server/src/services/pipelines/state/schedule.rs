use time::OffsetDateTime;

use super::{
    Event, Graph, PipelineRun, Pipelines, StatusCode, Step, history, logs, reuse,
    task::{self, Task},
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::{
        blob,
        databricks::jobs::{self, RunView, TaskResult},
    },
    store::{self, Batch, Point, RunError, Status, micros},
};

/// What time, or the end of a job run, brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing keeps the step from becoming a job run.
    Ready {
        run_id: String,
        node_id: String,
    },
    Started {
        run_id: String,
        node_id: String,
    },
    /// Its job run has ended.
    Ended {
        run_id: String,
        node_id: String,
    },
    /// It will never start.
    Skipped {
        run_id: String,
        node_id: String,
    },
    /// All steps have ended.
    Over {
        run_id: String,
    },
}

/// Submits a run: it and its steps begin to exist in run history.
pub(in super::super) fn decide_submit(
    world: &World,
    at: &str,
    run_id: &str,
    parent_run_id: Option<String>,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let run = world.pipelines.run_at(at, run_id)?;
    if run.submitted_at.is_some() {
        return Err(Refusal::conflict(format!("Pipeline run {run_id} was submitted before")));
    }
    if run.status.is_final() {
        let text = format!("Pipeline run {run_id} was canceled before it was submitted");
        return Err(Refusal::conflict(text));
    }
    let graph = world.pipelines.graph(&run.workspace.workspace_id, &run.graph_id)?;
    let mut run = run.clone();
    if let Some(parent) = parent_run_id {
        world.stores.at(&run.workspace.place()).run(&parent)?;
        run.parent_run_id = Some(parent);
    }
    let (events, _) = submission(world, &run, graph, ctx)?;
    Ok((events, ()))
}

/// What the submission of `run` consists of, and its steps.
pub(super) fn submission(
    world: &World,
    run: &PipelineRun,
    graph: &Graph,
    ctx: &mut Ctx<'_>,
) -> Decision<Vec<Step>> {
    graph.check()?;
    let mut steps = Vec::new();
    for node in &graph.nodes {
        let module = world.pipelines.module(&run.workspace.workspace_id, &node.module_id)?;
        steps.push(Step {
            node_id: node.id.clone(),
            name: module["Name"].as_str().unwrap_or_default().to_owned(),
            run_id: ctx.draw_uuid().to_string(),
            status: StatusCode::NotStarted,
            after: graph.before(&node.id),
            job_run: None,
            fingerprint: None,
            reused: None,
            started_at: None,
            ended_at: None,
        });
    }
    let mut events = history::begin(world, run, graph, &steps, ctx)?;
    let submitted = Event::Submitted { run_id: run.id.clone(), steps: steps.clone(), at: ctx.now };
    events.push(kernel::Event::Pipelines(submitted));
    Ok((events, steps))
}

/// Asks all steps that have not ended to end.
pub(in super::super) fn decide_cancel(
    world: &World,
    at: &str,
    run_id: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let run = world.pipelines.run_at(at, run_id)?;
    if run.status.is_final() || run.is_cancel_requested {
        return Ok((Vec::new(), ()));
    }
    let requested = Event::CancelRequested { run_id: run_id.to_owned() };
    let mut events = vec![kernel::Event::Pipelines(requested)];
    if run.submitted_at.is_none() {
        // It has no steps that could end first, and run history does not know it.
        let (run_id, status) = (run_id.to_owned(), StatusCode::Canceled);
        events.push(kernel::Event::Pipelines(Event::Ended { run_id, status, at: ctx.now }));
    }
    let open = run.steps.iter().filter(|it| !it.status.is_final());
    for (workspace, job_run) in open.filter_map(|it| it.job_run) {
        events.extend(jobs::decide_cancel(world, workspace, job_run, ctx));
    }
    Ok((events, ()))
}

impl Pipelines {
    /// The first thing that is due in any run.
    pub(crate) fn next_due(&self, world: &World) -> Option<(OffsetDateTime, Due)> {
        let runs = self.unsettled.iter().filter_map(|it| self.runs.get(it));
        runs.filter_map(|it| next_of(it, world)).min_by_key(|(at, _)| *at)
    }
}

fn next_of(run: &PipelineRun, world: &World) -> Option<(OffsetDateTime, Due)> {
    let submitted_at = run.submitted_at?;
    let steps = run.steps.iter().filter(|it| !it.status.is_final());
    let next =
        steps.filter_map(|it| next_of_step(run, it, submitted_at, world)).min_by_key(|(at, _)| *at);
    if next.is_some() || run.steps.iter().any(|it| !it.status.is_final()) {
        return next;
    }
    let at = run.steps.iter().filter_map(|it| it.ended_at).max().unwrap_or(submitted_at);
    Some((at, Due::Over { run_id: run.id.clone() }))
}

fn next_of_step(
    run: &PipelineRun,
    step: &Step,
    submitted_at: OffsetDateTime,
    world: &World,
) -> Option<(OffsetDateTime, Due)> {
    let (run_id, node_id) = (run.id.clone(), step.node_id.clone());
    if let Some((workspace, job_run)) = step.job_run {
        let Some(view) = jobs::run_state(world, workspace, job_run) else {
            // It has just gone with its workspace, so the world's time is its time.
            return Some((world.at, Due::Ended { run_id, node_id }));
        };
        if let Some(at) = view.ended_at {
            return Some((at, Due::Ended { run_id, node_id }));
        }
        let started_at = view.started_at.filter(|_| step.status == StatusCode::Queued);
        return started_at.map(|at| (at, Due::Started { run_id, node_id }));
    }
    let before: Vec<&Step> = step.after.iter().filter_map(|it| run.step(it)).collect();
    let last = |steps: &[&Step]| steps.iter().filter_map(|it| it.ended_at).max();
    let failed = run.steps.iter().filter(|it| it.status == StatusCode::Failed);
    let first_failure = failed.filter_map(|it| it.ended_at).min();
    let broken: Vec<&Step> = before
        .iter()
        .copied()
        .filter(|it| matches!(it.status, StatusCode::Failed | StatusCode::Canceled))
        .collect();
    if run.is_cancel_requested {
        // The request was recorded last, so the world's time is its time.
        return Some((world.at, Due::Skipped { run_id, node_id }));
    }
    if let Some(at) = last(&broken) {
        return Some((at, Due::Skipped { run_id, node_id }));
    }
    if let Some(at) = first_failure.filter(|_| !run.continues_on_failure) {
        return Some((at, Due::Skipped { run_id, node_id }));
    }
    let is_ready = before.iter().all(|it| it.status == StatusCode::Finished);
    is_ready.then(|| (last(&before).unwrap_or(submitted_at), Due::Ready { run_id, node_id }))
}

/// The events that `due` consists of.
pub(crate) fn decide_due(world: &World, due: &Due, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let (run_id, node_id) = match due {
        Due::Over { run_id } => (run_id, None),
        Due::Ready { run_id, node_id }
        | Due::Started { run_id, node_id }
        | Due::Ended { run_id, node_id }
        | Due::Skipped { run_id, node_id } => (run_id, Some(node_id)),
    };
    let Ok(run) = world.pipelines.run(run_id) else { return Vec::new() };
    let step = node_id.and_then(|it| run.step(it));
    match (due, step) {
        (Due::Over { .. }, _) => over(world, run, ctx),
        (Due::Ready { .. }, Some(step)) => ready(world, run, step, ctx),
        (Due::Started { .. }, Some(step)) => {
            let (run_id, node_id) = (run_id.clone(), step.node_id.clone());
            let started = Event::StepStarted { run_id, node_id, at: ctx.now };
            let mut events = vec![kernel::Event::Pipelines(started)];
            if let Some(view) = view_of(world, step) {
                events.extend(logs::begun(run, step, &view));
            }
            events.extend(history::follow(world, run, &step.run_id, Status::Running, None, ctx));
            events
        }
        (Due::Ended { .. }, Some(step)) => ended(world, run, step, ctx),
        (Due::Skipped { .. }, Some(step)) => {
            end_step(world, run, step, StatusCode::Canceled, None, ctx)
        }
        (_, None) => Vec::new(),
    }
}

fn view_of<'a>(world: &'a World, step: &Step) -> Option<RunView<'a>> {
    step.job_run.and_then(|(workspace, id)| jobs::run_state(world, workspace, id))
}

fn ready(world: &World, run: &PipelineRun, step: &Step, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let fingerprint = reuse::fingerprint(world, run, step);
    if let Some(origin) = reuse::origin(world, run, step, fingerprint.as_ref()) {
        return reuse::take_over(world, run, step, origin, ctx);
    }
    let submitted = Task::of(world, run, step, ctx).and_then(|task| {
        let workspace = task.workspace;
        let files = task.files.clone();
        let (events, job_run) = task::decide_submit(world, run, step, task, ctx)?;
        Ok((events, workspace, job_run, files))
    });
    match submitted {
        Ok((events, workspace, job_run, files)) => {
            let (run_id, node_id) = (run.id.clone(), step.node_id.clone());
            let submitted =
                Event::StepSubmitted { run_id, node_id, workspace, job_run, fingerprint, files };
            let mut all = vec![kernel::Event::Pipelines(submitted)];
            all.extend(events);
            all.extend(history::follow(world, run, &step.run_id, Status::Queued, None, ctx));
            all
        }
        Err(refusal) => {
            let code = refusal.code_or("UserError").to_owned();
            let error = RunError { code, message: refusal.message };
            end_step(world, run, step, StatusCode::Failed, Some(error), ctx)
        }
    }
}

fn ended(world: &World, run: &PipelineRun, step: &Step, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let Some(view) = view_of(world, step) else {
        let message = "The Databricks workspace of the step was deleted".to_owned();
        let error = RunError { code: "UserError".to_owned(), message };
        return end_step(world, run, step, StatusCode::Failed, Some(error), ctx);
    };
    let mut events = what_the_rule_made(world, run, step, &view, ctx);
    let (status, error) = match view.result {
        Some(TaskResult::Success | TaskResult::SuccessWithFailures) => (StatusCode::Finished, None),
        Some(TaskResult::Canceled | TaskResult::UpstreamCanceled) => (StatusCode::Canceled, None),
        _ => {
            let message = view.error.unwrap_or(&view.message).to_owned();
            (StatusCode::Failed, Some(RunError { code: "UserError".to_owned(), message }))
        }
    };
    // A task that ended before anybody looked has put out something, too.
    if step.status == StatusCode::Queued {
        events.extend(logs::begun(run, step, &view));
    }
    events.extend(logs::ended(run, step, status, &view));
    events.extend(end_step(world, run, step, status, error, ctx));
    events
}

/// Metrics, artifacts and outputs that a rule decided, as if the task had made them.
fn what_the_rule_made(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    view: &RunView<'_>,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let Some(outcome) = view.decided else { return Vec::new() };
    let place = run.workspace.place();
    let mut events = Vec::new();
    let at = micros(ctx.now);
    let batches = outcome.metrics.iter().map(|(name, values)| {
        let point = |(step, value): (usize, &f64)| Point {
            at,
            step: i64::try_from(step).ok(),
            value: *value,
        };
        Batch::scalar(name.clone(), values.as_slice().iter().enumerate().map(point).collect())
    });
    let batches: Vec<Batch> = batches.collect();
    if !batches.is_empty() {
        let logged =
            store::Event::MetricsLogged { run_id: step.run_id.clone(), batches, visible_at: None };
        events.push(kernel::Event::Store(place, logged));
    }
    let written = |(account, container): &(String, String), name: String, text: &String| {
        kernel::Event::Blob(blob::Event::Written {
            account: account.clone(),
            container: container.clone(),
            name,
            text: text.clone(),
        })
    };
    let artifacts = (run.workspace.account.clone(), blob::ARTIFACTS.to_owned());
    for (path, text) in &outcome.artifacts {
        let name = format!("ExperimentRun/dcid.{}/{path}", step.run_id);
        events.push(written(&artifacts, name, text));
    }
    for (port, files) in &outcome.outputs {
        let Ok(container) = task::container_of_output(world, run, step, port) else { continue };
        for (path, text) in files {
            let name = format!("{}/{path}", step.output_path(port));
            events.push(written(&container, name, text));
        }
    }
    events
}

fn end_step(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    status: StatusCode,
    error: Option<RunError>,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let (run_id, node_id) = (run.id.clone(), step.node_id.clone());
    let ended = Event::StepEnded { run_id, node_id, status, at: ctx.now };
    let mut events = vec![kernel::Event::Pipelines(ended)];
    events.extend(history::follow(
        world,
        run,
        &step.run_id,
        history::status_of(status),
        error,
        ctx,
    ));
    events
}

fn over(world: &World, run: &PipelineRun, ctx: &Ctx<'_>) -> Vec<kernel::Event> {
    let failed: Vec<&Step> =
        run.steps.iter().filter(|it| it.status == StatusCode::Failed).collect();
    let (status, error) = if run.is_cancel_requested {
        (StatusCode::Canceled, None)
    } else if let Some(first) = failed.first() {
        let store = world.stores.at(&run.workspace.place());
        let why = store.run(&first.run_id).ok().and_then(|it| it.error.as_ref());
        let why = why.map_or_else(String::new, |it| format!(": {}", it.message));
        let message = format!("Pipeline has failed child jobs. Step '{}' failed{why}", first.name);
        (StatusCode::Failed, Some(RunError { code: "UserError".to_owned(), message }))
    } else if run.steps.iter().any(|it| it.status == StatusCode::Canceled) {
        (StatusCode::Canceled, None)
    } else {
        (StatusCode::Finished, None)
    };
    let ended = Event::Ended { run_id: run.id.clone(), status, at: ctx.now };
    let mut events = vec![kernel::Event::Pipelines(ended)];
    events.extend(history::follow(world, run, &run.id, history::status_of(status), error, ctx));
    events
}
