//! What run history knows of pipeline runs and their steps.

use std::collections::BTreeMap;

use super::{Graph, PipelineRun, StatusCode, Step};
use crate::{
    kernel::{self, Ctx, Refusal, World},
    services::history::decide_experiment_named,
    store::{self, RunError, RunPatch, Status},
};

pub(super) fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
}

/// The run and its steps begin to exist in run history.
pub(super) fn begin(
    world: &World,
    run: &PipelineRun,
    graph: &Graph,
    steps: &[Step],
    ctx: &mut Ctx<'_>,
) -> Result<Vec<kernel::Event>, Refusal> {
    let place = run.workspace.place();
    let store = world.stores.at(&place);
    let (mut events, experiment_id) = decide_experiment_named(world, &place, &run.experiment, ctx)?;
    let mut number = store.next_run_number();
    let made = store::decide_run(
        store,
        &place,
        &experiment_id,
        run.id.clone(),
        Status::Running,
        &run.user,
        of_pipeline(run),
        number,
        ctx,
    )?;
    events.extend(made.0);
    for step in steps {
        number += 1;
        let made = store::decide_run(
            store,
            &place,
            &experiment_id,
            step.run_id.clone(),
            Status::NotStarted,
            &run.user,
            of_step(world, run, graph, step),
            number,
            ctx,
        )?;
        events.extend(made.0);
    }
    Ok(events)
}

fn of_pipeline(run: &PipelineRun) -> RunPatch {
    let parameters = serde_json::to_string(&run.parameters).unwrap_or_default();
    let mut properties = texts(&[
        ("azureml.runsource", "azureml.PipelineRun"),
        ("runSource", run.source.as_deref().unwrap_or("Unavailable")),
        ("runType", run.kind.as_deref().unwrap_or("HTTP")),
        ("azureml.parameters", &parameters),
        (
            "azureml.continue_on_step_failure",
            if run.continues_on_failure { "True" } else { "False" },
        ),
    ]);
    if let Some(id) = &run.pipeline_id {
        properties.extend(texts(&[("azureml.pipelineid", id)]));
    }
    let given = |them: &BTreeMap<String, String>| -> BTreeMap<String, Option<String>> {
        them.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
    };
    properties.extend(given(&run.properties));
    RunPatch {
        description: Some(run.description.clone()),
        run_type: Some("azureml.PipelineRun".to_owned()),
        run_type_v2: Some(serde_json::json!({ "orchestrator": "Pipeline", "traits": [] })),
        parent_id: run.parent_run_id.clone(),
        tags: given(&run.tags),
        properties,
        ..RunPatch::default()
    }
}

fn of_step(world: &World, run: &PipelineRun, graph: &Graph, step: &Step) -> RunPatch {
    let node = graph.node(&step.node_id);
    let module_id = node.map(|it| it.module_id.as_str()).unwrap_or_default();
    let compute = node.and_then(|it| it.value("compute_name", &run.parameters));
    let snapshot = world
        .pipelines
        .module(&run.workspace.workspace_id, module_id)
        .ok()
        .and_then(|it| it["StorageId"].as_str());
    let mut properties = texts(&[
        ("azureml.runsource", "azureml.StepRun"),
        ("azureml.nodeid", &step.node_id),
        ("azureml.pipelinerunid", &run.id),
        ("azureml.moduleid", module_id),
        ("azureml.moduleName", &step.name),
        ("StepType", "DatabricksStep"),
        ("ComputeTargetType", "Databricks"),
    ]);
    if let Some(id) = snapshot {
        properties.extend(texts(&[("ContentSnapshotId", id)]));
    }
    RunPatch {
        name: Some(step.name.clone()),
        display_name: Some(step.name.clone()),
        parent_id: Some(run.id.clone()),
        run_type: Some("azureml.StepRun".to_owned()),
        target: compute.map(str::to_owned),
        tags: texts(&[
            ("azureml.nodeid", &step.node_id),
            ("azureml.pipeline", &run.id),
            ("azureml.pipelineid", &run.id),
            ("azureml.pipelinerunid", &run.id),
        ]),
        properties,
        ..RunPatch::default()
    }
}

pub(super) fn status_of(status: StatusCode) -> Status {
    match status {
        StatusCode::NotStarted => Status::NotStarted,
        StatusCode::Queued => Status::Queued,
        StatusCode::Running => Status::Running,
        StatusCode::Failed => Status::Failed,
        StatusCode::Finished => Status::Completed,
        StatusCode::Canceled => Status::Canceled,
    }
}

/// The run in run history follows. One that its own code has ended stays ended.
pub(super) fn follow(
    world: &World,
    run: &PipelineRun,
    run_id: &str,
    status: Status,
    error: Option<RunError>,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let place = run.workspace.place();
    let store = world.stores.at(&place);
    if store.run(run_id).is_ok_and(|it| it.status.is_final()) {
        return Vec::new();
    }
    let decided = store::decide_status(store, &place, run_id, status, error, ctx);
    decided.map(|(events, ())| events).unwrap_or_default()
}
