//! How runs begin to exist, and what they may be.

use std::collections::BTreeMap;

use super::{DataPath, Event, Graph, PipelineRun, StatusCode, Workspace, steps::Steps};
use crate::{
    kernel::{self, Caller, Ctx, Decision, Refusal, World},
    services::history::decide_experiment_named,
};

/// What a client says about a run.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct NewRun {
    pub(in super::super) experiment: String,
    pub(in super::super) description: Option<String>,
    pub(in super::super) assigned: BTreeMap<String, String>,
    pub(in super::super) data_paths: BTreeMap<String, DataPath>,
    pub(in super::super) continues_on_failure: bool,
    pub(in super::super) pipeline_id: Option<String>,
    pub(in super::super) parent_run_id: Option<String>,
    pub(in super::super) source: Option<String>,
    pub(in super::super) kind: Option<String>,
    pub(in super::super) tags: BTreeMap<String, String>,
    pub(in super::super) properties: BTreeMap<String, String>,
}

/// Refuses a graph that cannot end, or whose parts are not there.
pub(super) fn check_graph(world: &World, at: &str, graph: &Graph) -> Result<(), Refusal> {
    graph.check()?;
    for node in graph.nodes.iter() {
        world.pipelines.module(at, &node.module_id)?;
    }
    for id in graph.datasets.values() {
        world.pipelines.data_source(at, id)?;
    }
    for id in graph.saved_datasets.values() {
        world.datasets.path_of(at, id)?;
    }
    Ok(())
}

/// Makes a run that waits for its submission.
pub(in super::super) fn decide_run(
    world: &World,
    workspace: Workspace,
    graph: Graph,
    new: NewRun,
    caller: &Caller,
    ctx: &mut Ctx<'_>,
) -> Decision<PipelineRun> {
    check_graph(world, &workspace.workspace_id, &graph)?;
    let run = new_run(world, workspace, &graph, new, caller, ctx)?;
    let created = Event::RunCreated { run: Box::new(run.clone()), graph: Some(Box::new(graph)) };
    Ok((vec![kernel::Event::Pipelines(created)], run))
}

pub(super) fn new_run(
    world: &World,
    workspace: Workspace,
    graph: &Graph,
    new: NewRun,
    caller: &Caller,
    ctx: &mut Ctx<'_>,
) -> Result<PipelineRun, Refusal> {
    // The experiment is made when the run is submitted; its name is refused now.
    decide_experiment_named(world, &workspace.place(), &new.experiment, ctx)?;
    if let Some(parent) = &new.parent_run_id {
        world.stores.at(&workspace.place()).run(parent)?;
    }
    let parameters = filled(&graph.defaults, new.assigned, "parameter")?;
    let data_paths = filled(&graph.data_paths, new.data_paths, "data path parameter")?;
    for path in data_paths.values().filter(|it| !it.datastore.is_empty()) {
        let workspace = (workspace.workspace_id.as_str(), workspace.account.as_str());
        world.datastores.locate(workspace, &path.datastore)?;
    }
    Ok(PipelineRun {
        id: ctx.draw_uuid().to_string(),
        workspace,
        experiment: new.experiment,
        description: new.description.unwrap_or_default(),
        graph_id: ctx.draw_uuid().to_string(),
        parameters,
        data_paths,
        continues_on_failure: new.continues_on_failure,
        pipeline_id: new.pipeline_id,
        parent_run_id: new.parent_run_id,
        source: new.source,
        kind: new.kind,
        tags: new.tags,
        properties: new.properties,
        status: StatusCode::NotStarted,
        user: caller.name.clone(),
        tenant_id: caller.tenant_id.clone(),
        created_at: ctx.now,
        submitted_at: None,
        ended_at: None,
        is_cancel_requested: false,
        steps: Steps::default(),
    })
}

/// The defaults with what was assigned in their place.
fn filled<T: Clone>(
    defaults: &BTreeMap<String, T>,
    assigned: BTreeMap<String, T>,
    what: &str,
) -> Result<BTreeMap<String, T>, Refusal> {
    let mut all = defaults.clone();
    for (name, value) in assigned {
        if !all.contains_key(&name) {
            return Err(Refusal::invalid(format!("'{name}' is no {what} of the pipeline")));
        }
        all.insert(name, value);
    }
    Ok(all)
}
