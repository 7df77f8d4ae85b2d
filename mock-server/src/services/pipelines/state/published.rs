//! Published pipelines: graphs with a name and an address of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Event, Graph, PipelineRun, Workspace, creation, creation::NewRun, schedule};
use crate::kernel::{self, Caller, Ctx, Decision, Refusal, World};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(in super::super) id: String,
    pub(in super::super) workspace: Workspace,
    pub(in super::super) name: String,
    pub(in super::super) description: Option<String>,
    pub(in super::super) version: Option<String>,
    pub(in super::super) graph_id: String,
    pub(in super::super) continues_on_failure: bool,
    pub(in super::super) properties: BTreeMap<String, String>,
    pub(in super::super) status: Availability,
    pub(in super::super) created_at: OffsetDateTime,
    pub(in super::super) modified_at: OffsetDateTime,
}

/// Whether a published pipeline may be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Availability {
    Active,
    Deprecated,
    Disabled,
}

impl Availability {
    pub(in super::super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Deprecated => "Deprecated",
            Self::Disabled => "Disabled",
        }
    }
}

impl std::str::FromStr for Availability {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text {
            "Active" | "0" => Ok(Self::Active),
            "Deprecated" | "1" => Ok(Self::Deprecated),
            "Disabled" | "2" => Ok(Self::Disabled),
            _ => Err(Refusal::invalid(format!(
                "'{text}' is no status of a pipeline: Active, Deprecated, Disabled"
            ))),
        }
    }
}

/// What a client says about a pipeline that it publishes.
#[derive(Clone, Debug)]
pub(in super::super) struct NewPublished {
    pub(in super::super) name: String,
    pub(in super::super) description: Option<String>,
    pub(in super::super) version: Option<String>,
    pub(in super::super) continues_on_failure: bool,
    pub(in super::super) properties: BTreeMap<String, String>,
}

/// Publishes `graph` under an address of its own.
pub(in super::super) fn decide_publication(
    world: &World,
    workspace: Workspace,
    new: NewPublished,
    graph: Graph,
    ctx: &mut Ctx<'_>,
) -> Decision<Published> {
    if new.name.is_empty() {
        return Err(Refusal::invalid("Name is missing: a published pipeline needs a name"));
    }
    creation::check_graph(world, &workspace.workspace_id, &graph)?;
    let published = Published {
        id: ctx.draw_uuid().to_string(),
        workspace,
        name: new.name,
        description: new.description,
        version: new.version,
        graph_id: ctx.draw_uuid().to_string(),
        continues_on_failure: new.continues_on_failure,
        properties: new.properties,
        status: Availability::Active,
        created_at: ctx.now,
        modified_at: ctx.now,
    };
    let event = Event::Published { pipeline: Box::new(published.clone()), graph: Box::new(graph) };
    Ok((vec![kernel::Event::Pipelines(event)], published))
}

/// Says whether a published pipeline may be submitted.
pub(in super::super) fn decide_availability(
    world: &World,
    workspace: &Workspace,
    id: &str,
    status: Availability,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let found = world.pipelines.published(workspace, id)?;
    if found.status == status {
        return Ok((Vec::new(), ()));
    }
    let event = Event::AvailabilitySet { pipeline_id: id.to_owned(), status, at: ctx.now };
    Ok((vec![kernel::Event::Pipelines(event)], ()))
}

/// Submits a published pipeline: its run begins at once.
pub(in super::super) fn decide_submission_of(
    world: &World,
    workspace: Workspace,
    id: &str,
    mut new: NewRun,
    caller: &Caller,
    ctx: &mut Ctx<'_>,
) -> Decision<PipelineRun> {
    let pipeline = world.pipelines.published(&workspace, id)?;
    if pipeline.status == Availability::Disabled {
        let text = format!(
            "Pipeline {id} ('{}') is disabled; set its status to Active to submit it",
            pipeline.name
        );
        return Err(Refusal::invalid(text).with_code("UserError"));
    }
    let graph = world.pipelines.graph(&workspace.workspace_id, &pipeline.graph_id)?;
    new.pipeline_id = Some(id.to_owned());
    new.continues_on_failure |= pipeline.continues_on_failure;
    let mut run = creation::new_run(world, workspace, graph, new, caller, ctx)?;
    run.graph_id.clone_from(&pipeline.graph_id);
    let (mut events, steps) = schedule::submission(world, &run, graph, ctx)?;
    let created = Event::RunCreated { run: Box::new(run.clone()), graph: None };
    events.insert(0, kernel::Event::Pipelines(created));
    (run.steps, run.submitted_at) = (steps.into(), Some(ctx.now));
    Ok((events, run))
}
