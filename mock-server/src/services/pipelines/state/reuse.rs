//! Which steps need not be executed, because an earlier one has done the same.
//!
//! The service decides it when a step becomes ready: the module says that it is
//! deterministic, and module, parameters and inputs are those of a step that
//! has finished. The code behind a notebook's path is not compared. An order
//! without data (`run_after`) is no input.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Event, Graph, Node, Origin, PipelineRun, StatusCode, Step, history};
use crate::{
    kernel::{self, Ctx, World, ids},
    store::{self, RunPatch},
};

/// What the outputs of a step depend on. `None` for a step that has to be
/// executed each time.
pub(super) fn fingerprint(world: &World, run: &PipelineRun, step: &Step) -> Option<String> {
    let graph = world.pipelines.graph(&run.workspace.workspace_id, &run.graph_id).ok()?;
    let node = graph.node(&step.node_id)?;
    let module = world.pipelines.module(&run.workspace.workspace_id, &node.module_id).ok()?;
    if module["IsDeterministic"] != true {
        return None;
    }
    let mut parameters: Vec<(&str, Option<&str>)> = node
        .parameters
        .iter()
        .chain(&node.metadata)
        .map(|it| (it.name.as_str(), node.value(&it.name, &run.parameters)))
        .collect();
    parameters.sort_unstable();
    let mut inputs = inputs(world, run, graph, node);
    inputs.sort_unstable();
    let all = json!([run.workspace.workspace_id, node.module_id, parameters, inputs, node.outputs]);
    Some(ids::hex(&Sha256::digest(all.to_string())))
}

/// The ports of a node with what flows into them.
fn inputs(world: &World, run: &PipelineRun, graph: &Graph, node: &Node) -> Vec<(String, String)> {
    let edges = graph.inputs(&node.id);
    let source = |id: &str, port: &str| {
        if let Some(dataset) = graph.datasets.get(id) {
            return format!("data source {dataset}");
        }
        // Each submission saves its datasets anew; what they name counts.
        let saved = graph.saved_datasets.get(id);
        let saved = saved.map(|it| world.datasets.path_of(&run.workspace.workspace_id, it));
        if let Some(Ok(it)) = saved {
            return format!("datastore {} path {}", it.datastore, it.path);
        }
        if let Some(path) = graph.data_path_nodes.get(id).and_then(|it| run.data_paths.get(it)) {
            return format!("datastore {} path {}", path.datastore, path.path);
        }
        let of_run = run.step(id).map(Step::output_run_id).unwrap_or_default();
        format!("output {port} of run {of_run}")
    };
    edges.map(|it| (it.to.1.clone(), source(&it.from.0, &it.from.1))).collect()
}

/// The finished step whose outputs `step` may take over.
pub(super) fn origin<'a>(
    world: &'a World,
    run: &PipelineRun,
    step: &Step,
    fingerprint: Option<&String>,
) -> Option<&'a Origin> {
    let graph = world.pipelines.graph(&run.workspace.workspace_id, &run.graph_id).ok()?;
    if graph.node(&step.node_id)?.regenerates {
        return None;
    }
    world.pipelines.finished.get(fingerprint?)
}

/// Ends a step that never starts: its outputs are those of `origin`.
pub(super) fn take_over(
    world: &World,
    run: &PipelineRun,
    step: &Step,
    origin: &Origin,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let (run_id, node_id) = (run.id.clone(), step.node_id.clone());
    let reused = Event::StepReused { run_id, node_id, origin: origin.clone(), at: ctx.now };
    let mut events = vec![kernel::Event::Pipelines(reused)];
    let properties = [
        ("azureml.isreused", "true"),
        ("azureml.reusedrunid", &origin.run_id),
        ("azureml.reusednodeid", &origin.node_id),
        ("azureml.reusedpipeline", &origin.pipeline_run_id),
        ("azureml.reusedpipelinerunid", &origin.pipeline_run_id),
    ];
    let patch = RunPatch { properties: history::texts(&properties), ..RunPatch::default() };
    let place = run.workspace.place();
    let patched = store::decide_patch(world.stores.at(&place), &place, &step.run_id, patch, ctx);
    events.extend(patched.map(|(events, ())| events).unwrap_or_default());
    let status = history::status_of(StatusCode::Finished);
    events.extend(history::follow(world, run, &step.run_id, status, None, ctx));
    events
}
