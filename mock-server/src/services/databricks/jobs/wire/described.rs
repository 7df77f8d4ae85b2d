//! Tasks as they were written.

use serde_json::{Value, json};

use crate::services::databricks::{
    clusters::describe_spec,
    jobs::{
        state::spec::{ClusterChoice, CodeSpec, TaskSpec},
        state::{JobRun, Stage, TaskResult, TaskRun},
    },
};

/// Adds the fields of one object to another. Objects within are added to, too.
pub(super) fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        for (field, value) in fields {
            match (into.get_mut(&field), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, value) => drop(into.insert(field, value)),
            }
        }
    }
}

pub(super) fn describe_code(spec: &TaskSpec) -> Value {
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
        CodeSpec::SparkSubmit => json!({ "spark_submit_task": { "parameters": spec.parameters } }),
        CodeSpec::SqlFile { path, warehouse_id } => json!({ "sql_task": {
            "file": { "path": path }, "warehouse_id": warehouse_id, "parameters": spec.widgets,
        } }),
        CodeSpec::Condition { operator, left, right } => {
            json!({ "condition_task": { "op": operator, "left": left, "right": right } })
        }
        CodeSpec::ForEach { inputs, concurrency, task } => {
            let mut inner = task.shown.clone();
            if inner.is_null() {
                inner = json!({ "task_key": task.task_key });
            }
            json!({ "for_each_task": {
                "inputs": inputs, "concurrency": concurrency, "task": inner,
            } })
        }
        CodeSpec::RunJob { job_id, overrides } => {
            let mut it = json!({ "job_id": job_id });
            merge(&mut it, overrides.fields().into());
            json!({ "run_job_task": it })
        }
        CodeSpec::Other { kind } => json!({ kind.as_str(): {} }),
    }
}

pub(super) fn describe_place(spec: &TaskSpec) -> Value {
    let mut it = match &spec.cluster {
        ClusterChoice::Existing(id) => json!({ "existing_cluster_id": id }),
        ClusterChoice::New(it) => json!({ "new_cluster": describe_spec(it) }),
        ClusterChoice::Shared { key, .. } => json!({ "job_cluster_key": key }),
        ClusterChoice::Serverless => json!({}),
    };
    if !spec.libraries.is_empty() {
        it["libraries"] = json!(spec.libraries);
    }
    it
}

/// A task as the client wrote it, with what it came to.
pub(super) fn describe_task_spec(run: &JobRun, task: &TaskRun) -> Value {
    // References are shown as they were written; an iteration is written nowhere.
    let spec = match task.parent {
        Some(_) => run.spec(task),
        None => &run.submission.tasks[task.index],
    };
    let mut it = if spec.shown.is_object() { spec.shown.clone() } else { json!({}) };
    merge(&mut it, describe_code(spec));
    merge(&mut it, describe_place(spec));
    it["run_if"] = json!(spec.run_if);
    if spec.depends_on.is_empty()
        && let Value::Object(it) = &mut it
    {
        it.remove("depends_on");
    }
    if let Some(limit) = spec.timeout {
        it["timeout_seconds"] = json!(limit.as_secs());
    }
    if let Some(outcome) = task.end().and_then(|it| it.outcome) {
        it["condition_task"]["outcome"] = json!(outcome.to_string());
    }
    if let CodeSpec::ForEach { .. } = &spec.code
        && task.started_at.is_some()
    {
        it["for_each_task"]["stats"] = stats(run, task);
    }
    it
}

fn stats(run: &JobRun, task: &TaskRun) -> Value {
    let (mut all, mut scheduled, mut completed, mut succeeded, mut failed) = (0, 0, 0, 0, 0);
    for it in run.iterations_of(task.run_id) {
        all += 1;
        if it.stage != Stage::Blocked {
            scheduled += 1;
        }
        if let Some(end) = it.end() {
            completed += 1;
            if end.result == TaskResult::Success {
                succeeded += 1;
            } else {
                failed += 1;
            }
        }
    }
    json!({ "task_run_stats": {
        "total_iterations": all, "scheduled_iterations": scheduled,
        "active_iterations": scheduled - completed, "completed_iterations": completed,
        "succeeded_iterations": succeeded, "failed_iterations": failed,
    } })
}

/// The parameters of a task without references.
pub(super) fn resolved_values(spec: &TaskSpec) -> Option<Value> {
    Some(match &spec.code {
        CodeSpec::Notebook { .. } => {
            json!({ "notebook_task": { "base_parameters": spec.widgets } })
        }
        CodeSpec::PythonFile { .. } => {
            json!({ "spark_python_task": { "parameters": spec.parameters } })
        }
        CodeSpec::Jar { .. } => json!({ "spark_jar_task": { "parameters": spec.parameters } }),
        CodeSpec::SparkSubmit => json!({ "spark_submit_task": { "parameters": spec.parameters } }),
        CodeSpec::Wheel { named_parameters, .. } => json!({ "python_wheel_task": {
            "named_parameters": named_parameters, "parameters": spec.parameters,
        } }),
        CodeSpec::SqlFile { .. } => json!({ "sql_task": { "parameters": spec.widgets } }),
        CodeSpec::Condition { left, right, .. } => {
            json!({ "condition_task": { "left": left, "right": right } })
        }
        CodeSpec::RunJob { overrides, .. } => {
            json!({ "run_job_task": { "job_parameters": overrides.job_parameters } })
        }
        CodeSpec::ForEach { .. } | CodeSpec::LocalScript { .. } | CodeSpec::Other { .. } => {
            return None;
        }
    })
}
