use serde_json::{Value, json};

use crate::services::databricks::{
    clusters::describe_spec,
    jobs::{
        state::definitions::Job,
        state::spec::{ClusterChoice, CodeSpec, TaskSpec},
        state::view::{LOG_LIMIT, Whole, of_run, of_task},
        state::{JobRun, LifeCycle, TaskResult, TaskRun, Why},
    },
    wire::{millis, span},
};

fn life_cycle(it: LifeCycle) -> &'static str {
    match it {
        LifeCycle::Blocked => "BLOCKED",
        LifeCycle::Pending => "PENDING",
        LifeCycle::Running => "RUNNING",
        LifeCycle::Terminated => "TERMINATED",
        LifeCycle::Skipped => "SKIPPED",
        LifeCycle::InternalError => "INTERNAL_ERROR",
    }
}

fn result(it: TaskResult) -> &'static str {
    match it {
        TaskResult::Success => "SUCCESS",
        TaskResult::SuccessWithFailures => "SUCCESS_WITH_FAILURES",
        TaskResult::Failed => "FAILED",
        TaskResult::TimedOut => "TIMEDOUT",
        TaskResult::Canceled => "CANCELED",
        TaskResult::UpstreamFailed => "UPSTREAM_FAILED",
        TaskResult::UpstreamCanceled => "UPSTREAM_CANCELED",
        TaskResult::Excluded => "EXCLUDED",
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
        LifeCycle::Blocked => "BLOCKED",
        LifeCycle::Pending => "PENDING",
        LifeCycle::Running => "RUNNING",
        LifeCycle::Terminated | LifeCycle::Skipped | LifeCycle::InternalError => "TERMINATED",
    };
    let mut status = json!({ "state": newer });
    if let Some(it) = whole.result {
        state["result_state"] = json!(result(it));
        let (code, kind) = termination(whole);
        status["termination_details"] =
            json!({ "code": code, "type": kind, "message": whole.message });
    }
    (state, status)
}

fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        into.extend(fields);
    }
}

fn describe_code(spec: &TaskSpec) -> Value {
    match &spec.code {
        CodeSpec::Notebook { path } => {
            let mut it = json!({ "notebook_path": path, "source": "WORKSPACE" });
            if !spec.widgets.is_empty() {
                it["base_parameters"] = json!(spec.widgets);
            }
            json!({ "notebook_task": it })
        }
        CodeSpec::PythonFile { path: file } | CodeSpec::LocalScript { script: file, .. } => {
            json!({ "spark_python_task": { "python_file": file, "parameters": spec.parameters } })
        }
        CodeSpec::Jar { main_class } => json!({
            "spark_jar_task": { "main_class_name": main_class, "parameters": spec.parameters },
        }),
        CodeSpec::Wheel { package, entry_point, named_parameters } => json!({
            "python_wheel_task": {
                "package_name": package, "entry_point": entry_point,
                "named_parameters": named_parameters, "parameters": spec.parameters,
            },
        }),
    }
}

fn describe_place(spec: &TaskSpec) -> Value {
    match &spec.cluster {
        ClusterChoice::Existing(id) => json!({ "existing_cluster_id": id }),
        ClusterChoice::New(it) => json!({ "new_cluster": describe_spec(it) }),
        ClusterChoice::Serverless => json!({}),
    }
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
        "run_page_url": format!("{base}/?o=0#job/{}/run/{}", run.job_id, task.run_id),
        "state": state,
        "status": status,
    });
    if let Some(id) = &task.cluster_id {
        it["cluster_instance"] = json!({ "cluster_id": id });
        if let Some(at) = task.started_at {
            it["cluster_instance"]["spark_context_id"] = json!(millis(at).to_string());
        }
    }
    it
}

