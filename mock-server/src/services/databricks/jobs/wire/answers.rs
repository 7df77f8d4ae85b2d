use serde_json::{Value, json};

use super::{
    described::{describe_code, describe_place, describe_task_spec, merge, resolved_values},
    jobs::Page,
};
use crate::services::databricks::{
    jobs::{
        state::settings::PAGE,
        state::spec::{ClusterChoice, CodeSpec},
        state::view::{LOG_LIMIT, Whole, of_run, of_task},
        state::{JobRun, LifeCycle, QueuedFor, TaskResult, TaskRun, Why},
    },
    wire::{millis, span},
};

fn life_cycle(it: LifeCycle) -> &'static str {
    match it {
        LifeCycle::Queued(_) => "QUEUED",
        LifeCycle::Blocked => "BLOCKED",
        LifeCycle::WaitingForRetry => "WAITING_FOR_RETRY",
        LifeCycle::Pending => "PENDING",
        LifeCycle::Running => "RUNNING",
        LifeCycle::Terminated => "TERMINATED",
        LifeCycle::Skipped => "SKIPPED",
        LifeCycle::InternalError => "INTERNAL_ERROR",
    }
}

pub(crate) fn result(it: TaskResult) -> &'static str {
    match it {
        TaskResult::Success => "SUCCESS",
        TaskResult::SuccessWithFailures => "SUCCESS_WITH_FAILURES",
        TaskResult::Failed => "FAILED",
        TaskResult::TimedOut => "TIMEDOUT",
        TaskResult::Canceled => "CANCELED",
        TaskResult::UpstreamFailed => "UPSTREAM_FAILED",
        TaskResult::UpstreamCanceled => "UPSTREAM_CANCELED",
        TaskResult::Excluded => "EXCLUDED",
        TaskResult::Disabled => "DISABLED",
        TaskResult::MaximumConcurrentRunsReached => "MAXIMUM_CONCURRENT_RUNS_REACHED",
    }
}

fn termination(whole: &Whole) -> (&'static str, &'static str) {
    match whole.why {
        None | Some(Why::Success) if whole.result == Some(TaskResult::SuccessWithFailures) => {
            ("SUCCESS_WITH_FAILURES", "SUCCESS")
        }
        None | Some(Why::Success) => ("SUCCESS", "SUCCESS"),
        Some(Why::Workload) => ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
        Some(Why::Cluster) => ("CLUSTER_ERROR", "CLIENT_ERROR"),
        Some(Why::Library) => ("LIBRARY_INSTALLATION_ERROR", "CLIENT_ERROR"),
        Some(Why::Resource) => ("RESOURCE_NOT_FOUND", "CLIENT_ERROR"),
        Some(Why::Configuration) => ("INVALID_RUN_CONFIGURATION", "CLIENT_ERROR"),
        Some(Why::TooManyRuns) => ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
        Some(Why::User) => ("USER_CANCELED", "SUCCESS"),
        Some(Why::TimeLimit) => ("CANCELED", "SUCCESS"),
        Some(Why::Skipped) => ("SKIPPED", "SUCCESS"),
        Some(Why::Internal) => ("INTERNAL_ERROR", "INTERNAL_ERROR"),
    }
}

/// Both ways of saying how far a run is.
fn states(whole: &Whole) -> (Value, Value) {
    let mut state = json!({
        "life_cycle_state": life_cycle(whole.life_cycle),
        "state_message": whole.message,
        "user_cancelled_or_timedout":
            matches!(whole.result, Some(TaskResult::Canceled | TaskResult::TimedOut)),
    });
    let newer = match whole.life_cycle {
        LifeCycle::Queued(_) => "QUEUED",
        LifeCycle::Blocked => "BLOCKED",
        LifeCycle::WaitingForRetry => "WAITING",
        LifeCycle::Pending => "PENDING",
        LifeCycle::Running => "RUNNING",
        LifeCycle::Terminated | LifeCycle::Skipped | LifeCycle::InternalError => "TERMINATED",
    };
    let mut status = json!({ "state": newer });
    if let LifeCycle::Queued(reason) = whole.life_cycle {
        let (code, text) = match reason {
            QueuedFor::Turn => {
                ("MAX_CONCURRENT_RUNS_REACHED", "The job has as many runs as it may have.")
            }
            QueuedFor::Room => {
                ("ACTIVE_RUNS_LIMIT_REACHED", "The machine runs as many tasks as it may run.")
            }
        };
        status["queue_details"] = json!({ "code": code, "message": text });
        state["queue_reason"] = json!(text);
    }
    if let Some(it) = whole.result {
        state["result_state"] = json!(result(it));
        let (code, kind) = termination(whole);
        status["termination_details"] =
            json!({ "code": code, "type": kind, "message": whole.message });
    }
    (state, status)
}

/// How a run is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunPage {
    pub(crate) page: Page,
    pub(crate) with_history: bool,
    pub(crate) with_resolved: bool,
}

