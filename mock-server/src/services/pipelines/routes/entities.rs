//! Data types, modules, data sources and graphs.

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{super::state::Workspace, Answer, Envelope, Id, In};
use crate::{
    kernel::{Body, Here, Kernel, Names, Refused},
    services::pipelines::{
        state::{Kind, decide_data_type, decide_entity, decide_entity_update},
        wire,
    },
};

#[derive(Deserialize)]
pub(super) struct Hash {
    hash: String,
}

pub(super) async fn data_types(Here(kernel): Here, In(scope): In) -> Answer {
    kernel.read(|world, _| {
        Ok(Json(wire::data_types_json(world.pipelines.data_types(&scope.workspace_id))))
    })
}

pub(super) async fn create_data_type(
    Here(kernel): Here,
    In(scope): In,
    Body(body, _): Body<Value, Envelope>,
) -> Answer {
    kernel.commit(|world, ctx| {
        let (events, kept) =
            decide_data_type(&world.pipelines, &scope.workspace_id, wire::DATA_TYPES, &body, ctx)?;
        Ok((events, Json(kept)))
    })
}

pub(super) async fn module_by_hash(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Hash, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world
            .pipelines
            .module_by_hash(&scope.workspace_id, &path.hash)
            .map(|it| Json(wire::module_json(it)))
    })
}

pub(super) async fn module(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.module(&scope.workspace_id, &path.id).map(|it| Json(wire::module_json(it)))
    })
}

pub(super) async fn create_module(
    Here(kernel): Here,
    In(scope): In,
    Body(body, _): Body<Value, Envelope>,
) -> Answer {
    kernel.commit(|_, ctx| {
        let (events, body) = decide_entity(&scope.workspace_id, body, Kind::Module, ctx)?;
        Ok((events, Json(body)))
    })
}

pub(super) async fn update_module(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(changes, _): Body<Map<String, Value>, Envelope>,
) -> Result<(), Refused<Envelope>> {
    update(&kernel, &scope.workspace_id, Kind::Module, &path.id, &changes)
}

fn update(
    kernel: &Kernel,
    at: &str,
    kind: Kind,
    id: &str,
    changes: &Map<String, Value>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| decide_entity_update(&world.pipelines, at, kind, id, changes, ctx))
}

pub(super) async fn data_source_by_hash(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Hash, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.data_source_by_hash(&scope.workspace_id, &path.hash).cloned().map(Json)
    })
}

pub(super) async fn data_source(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.data_source(&scope.workspace_id, &path.id).cloned().map(Json)
    })
}

pub(super) async fn create_data_source(
    Here(kernel): Here,
    In(scope): In,
    Body(body, _): Body<Value, Envelope>,
) -> Answer {
    kernel.commit(|world, ctx| {
        let body = wire::with_location(body, world, &Workspace::from(&scope))?;
        let (events, body) = decide_entity(&scope.workspace_id, body, Kind::DataSource, ctx)?;
        Ok((events, Json(body)))
    })
}

pub(super) async fn update_data_source(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(changes, _): Body<Map<String, Value>, Envelope>,
) -> Result<(), Refused<Envelope>> {
    update(&kernel, &scope.workspace_id, Kind::DataSource, &path.id, &changes)
}

pub(super) async fn graph(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.graph(&scope.workspace_id, &path.id).map(|it| Json(it.body.clone()))
    })
}

pub(super) async fn graph_interface(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.graph(&scope.workspace_id, &path.id).map(|it| Json(it.interface.clone()))
    })
}
