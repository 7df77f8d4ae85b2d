use axum::{Json, http::Method, routing::on};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::decide_snapshot,
    wire::{self, PlacesBody, SnapshotBody},
};
use crate::{
    kernel::{Body, Here, Names, Refusal, Refused, Route, Service, Site},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("content", data_plane_gate, ROUTES);

macro_rules! v1 {
    ($rest:literal) => {
        workspace_path!("/content/v1.0", $rest)
    };
}
macro_rules! v2 {
    ($rest:literal) => {
        workspace_path!("/content/v2.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("content.snapshots.latest", v1!("/snapshots/latest/metadata"), |it| on(it, latest)),
    Route::post("content.snapshots.get_blob", v2!("/snapshots/getblob"), |it| on(it, places)).without_bodies(),
    Route::post("content.snapshots.create", v2!("/snapshots/{id}"), |it| on(it, create)).without_bodies(),
    Route::absent(Method::GET, "content.snapshots.metadata", v1!("/snapshots/{id}/metadata")),
    Route::absent(Method::GET, "content.snapshots.zip", v1!("/snapshots/{id}/zip")),
];

async fn latest(_: AtWorkspace) -> Json<Value> {
    Json(wire::empty_json())
}

async fn places(
    at: AtWorkspace,
    site: Site,
    Body(body, _): Body<PlacesBody, Envelope>,
) -> Json<Value> {
    // Each upload has a folder of its own, so none meets the files of another.
    // It is drawn from no world: nothing is recorded until the snapshot is made.
    let id = uuid::Uuid::new_v4().simple().to_string();
    let nodes = body.file_names.iter().map(|it| wire::place_json(&at.account, &id, it, &site));
    Json(json!({ "fileNodes": nodes.collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
struct Path {
    id: String,
}

async fn create(
    Here(kernel): Here,
    _: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<SnapshotBody, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    let new = body.into_new(path.id).map_err(Refusal::invalid)?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_snapshot(&world.content, new))?;
    Ok(Json(Value::Null))
}
