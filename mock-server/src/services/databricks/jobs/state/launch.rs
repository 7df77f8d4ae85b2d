//! How a task comes to run.

use super::{
    Decided, Due, End, Event, JobRun, Launch, Prepared, TaskResult, TaskRun, WORK, Why, control,
    ends::{decide_end, failed, skipped},
    references,
    rules::event,
    spec::{ClusterChoice, CodeSpec, RunIf, TaskSpec},
};
use crate::{
    executor::outcomes::{self, RuleResult},
    kernel::{self, Ctx, Decision, World, clock::later},
    services::databricks::{
        clusters::{self, Source},
        libraries::{self, Readiness},
        workspace_of,
    },
};

/// What time alone has brought about.
pub(crate) fn decide_due(
    world: &World,
    workspace: u64,
    due: &Due,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let (Due::Prepare(id)
    | Due::StartCluster(id)
    | Due::Launch(id)
    | Due::End(id)
    | Due::TimeOut(id)
    | Due::TimeOutRun(id)
    | Due::Admit(id)
    | Due::Join(id)
    | Due::Release(id, _)) = *due;
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let Ok((run, task)) = state.jobs.find(id) else { return Vec::new() };
    let Some(task) = task else {
        return match due {
            Due::Admit(_) => {
                vec![event(workspace, Event::Admitted { run_id: id, at: ctx.now })]
            }
            Due::Release(_, key) => release(world, workspace, run, key, ctx),
            _ => time_out_run(world, workspace, run, ctx),
        };
    };
    match due {
        Due::Prepare(_) => prepare(world, workspace, run, task, ctx),
        Due::StartCluster(_) => {
            let id = task.cluster_id.as_deref().unwrap_or_default();
            match clusters::decide_start(world, workspace, id, ctx) {
                Ok((events, ())) => events,
                Err(it) => fail(world, workspace, run, task, Why::Cluster, it.message, ctx),
            }
        }
        Due::Launch(_) => launch(world, workspace, run, task, ctx),
        Due::End(_) => {
            let end = ruled_end(task, ctx);
            decide_end(world, workspace, run, task, end, false, ctx)
        }
        Due::Join(_) => control::join(world, workspace, run, task, ctx),
        _ => {
            let end = End::new(ctx.now, TaskResult::TimedOut, Why::TimeLimit, "Run timed out");
            decide_end(world, workspace, run, task, end, false, ctx)
        }
    }
}

/// No task needs a shared cluster any more.
fn release(
    world: &World,
    workspace: u64,
    run: &JobRun,
    key: &str,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let released = Event::Released { run_id: run.run_id, key: key.to_owned() };
    let mut events = vec![event(workspace, released)];
    if let Some(id) = run.clusters.get(key) {
        let reason = clusters::Termination::JobFinished;
        let terminated = clusters::decide_terminate(world, workspace, id, reason, ctx);
        events.extend(terminated.map(|(events, ())| events).unwrap_or_default());
    }
    events
}

fn time_out_run(
    world: &World,
    workspace: u64,
    run: &JobRun,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let open = run.tasks.iter().filter(|it| it.end().is_none());
    let timed_out = |task: &TaskRun| {
        let end = End::new(ctx.now, TaskResult::TimedOut, Why::TimeLimit, "Run timed out");
        decide_end(world, workspace, run, task, end, false, ctx)
    };
    open.flat_map(timed_out).collect()
}

pub(super) fn fail(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    why: Why,
    message: String,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    decide_end(world, workspace, run, task, failed(ctx.now, why, message), false, ctx)
}

