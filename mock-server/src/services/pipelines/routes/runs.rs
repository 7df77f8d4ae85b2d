//! Runs of pipelines: made, submitted, looked at, canceled.

use axum::Json;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Envelope, Id, In};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refusal, Refused, parse},
    services::pipelines::{
        state::{Workspace, decide_cancel, decide_run, decide_submit},
        wire::{self, body::CreationBody},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationQuery {
    experiment_name: Option<String>,
}

/// The run that a submission belongs to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParentQuery {
    pub(super) parent_run_id: Option<String>,
}

pub(super) async fn create(
    Here(kernel): Here,
    In(scope): In,
    caller: Caller,
    Params(query, _): Params<CreationQuery, Envelope>,
    Body(sent, _): Body<Value, Envelope>,
) -> Answer {
    let body: CreationBody = parse(sent.to_string().as_bytes())?;
    let (info, graph) = body.into_parts(&sent);
    let experiment = query.experiment_name.filter(|it| !it.is_empty());
    let experiment = experiment.ok_or_else(|| Refusal::invalid("experimentName is missing"))?;
    let new = info.into_new(experiment, None);
    kernel.commit(|world, ctx| {
        let (events, run) = decide_run(world, Workspace::from(&scope), graph, new, &caller, ctx)?;
        Ok((events, Json(wire::run_json(&run))))
    })
}

pub(super) async fn submit(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Params(query, _): Params<ParentQuery, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| {
        decide_submit(world, &scope.workspace_id, &path.id, query.parent_run_id, ctx)
    })
}

pub(super) async fn get(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.run_at(&scope.workspace_id, &path.id).map(|it| Json(wire::run_json(it)))
    })
}

pub(super) async fn cancel(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| decide_cancel(world, &scope.workspace_id, &path.id, ctx))
}
