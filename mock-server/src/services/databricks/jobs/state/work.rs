//! What the executor is told.

use super::{
    Event, JobRun, TaskRun,
    spec::{CodeSpec, TaskSpec},
};
use crate::{
    executor::{AttemptId, Code, Work},
    kernel::{World, WorldId, effects::Effect},
    services::databricks::{Databricks, libraries::Library},
};

/// A task that was launched is executed; one that was ended is no longer.
pub(crate) fn effect_of(workspace: u64, event: &Event, world: &World) -> Option<Effect> {
    match event {
        Event::Launched(it) if it.executed.is_some() => {
            let state = world.databricks.get(&workspace)?;
            let (run, task) = state.jobs.find(it.run_id).ok()?;
            Some(Effect::Start(Box::new(work(workspace, state, run, task?)?)))
        }
        Event::Ended { run_id, kills: Some(epoch), .. } => {
            Some(Effect::Cancel(attempt(*epoch, workspace, *run_id)))
        }
        _ => None,
    }
}

/// The name of the world is added where it is known.
fn attempt(epoch: u64, workspace: u64, run_id: i64) -> AttemptId {
    AttemptId { world: WorldId::default(), epoch, workspace, run_id }
}

fn work(workspace: u64, state: &Databricks, run: &JobRun, task: &TaskRun) -> Option<Work> {
    let spec = run.spec(task);
    let cluster = task.cluster_id.as_deref().and_then(|it| state.clusters.get(it).ok());
    let token = task.token.as_deref()?.to_owned();
    let mut redact = spec.secrets.clone();
    redact.extend(state.tokens.values().map(str::to_owned));
    redact.push(token.clone());
    Some(Work {
        attempt: attempt(task.epoch?, workspace, task.run_id),
        code: code(spec, state)?,
        widgets: spec.widgets.clone(),
        parameters: spec.parameters.clone(),
        // A task without a cluster has a place of its own.
        cluster_id: task
            .cluster_id
            .clone()
            .unwrap_or_else(|| format!("serverless-{}", task.run_id)),
        machine: machine(task, &spec.code),
        spark_conf: cluster.map(|it| it.spec.spark_conf.clone()).unwrap_or_default(),
        environment: cluster.map(|it| it.spec.spark_env_vars.clone()).unwrap_or_default(),
        redact,
        timeout: spec.timeout,
        job_id: run.job_id,
        job_run_id: run.run_id,
        task_key: spec.task_key.clone(),
        user: run.submission.user.clone(),
        token,
        containers: spec.containers.clone(),
        task_values: run
            .tasks
            .iter()
            .filter_map(|it| Some((run.spec(it).task_key.clone(), it.end()?.task_values.clone())))
            .collect(),
    })
}

/// Tasks without a cluster share what the service has warm for them.
fn machine(task: &TaskRun, code: &CodeSpec) -> String {
    match (&task.cluster_id, code) {
        (Some(id), _) => id.clone(),
        (None, CodeSpec::SqlFile { warehouse_id, .. }) => format!("warehouse-{warehouse_id}"),
        (None, _) => "serverless".to_owned(),
    }
}

/// The name of a kind of code that no executor runs.
pub(super) fn unknown(code: &CodeSpec) -> Option<&str> {
    match code {
        CodeSpec::Other { kind } => Some(kind),
        _ => None,
    }
}

fn code(spec: &TaskSpec, state: &Databricks) -> Option<Code> {
    let files = |pick: fn(&Library) -> Option<&String>| {
        spec.libraries.iter().filter_map(pick).cloned().collect()
    };
    Some(match spec.code.clone() {
        CodeSpec::Notebook { path } => {
            let (language, is_jupyter) = state.workspace.language_of(&path);
            Code::Notebook { path, language, is_jupyter }
        }
        CodeSpec::PythonFile { path } => {
            Code::PythonFile { path, python_path: spec.python_path.clone() }
        }
        CodeSpec::LocalScript { folder, script } => Code::LocalScript { folder, script },
        CodeSpec::Jar { main_class } => {
            let jars = files(|it| if let Library::Jar(it) = it { Some(it) } else { None });
            Code::Jar { main_class, jars }
        }
        CodeSpec::Wheel { package, entry_point, named_parameters } => {
            let wheels = files(|it| if let Library::Whl(it) = it { Some(it) } else { None });
            Code::Wheel { package, entry_point, named_parameters, wheels }
        }
        CodeSpec::SparkSubmit => Code::SparkSubmit,
        CodeSpec::SqlFile { path, .. } => Code::SqlFile { path },
        CodeSpec::Condition { .. }
        | CodeSpec::ForEach { .. }
        | CodeSpec::RunJob { .. }
        | CodeSpec::Other { .. } => return None,
    })
}