/// Whether a task runs at all, after what it depends on has ended.
fn verdict(run: &JobRun, task: &TaskRun) -> Option<TaskResult> {
    let spec = run.spec(task);
    if spec.is_disabled {
        return Some(TaskResult::Disabled);
    }
    if task.parent.is_some() || spec.depends_on.is_empty() {
        return None;
    }
    let ends = spec.depends_on.iter().filter_map(|it| Some((it, run.task(&it.task_key)?.end()?)));
    let mut results = Vec::new();
    for (dependency, end) in ends {
        // The other branch of a condition was taken.
        let is_met = dependency.outcome.is_none() || dependency.outcome == end.outcome;
        if !is_met && end.result == TaskResult::Success {
            return Some(TaskResult::Excluded);
        }
        results.push(end.result);
    }
    if !results.is_empty() && results.iter().all(|it| *it == TaskResult::Excluded) {
        return Some(TaskResult::Excluded);
    }
    // What was excluded counts as a success, what was canceled as a failure.
    let failures = results.iter().filter(|it| it.is_failure()).count();
    let (any, all) = (0 < failures, failures == results.len());
    let runs = match spec.run_if {
        RunIf::AllDone => true,
        RunIf::AllSuccess | RunIf::NoneFailed => !any,
        RunIf::AtLeastOneSuccess => results.contains(&TaskResult::Success),
        RunIf::AllFailed => all,
        RunIf::AtLeastOneFailed => any,
    };
    let canceled =
        |it: &TaskResult| matches!(it, TaskResult::Canceled | TaskResult::UpstreamCanceled);
    match spec.run_if {
        _ if runs => None,
        RunIf::AllFailed | RunIf::AtLeastOneFailed => Some(TaskResult::Excluded),
        _ if results.iter().any(canceled) => Some(TaskResult::UpstreamCanceled),
        _ if any => Some(TaskResult::UpstreamFailed),
        _ => Some(TaskResult::Excluded),
    }
}

/// The dependencies have ended. A rule comes before everything else.
fn prepare(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    if let Some(result) = verdict(run, task) {
        return decide_end(world, workspace, run, task, skipped(ctx.now, result), false, ctx);
    }
    let resolved = match references::resolve(workspace, run, task, ctx.executes) {
        Ok(it) => it,
        Err(it) => return fail(world, workspace, run, task, Why::Configuration, it, ctx),
    };
    let spec = resolved.as_deref().unwrap_or_else(|| run.spec(task));
    if spec.is_control() {
        return control::begin(world, workspace, run, task, spec, ctx);
    }
    let subject = run.submission.subject(spec);
    if let Some(rule) = outcomes::decide(&world.outcomes, &subject) {
        if let Some(reason) = &rule.outcome.cluster_error {
            return fail(world, workspace, run, task, Why::Cluster, reason.clone(), ctx);
        }
        let after = rule.after().unwrap_or_else(|| ctx.delay(WORK));
        let ends_at = (rule.result != RuleResult::Running).then(|| later(ctx.now, after));
        let decided = Some(Decided { result: rule.result, outcome: rule.outcome.clone() });
        let run_id = task.run_id;
        let launch = Launch { run_id, at: ctx.now, ends_at, decided, executed: None, resolved };
        return vec![event(workspace, Event::Launched(Box::new(launch)))];
    }
    match find_cluster(world, workspace, run, task, spec, ctx) {
        Ok((mut events, cluster_id)) => {
            let prepared = Prepared {
                run_id: task.run_id,
                at: ctx.now,
                cluster_id,
                owns_cluster: matches!(spec.cluster, ClusterChoice::New(_)),
                shared_as: match &spec.cluster {
                    ClusterChoice::Shared { key, .. } => Some(key.clone()),
                    _ => None,
                },
                resolved,
            };
            events.push(event(workspace, Event::Prepared(Box::new(prepared))));
            events
        }
        Err(it) => fail(world, workspace, run, task, Why::Cluster, it.message, ctx),
    }
}