fn describe_task(run: &JobRun, task: &TaskRun, base: &str) -> Value {
    let spec = run.spec(task);
    let mut it = describe_attempt(run, task, base);
    merge(&mut it, describe_code(spec));
    merge(&mut it, describe_place(spec));
    it["run_if"] = json!(spec.run_if);
    if !spec.depends_on.is_empty() {
        let them = spec.depends_on.iter().map(|it| json!({ "task_key": it }));
        it["depends_on"] = them.collect();
    }
    if !spec.libraries.is_empty() {
        it["libraries"] = json!(spec.libraries);
    }
    if let Some(limit) = spec.timeout {
        it["timeout_seconds"] = json!(limit.as_secs());
    }
    it
}

fn describe_parent(run: &JobRun) -> Value {
    json!({
        "job_id": run.job_id,
        "creator_user_name": run.submission.user,
        "run_name": run.submission.run_name,
        "run_type": if run.is_saved { "JOB_RUN" } else { "SUBMIT_RUN" },
        "trigger": "ONE_TIME",
    })
}

/// A whole job run.
pub(crate) fn describe_run(run: &JobRun, with_tasks: bool, base: &str) -> Value {
    let (state, status) = states(&of_run(run));
    let ended = run.ended_at();
    let mut it = describe_parent(run);
    merge(
        &mut it,
        json!({
            "run_id": run.run_id,
            "number_in_job": run.run_id,
            "original_attempt_run_id": run.run_id,
            "format": "MULTI_TASK",
            "start_time": millis(run.submitted_at),
            "setup_duration": 0,
            "execution_duration": 0,
            "cleanup_duration": 0,
            "end_time": ended.map_or(0, millis),
            "run_duration": span(Some(run.submitted_at), ended),
            "run_page_url": format!("{base}/?o=0#job/{}/run/{}", run.job_id, run.run_id),
            "state": state,
            "status": status,
        }),
    );
    if let [task] = run.tasks.as_slice() {
        let only = describe_attempt(run, task, base);
        for field in ["cluster_instance", "setup_duration", "execution_duration"] {
            if let Some(value) = only.get(field) {
                it[field] = value.clone();
            }
        }
    }
    if with_tasks {
        let all = run.past.iter().chain(&run.tasks);
        it["tasks"] = all.map(|it| describe_task(run, it, base)).collect();
    }
    it
}

/// One task run, when it is asked for by its own id.
pub(crate) fn describe_task_run(run: &JobRun, task: &TaskRun, base: &str) -> Value {
    let mut it = describe_parent(run);
    merge(&mut it, describe_attempt(run, task, base));
    let task_fields = json!({
        "job_run_id": run.run_id,
        "number_in_job": task.run_id,
        "original_attempt_run_id": task.run_id,
        "format": "MULTI_TASK",
        "task": describe_code(run.spec(task)),
    });
    merge(&mut it, task_fields);
    merge(&mut it, describe_place(run.spec(task)));
    it
}

/// What a task run left behind.
pub(crate) fn describe_output(run: &JobRun, task: &TaskRun, log: &str, base: &str) -> Value {
    let mut it = json!({ "metadata": describe_task_run(run, task, base) });
    let end = task.end();
    if matches!(run.spec(task).code, CodeSpec::Notebook { .. }) {
        it["notebook_output"] = json!({ "truncated": false });
        if let Some(value) = end.and_then(|it| it.exit_value.as_ref()) {
            it["notebook_output"]["result"] = json!(value);
        }
    } else {
        it["logs"] = json!(log);
        it["logs_truncated"] = json!(LOG_LIMIT <= log.len());
    }
    if let Some(error) = end.and_then(|it| it.error.as_ref()) {
        it["error"] = json!(error);
    }
    if let Some(trace) = end.and_then(|it| it.error_trace.as_ref()) {
        it["error_trace"] = json!(trace);
    }
    it
}

pub(crate) fn describe_job(job: &Job, with_tasks: bool) -> Value {
    let mut settings = job.settings.clone();
    settings["name"] = json!(job.name());
    settings["format"] = json!("MULTI_TASK");
    if !with_tasks && let Value::Object(it) = &mut settings {
        it.remove("tasks");
        it.remove("job_clusters");
    }
    json!({
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": job.creator,
        "created_time": millis(job.created_at),
        "settings": settings,
    })
}