/// What a task run has both as a task of its run and on its own.
fn describe_attempt(run: &JobRun, task: &TaskRun, base: &str) -> Value {
    let spec = run.spec(task);
    let (state, status) = states(&of_task(task));
    let ended = task.end().map(|it| it.at);
    let prepared = task.prepared_at.or(ended);
    let mut it = json!({
        "run_id": task.run_id,
        "task_key": spec.task_key,
        "attempt_number": task.attempt,
        "start_time": millis(prepared.unwrap_or(run.submitted_at)),
        "setup_duration": span(prepared, task.started_at.or(ended)),
        "execution_duration": span(task.started_at, ended),
        "cleanup_duration": 0,
        "end_time": ended.map_or(0, millis),
        "run_page_url": format!("{base}#job/{}/run/{}", run.job_id, task.run_id),
        "state": state,
        "status": status,
    });
    if ended.is_some() {
        it["run_duration"] = json!(span(prepared, ended));
    }
    let given = || match &spec.cluster {
        // A rule that decides a task looks no cluster up.
        ClusterChoice::Existing(id) => Some(id.clone()),
        _ => None,
    };
    let serverless = || task.started_at.map(|_| format!("serverless-{}", task.run_id));
    if let Some(id) =
        task.cluster_id.clone().or_else(given).or_else(serverless).filter(|_| !spec.is_control())
    {
        it["cluster_instance"] = json!({ "cluster_id": id });
        if let Some(at) = task.started_at {
            it["cluster_instance"]["spark_context_id"] = json!(millis(at).to_string());
        }
    }
    it
}

fn describe_task(run: &JobRun, task: &TaskRun, page: RunPage, base: &str) -> Value {
    let mut it = describe_task_spec(run, task);
    merge(&mut it, describe_attempt(run, task, base));
    if page.with_resolved
        && let Some(values) = resolved_values(run.spec(task))
    {
        it["resolved_values"] = values;
    }
    it
}

fn describe_parent(run: &JobRun) -> Value {
    let mut it = json!({
        "job_id": run.job_id,
        "creator_user_name": run.submission.user,
        "run_name": run.submission.run_name,
        "run_type": if run.is_saved { "JOB_RUN" } else { "SUBMIT_RUN" },
        "trigger": "ONE_TIME",
    });
    if let Some(caller) = run.terms.caller {
        it["run_type"] = json!("JOB_RUN");
        it["trigger"] = json!("RUN_JOB_TASK");
        it["trigger_info"] = json!({ "run_id": caller });
    }
    let mut overrides = run.terms.overrides.fields();
    overrides.remove("job_parameters");
    if !overrides.is_empty() {
        it["overriding_parameters"] = overrides.into();
    }
    it
}

/// A whole job run.
pub(crate) fn describe_run(run: &JobRun, page: RunPage, base: &str) -> Value {
    let (state, status) = states(&of_run(run));
    let ended = run.ended_at();
    let mut it = describe_parent(run);
    let fields = json!({
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "format": if run.terms.is_single { "SINGLE_TASK" } else { "MULTI_TASK" },
        "start_time": millis(run.submitted_at),
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "end_time": ended.map_or(0, millis),
        "run_duration": span(Some(run.submitted_at), ended),
        "run_page_url": format!("{base}#job/{}/run/{}", run.job_id, run.run_id),
        "state": state,
        "status": status,
    });
    merge(&mut it, fields);
    if let Some(at) = run.admitted_at.filter(|at| run.submitted_at < *at) {
        it["queue_duration"] = json!(span(Some(run.submitted_at), Some(at)));
    }
    if !run.terms.parameters.is_empty() {
        let describe = |it: &_| describe_parameter(it);
        it["job_parameters"] = run.terms.parameters.iter().map(describe).collect();
    }
    if let [task] = run.tasks.as_slice() {
        let only = describe_attempt(run, task, base);
        for field in ["cluster_instance", "setup_duration", "execution_duration"] {
            if let Some(value) = only.get(field) {
                it[field] = value.clone();
            }
        }
        let spec = run.spec(task);
        it["cluster_spec"] = describe_place(spec);
        if run.terms.is_single {
            it["task"] = describe_code(spec);
        }
    }
    if page.with_history {
        it["repair_history"] = repair_history(run);
    }
    if page.page != Page::None {
        merge(&mut it, run.terms.shown.clone().into());
        let older = run.replaced.iter().filter(|it| page.with_history && it.parent.is_none());
        let past = run.past.iter().filter(|it| it.parent.is_none());
        let all: Vec<&TaskRun> = older.chain(past).chain(&run.tasks).collect();
        shown(&mut it, "tasks", &all, page, |task| describe_task(run, task, page, base));
    }
    // What was shown on one page is not shown again on the next.
    for field in ["job_clusters", "job_parameters", "repair_history"] {
        if let (Page::From(from), Some(Value::Array(them))) = (page.page, it.get_mut(field)) {
            *them = them.drain(..).skip(from).take(PAGE).collect();
        }
    }
    it
}