fn find_cluster(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    spec: &TaskSpec,
    ctx: &mut Ctx<'_>,
) -> Decision<Option<String>> {
    let state = workspace_of(world, workspace)?;
    let clusters = &state.clusters;
    let mut make = |spec: &clusters::ClusterSpec, name: String| {
        let mut spec = clusters::ClusterSpec { cluster_name: name, ..spec.clone() };
        if let Some(pool) = spec.pool() {
            state.pools.node_type(pool)?.clone_into(&mut spec.node_type_id);
        }
        let user = run.submission.user.clone();
        clusters::decide_create(world, workspace, spec, user, Source::Job, None, ctx)
    };
    let (mut events, id) = match &spec.cluster {
        ClusterChoice::Serverless => return Ok((Vec::new(), None)),
        ClusterChoice::Existing(id) => {
            clusters.get(id)?;
            (Vec::new(), id.clone())
        }
        ClusterChoice::New(it) => make(it, format!("job-{}-run-{}", run.job_id, task.run_id))?,
        ClusterChoice::Shared { key, spec } => {
            let there = run.clusters.get(key).and_then(|it| clusters.get(it).ok());
            match there.filter(|it| !it.is_ending()) {
                Some(it) => (Vec::new(), it.cluster_id.clone()),
                None => make(spec, format!("job-{}-run-{}-{key}", run.job_id, run.run_id))?,
            }
        }
    };
    let libraries = spec.libraries.clone();
    events.extend(libraries::decide_install(world, workspace, &id, libraries, ctx)?.0);
    Ok((events, Some(id)))
}

/// Cluster and libraries are there, or never will be.
fn launch(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    if let Err((why, message)) = obstacle(world, workspace, run, task, ctx.executes) {
        return fail(world, workspace, run, task, why, message, ctx);
    }
    let ends_at = (!ctx.executes).then(|| later(ctx.now, ctx.delay(WORK)));
    let executed =
        ctx.executes.then(|| (format!("dapi{}", ctx.draw_uuid().simple()).into(), world.epoch));
    let launch = Launch {
        run_id: task.run_id,
        at: ctx.now,
        ends_at,
        decided: None,
        executed,
        resolved: None,
    };
    vec![event(workspace, Event::Launched(Box::new(launch)))]
}

fn obstacle(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
    is_executed: bool,
) -> Result<(), (Why, String)> {
    let state = workspace_of(world, workspace).map_err(|it| (Why::Internal, it.message))?;
    let spec = run.spec(task);
    if let Some(id) = &task.cluster_id {
        state.clusters.get(id).map_err(|it| (Why::Cluster, it.message))?;
        if let Readiness::Failed { message, .. } = state.libraries.readiness(id, &spec.libraries) {
            return Err((Why::Library, format!("Library installation failed: {message}")));
        }
    }
    if is_executed && let Some(kind) = super::work::unknown(&spec.code) {
        return Err((
            Why::Configuration,
            format!("azml-mock does not execute {kind} on this machine"),
        ));
    }
    if let CodeSpec::Notebook { path } = &spec.code
        && !state.workspace.is_notebook(path)
    {
        let user = &run.submission.user;
        let text = format!(
            "Unable to access the notebook \"{path}\". Either it does not exist, or the identity used to run this job, {user}, lacks the required permissions."
        );
        return Err((Why::Resource, text));
    }
    Ok(())
}

/// How a task ends that nobody executed.
fn ruled_end(task: &TaskRun, ctx: &Ctx<'_>) -> End {
    let Some(decided) = &task.decided else {
        return End::new(ctx.now, TaskResult::Success, Why::Success, "");
    };
    let outcome = &decided.outcome;
    let mut end = match decided.result {
        RuleResult::Failed => {
            let text = "Workload failed, see run output for details";
            let mut end = failed(ctx.now, Why::Workload, text.to_owned());
            let error = outcome.error.clone();
            end.error =
                Some(error.unwrap_or_else(|| "RuntimeError: an outcome rule said so".into()));
            end
        }
        RuleResult::Success | RuleResult::Running => {
            End::new(ctx.now, TaskResult::Success, Why::Success, "")
        }
    };
    end.exit_value.clone_from(&outcome.output);
    end
}
