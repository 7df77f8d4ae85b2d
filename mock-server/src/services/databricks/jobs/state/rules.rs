use super::{
    Decided, Due, End, Event, JobRun, Launch, TaskResult, TaskRun, WORK, Why,
    definitions::Job,
    ends::{decide_end, failed, skipped},
    spec::{ClusterChoice, CodeSpec, RunIf, Submission},
};
use crate::{
    executor::outcomes::{self, RuleResult},
    kernel::{self, Ctx, Decision, Refusal, World, clock::later},
    services::databricks::{
        self,
        clusters::{self, Source},
        libraries::{self, Readiness},
        workspace_of,
    },
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
    decide_run(world, workspace, submission, None, ctx)
}

/// The same for a saved job.
pub(in super::super) fn decide_run(
    world: &World,
    workspace: u64,
    submission: Submission,
    job: Option<&Job>,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    let jobs = &workspace_of(world, workspace)?.jobs;
    if let Some(run_id) = submission.idempotency_token.as_deref().and_then(|it| jobs.by_token(it)) {
        return Ok((Vec::new(), run_id));
    }
    submission.check()?;
    let run_id = draw(ctx);
    let job_id = job.map_or_else(|| draw(ctx), |it| it.job_id);
    let task = |index| TaskRun::new(draw(ctx), index, 0, ctx.now);
    let run = JobRun {
        run_id,
        job_id,
        is_saved: job.is_some(),
        tasks: (0..submission.tasks.len()).map(task).collect(),
        past: Vec::new(),
        submission,
        submitted_at: ctx.now,
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
    | Due::TimeOutRun(id)) = *due;
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let Ok((run, task)) = state.jobs.find(id) else { return Vec::new() };
    let Some(task) = task else { return time_out_run(world, workspace, run, ctx) };
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
        Due::TimeOut(_) | Due::TimeOutRun(_) => {
            let end = End::new(ctx.now, TaskResult::TimedOut, Why::TimeLimit, "Run timed out");
            decide_end(world, workspace, run, task, end, false, ctx)
        }
    }
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

fn fail(
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
    let results: Vec<TaskResult> =
        spec.depends_on.iter().filter_map(|it| Some(run.task(it)?.end()?.result)).collect();
    let failures = results.iter().filter(|it| it.is_failure()).count();
    let successes = results.iter().filter(|it| **it == TaskResult::Success).count();
    let (any, all) = (0 < failures, failures == results.len());
    let runs = match spec.run_if {
        _ if results.is_empty() => true,
        RunIf::AllDone => true,
        RunIf::AllSuccess => successes == results.len(),
        RunIf::NoneFailed => !any,
        RunIf::AtLeastOneSuccess => 0 < successes,
        RunIf::AllFailed => all,
        RunIf::AtLeastOneFailed => any,
    };
    let canceled =
        |it: &TaskResult| matches!(it, TaskResult::Canceled | TaskResult::UpstreamCanceled);
    match () {
        () if runs => None,
        () if results.iter().any(canceled) => Some(TaskResult::UpstreamCanceled),
        () if any && spec.run_if != RunIf::AllFailed => Some(TaskResult::UpstreamFailed),
        () => Some(TaskResult::Excluded),
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
    let subject = run.submission.subject(task.index);
    if let Some(rule) = outcomes::decide(&world.outcomes, &subject) {
        let after = rule.after().unwrap_or_else(|| ctx.delay(WORK));
        let ends_at = (rule.result != RuleResult::Running).then(|| later(ctx.now, after));
        let decided = Some(Decided { result: rule.result, outcome: rule.outcome.clone() });
        let run_id = task.run_id;
        let launch = Launch { run_id, at: ctx.now, ends_at, decided, executed: None };
        return vec![event(workspace, Event::Launched(Box::new(launch)))];
    }
    match find_cluster(world, workspace, run, task, ctx) {
        Ok((mut events, cluster_id)) => {
            let owns_cluster = matches!(run.spec(task).cluster, ClusterChoice::New(_));
            let (run_id, at) = (task.run_id, ctx.now);
            events.push(event(workspace, Event::Prepared { run_id, cluster_id, owns_cluster, at }));
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
    ctx: &mut Ctx<'_>,
) -> Decision<Option<String>> {
    let spec = run.spec(task);
    let (mut events, id) = match &spec.cluster {
        ClusterChoice::Serverless => return Ok((Vec::new(), None)),
        ClusterChoice::Existing(id) => {
            workspace_of(world, workspace)?.clusters.get(id)?;
            (Vec::new(), id.clone())
        }
        ClusterChoice::New(it) => {
            let mut it = (**it).clone();
            it.cluster_name = format!("job-{}-run-{}", run.job_id, task.run_id);
            let user = run.submission.user.clone();
            clusters::decide_create(world, workspace, it, user, Source::Job, None, ctx)?
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
    if let Err((why, message)) = obstacle(world, workspace, run, task) {
        return fail(world, workspace, run, task, why, message, ctx);
    }
    let ends_at = (!ctx.executes).then(|| later(ctx.now, ctx.delay(WORK)));
    let executed =
        ctx.executes.then(|| (format!("dapi{}", ctx.draw_uuid().simple()).into(), world.epoch));
    let launch = Launch { run_id: task.run_id, at: ctx.now, ends_at, decided: None, executed };
    vec![event(workspace, Event::Launched(Box::new(launch)))]
}

fn obstacle(
    world: &World,
    workspace: u64,
    run: &JobRun,
    task: &TaskRun,
) -> Result<(), (Why, String)> {
    let state = workspace_of(world, workspace).map_err(|it| (Why::Internal, it.message))?;
    let spec = run.spec(task);
    if let Some(id) = &task.cluster_id {
        state.clusters.get(id).map_err(|it| (Why::Cluster, it.message))?;
        if let Readiness::Failed { message, .. } = state.libraries.readiness(id, &spec.libraries) {
            return Err((Why::Library, format!("Library installation failed: {message}")));
        }
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

/// Forgets a job run that has ended.
pub(in super::super) fn decide_remove(world: &World, workspace: u64, run_id: i64) -> Decision<()> {
    let (run, _) = workspace_of(world, workspace)?.jobs.find(run_id)?;
    if run.ended_at().is_none() {
        let text = format!("Run {run_id} is still active. Cancel it before it is deleted.");
        return Err(Refusal::invalid(text).with_code("INVALID_STATE"));
    }
    Ok((vec![event(workspace, Event::Removed { run_id: run.run_id })], ()))
}
