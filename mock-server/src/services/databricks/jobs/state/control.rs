//! Tasks that the service itself carries out: conditions, loops, runs of jobs.

use serde_json::Value;

use super::{
    End, Event, JobRun, Launch, TaskResult, TaskRun, Why,
    definitions::{order_of, saved},
    ends::{decide_end, failed},
    launch::fail,
    references,
    rules::{decide_run, draw, event},
    spec::{CodeSpec, Operator, TaskSpec},
    terms::Overrides,
    view::of_run,
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::workspace_of,
};

/// How many inputs a loop may have.
const ITERATIONS: usize = 5000;

/// How deep runs of jobs may lie in runs of jobs.
const DEPTH: usize = 3;

/// Begins a task whose references are resolved.
pub(super) fn begin(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    spec: &TaskSpec,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let run_id = task.run_id;
    let launch = Launch {
        run_id,
        at: ctx.now,
        ends_at: None,
        decided: None,
        executed: None,
        resolved: Some(Box::new(spec.clone())),
    };
    let mut events = vec![event(workspace, Event::Launched(Box::new(launch)))];
    let begun = match &spec.code {
        CodeSpec::Condition { operator, left, right } => {
            compare(*operator, left, right).map(|it| {
                let mut end = End::new(ctx.now, TaskResult::Success, Why::Success, "");
                end.outcome = Some(it);
                decide_end(world, workspace, run, task, end, true, ctx)
            })
        }
        CodeSpec::ForEach { inputs, task: inner, .. } => expand(inputs, inner).map(|them| {
            let iterations = them.into_iter().map(|it| (draw(ctx), it)).collect();
            vec![event(workspace, Event::Expanded { run_id, at: ctx.now, iterations })]
        }),
        CodeSpec::RunJob { job_id, overrides } => {
            spawn(world, workspace, run, task, (*job_id, overrides), ctx)
                .map(|(events, ())| events)
                .map_err(|it| it.message)
        }
        _ => Err("the task is no control task".to_owned()),
    };
    events.extend(
        begun.unwrap_or_else(|text| {
            fail(world, workspace, run, task, Why::Configuration, text, ctx)
        }),
    );
    events
}

/// Texts are equal or not; numbers have an order.
fn compare(operator: Operator, left: &str, right: &str) -> Result<bool, String> {
    let number = |it: &str| {
        let refused = || format!("The operand '{it}' of the condition is not a number.");
        it.trim().parse::<f64>().map_err(|_| refused())
    };
    let pair = || Ok::<_, String>((number(left)?, number(right)?));
    Ok(match operator {
        Operator::EqualTo => left == right,
        Operator::NotEqual => left != right,
        Operator::GreaterThan => pair().map(|(left, right)| right < left)?,
        Operator::GreaterThanOrEqual => pair().map(|(left, right)| right <= left)?,
        Operator::LessThan => pair().map(|(left, right)| left < right)?,
        Operator::LessThanOrEqual => pair().map(|(left, right)| left <= right)?,
    })
}

fn expand(inputs: &str, inner: &TaskSpec) -> Result<Vec<TaskSpec>, String> {
    let Ok(Value::Array(inputs)) = serde_json::from_str(inputs) else {
        return Err(format!("The inputs of the loop are no JSON array: {inputs}"));
    };
    if ITERATIONS < inputs.len() {
        return Err(format!("A loop has at most {ITERATIONS} inputs, and not {}", inputs.len()));
    }
    Ok(inputs.iter().map(|it| references::with_input(inner, it)).collect())
}

fn spawn(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    (job_id, overrides): (i64, &Overrides),
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let jobs = &workspace_of(world, workspace)?.jobs;
    let mut depth = 1;
    let mut above = run.terms.caller;
    while let Some((parent, _)) = above.and_then(|it| jobs.find(it).ok()) {
        depth += 1;
        above = parent.terms.caller;
    }
    if DEPTH < depth {
        let text = format!("Runs of jobs may lie at most {DEPTH} deep in runs of jobs");
        return Err(Refusal::invalid(text));
    }
    let job = saved(world, workspace, job_id)?;
    let (submission, mut terms) = order_of(job, overrides.clone())?;
    terms.caller = Some(task.run_id);
    let (mut events, child) = decide_run(world, workspace, submission, terms, Some(job), ctx)?;
    let spawned = Event::Spawned { run_id: task.run_id, child, at: ctx.now };
    events.push(event(workspace, spawned));
    Ok((events, ()))
}

/// All iterations of a loop, or the run of a job, have ended.
pub(super) fn join(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let end = match task.child {
        Some(child) => of_child(world, workspace, child, ctx),
        None => of_iterations(run, task, ctx),
    };
    decide_end(world, workspace, run, task, end, true, ctx)
}

fn of_child(world: &World, workspace: u64, child: i64, ctx: &Ctx<'_>) -> End {
    let found = workspace_of(world, workspace).and_then(|it| it.jobs.find(child));
    let (result, message) = match found {
        Ok((run, _)) => {
            let whole = of_run(run);
            (whole.result.unwrap_or(TaskResult::Failed), whole.message)
        }
        Err(it) => (TaskResult::Failed, it.message),
    };
    match result {
        TaskResult::Success | TaskResult::SuccessWithFailures => {
            End::new(ctx.now, TaskResult::Success, Why::Success, "")
        }
        TaskResult::Canceled => {
            End::new(ctx.now, TaskResult::Canceled, Why::User, "The run of the job was canceled.")
        }
        _ => failed(ctx.now, Why::Workload, format!("Run {child} failed: {message}")),
    }
}

fn of_iterations(run: &JobRun, task: &TaskRun, ctx: &Ctx<'_>) -> End {
    let results = run.iterations_of(task.run_id).filter_map(|it| Some(it.end()?.result));
    let results: Vec<TaskResult> = results.collect();
    let failures = results.iter().filter(|it| it.is_failure()).count();
    if failures == 0 {
        return End::new(ctx.now, TaskResult::Success, Why::Success, "");
    }
    let text = format!("{failures} of {} iterations failed.", results.len());
    failed(ctx.now, Why::Workload, text)
}