/// Puts as many tasks into the document as belong on the page.
fn shown(
    it: &mut Value,
    field: &str,
    all: &[&TaskRun],
    page: RunPage,
    describe: impl Fn(&TaskRun) -> Value,
) {
    let (from, count) = match page.page {
        Page::From(from) => (from, PAGE),
        _ => (0, usize::MAX),
    };
    it[field] = all.iter().skip(from).take(count).map(|it| describe(it)).collect();
    if from.saturating_add(count) < all.len() {
        it["has_more"] = json!(true);
        it["next_page_token"] = json!((from + count).to_string());
    }
}

fn describe_parameter(it: &crate::services::databricks::jobs::state::terms::JobParameter) -> Value {
    let mut shown = json!({ "name": it.name, "value": it.value });
    if let Some(default) = &it.default {
        shown["default"] = json!(default);
    }
    shown
}

/// The run as it was at first, and each repair.
fn repair_history(run: &JobRun) -> Value {
    let mut began = run.submitted_at;
    let mut history = Vec::new();
    let mut id = None;
    let item = |id: Option<i64>, began, ended: Option<_>, whole: &Whole, tasks: Vec<i64>| {
        let (state, status) = states(whole);
        let kind = if id.is_none() { "ORIGINAL" } else { "REPAIR" };
        let mut it = json!({
            "type": kind, "start_time": millis(began), "end_time": ended.map_or(0, millis),
            "state": state, "status": status, "task_run_ids": tasks,
        });
        if let Some(id) = id {
            it["id"] = json!(id);
        }
        it
    };
    for repair in &run.repairs {
        let tasks = repair.before_task_run_ids.clone();
        history.push(item(id, began, Some(repair.before_ended_at), &repair.before, tasks));
        (began, id) = (repair.at, Some(repair.id));
    }
    let last = match run.repairs.last() {
        Some(it) => it.task_run_ids.clone(),
        None => run.tasks.iter().map(|it| it.run_id).collect(),
    };
    history.push(item(id, began, run.ended_at(), &of_run(run), last));
    history.into()
}

/// One task run, when it is asked for by its own id.
pub(crate) fn describe_task_run(run: &JobRun, task: &TaskRun, page: RunPage, base: &str) -> Value {
    let mut it = describe_parent(run);
    merge(&mut it, describe_attempt(run, task, base));
    let task_fields = json!({
        "job_run_id": run.run_id,
        "number_in_job": task.run_id,
        "original_attempt_run_id": task.original_run_id,
        "format": "MULTI_TASK",
        "task": describe_code(run.spec(task)),
        "cluster_spec": describe_place(run.spec(task)),
    });
    merge(&mut it, task_fields);
    merge(&mut it, describe_place(run.spec(task)));
    if matches!(run.spec(task).code, CodeSpec::ForEach { .. }) {
        let all: Vec<&TaskRun> = run.iterations_of(task.run_id).collect();
        shown(&mut it, "iterations", &all, page, |task| describe_task(run, task, page, base));
    }
    it
}

/// What a task run left behind.
pub(crate) fn describe_output(run: &JobRun, task: &TaskRun, log: &str, base: &str) -> Value {
    let page = RunPage { page: Page::None, with_history: false, with_resolved: false };
    let mut it = json!({ "metadata": describe_task_run(run, task, page, base) });
    let end = task.end();
    match &run.spec(task).code {
        CodeSpec::Notebook { .. } => {
            it["notebook_output"] = json!({ "truncated": false });
            if let Some(value) = end.and_then(|it| it.exit_value.as_ref()) {
                // What is longer than 5 MiB is cut.
                let is_start = |it: &usize| value.is_char_boundary(*it);
                let limit = (0..=value.len().min(LOG_LIMIT)).rev().find(is_start).unwrap_or(0);
                it["notebook_output"]["result"] = json!(&value[..limit]);
                it["notebook_output"]["truncated"] = json!(limit < value.len());
            }
        }
        CodeSpec::RunJob { .. } => {
            it["run_job_output"] = json!({});
            if let Some(child) = task.child {
                it["run_job_output"]["run_id"] = json!(child);
            }
        }
        CodeSpec::SqlFile { warehouse_id, .. } => {
            it["sql_output"] = json!({ "query_output": { "warehouse_id": warehouse_id } });
            if let Some(text) = end.and_then(|it| it.exit_value.as_ref()) {
                it["sql_output"]["query_output"]["query_text"] = json!(text);
            }
        }
        CodeSpec::Condition { .. } | CodeSpec::ForEach { .. } => (),
        _ => {
            it["logs"] = json!(log);
            it["logs_truncated"] = json!(LOG_LIMIT <= log.len());
        }
    }
    if let Some(error) = end.and_then(|it| it.error.as_ref()) {
        it["error"] = json!(error);
    }
    if let Some(trace) = end.and_then(|it| it.error_trace.as_ref()) {
        it["error_trace"] = json!(trace);
    }
    it
}
