//! Pipelines with an address of their own.

use axum::Json;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Envelope, Id, In, runs::ParentQuery};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refusal, Refused, Site, parse},
    services::pipelines::{
        state::{
            Availability, Workspace, decide_availability, decide_publication, decide_submission_of,
        },
        wire::{
            self,
            body::{PublicationBody, SubmissionBody},
        },
    },
};

pub(super) async fn create(
    Here(kernel): Here,
    In(scope): In,
    site: Site,
    Body(sent, _): Body<Value, Envelope>,
) -> Answer {
    let body: PublicationBody = parse(sent.to_string().as_bytes())?;
    let (new, graph) = body.into_new(&sent)?;
    let published = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_publication(world, Workspace::from(&scope), new, graph, ctx)
    })?;
    kernel.read(|world, _| Ok(Json(wire::published_json(&published, world, &site))))
}

pub(super) async fn get(
    Here(kernel): Here,
    In(scope): In,
    site: Site,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let found = world.pipelines.published(&Workspace::from(&scope), &path.id)?;
        Ok(Json(wire::published_json(found, world, &site)))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    #[serde(default)]
    active_only: bool,
}

pub(super) async fn list(
    Here(kernel): Here,
    In(scope): In,
    site: Site,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let all = world.pipelines.all_published(&Workspace::from(&scope)).into_iter();
        let all = all.filter(|it| !query.active_only || it.status == Availability::Active);
        Ok(Json(all.map(|it| wire::published_json(it, world, &site)).collect()))
    })
}

pub(super) async fn set_status(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(status, _): Body<Value, Envelope>,
) -> Result<(), Refused<Envelope>> {
    let status: Availability = wire::body::text(&status).parse()?;
    let workspace = Workspace::from(&scope);
    kernel.commit(|world, ctx| decide_availability(world, &workspace, &path.id, status, ctx))
}

pub(super) async fn submit(
    Here(kernel): Here,
    In(scope): In,
    caller: Caller,
    Names(path, _): Names<Id, Envelope>,
    Params(query, _): Params<ParentQuery, Envelope>,
    Body(body, _): Body<SubmissionBody, Envelope>,
) -> Answer {
    let experiment = body.experiment_name.clone().filter(|it| !it.is_empty());
    let experiment = experiment.ok_or_else(|| Refusal::invalid("ExperimentName is missing"))?;
    let new = body.into_new(experiment, query.parent_run_id);
    kernel.commit(|world, ctx| {
        let workspace = Workspace::from(&scope);
        let (events, run) = decide_submission_of(world, workspace, &path.id, new, &caller, ctx)?;
        Ok((events, Json(wire::run_json(&run))))
    })
}

pub(super) async fn runs(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let pipeline = world.pipelines.published(&Workspace::from(&scope), &path.id)?;
        let runs = world.pipelines.runs_of(&pipeline.id).into_iter().map(wire::run_json);
        Ok(Json(runs.collect()))
    })
}
