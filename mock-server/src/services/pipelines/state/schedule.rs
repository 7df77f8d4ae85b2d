use super::{
    Due, Event, Graph, PipelineRun, StatusCode, Step, history, logs, reuse,
    runs::Turn,
    task::{self, Task},
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::{
        blob,
        databricks::jobs::{self, RunView, TaskResult},
        datastore::Location,
    },
    store::{self, Batch, Point, RunError, Status, micros},
};

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
    let mut steps = Vec::new();
    for node in graph.nodes.iter() {
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
            job_began_at: None,
            job_ended_at: None,
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

/// The events that `due` consists of.
pub(crate) fn decide_due(world: &World, due: &Due, ctx: &mut Ctx<'_>) -> Vec<kernel::Event> {
    let Ok(run) = world.pipelines.run(&due.run_id) else { return Vec::new() };
    let Some(step) = run.steps.get(due.place) else { return over(world, run, ctx) };
    match due.turn {
        Turn::Ready => ready(world, run, step, ctx),
        Turn::Started => {
            let (run_id, node_id) = (run.id.clone(), step.node_id.clone());
            let started = Event::StepStarted { run_id, node_id, at: ctx.now };
            let mut events = vec![kernel::Event::Pipelines(started)];
            if let Some(view) = view_of(world, step) {
                events.extend(logs::begun(run, step, &view));
            }
            events.extend(history::follow(world, run, &step.run_id, Status::Running, None, ctx));
            events
        }
        Turn::Ended => ended(world, run, step, ctx),
        Turn::Skipped | Turn::Over => end_step(world, run, step, StatusCode::Canceled, None, ctx),
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
    let workspace = step.job_run.map(|(workspace, _)| workspace).unwrap_or_default();
    let written = |location: &Location, name: String, text: &String| match location {
        Location::Container { account, container } => kernel::Event::Blob(blob::Event::Written {
            account: account.clone(),
            container: container.clone(),
            name,
            text: text.clone(),
        }),
        Location::Dbfs => {
            let text = text.clone();
            kernel::Event::Pipelines(Event::OutputWritten { workspace, path: name, text })
        }
    };
    let artifacts = Location::Container {
        account: run.workspace.account.clone(),
        container: blob::ARTIFACTS.to_owned(),
    };
    for (path, text) in &outcome.artifacts {
        let name = format!("ExperimentRun/dcid.{}/{path}", step.run_id);
        events.push(written(&artifacts, name, text));
    }
    for (port, files) in &outcome.outputs {
        let Ok(location) = task::location_of_output(world, run, step, port) else { continue };
        for (path, text) in files {
            let name = format!("{}/{path}", step.output_path(port));
            events.push(written(&location, name, text));
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
