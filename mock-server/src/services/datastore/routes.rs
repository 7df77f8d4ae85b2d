use axum::{Json, http::Method, routing::on};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{state, wire};
use crate::{
    kernel::{Names, Refused, Route, Service, Site},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("datastore", data_plane_gate, ROUTES);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/datastore/v1.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("datastore.default", at!("/default"), |it| on(it, default)),
    Route::get("datastore.list", at!("/datastores"), |it| on(it, list)),
    Route::get("datastore.get", at!("/datastores/{name}"), |it| on(it, get)),
    Route::absent(Method::POST, "datastore.create", at!("/datastores")),
    Route::absent(Method::PUT, "datastore.update", at!("/datastores/{name}")),
    Route::absent(Method::DELETE, "datastore.delete", at!("/datastores/{name}")),
    Route::absent(Method::PUT, "datastore.set_default", at!("/default/{name}")),
];

#[derive(Deserialize)]
struct Path {
    name: String,
}

async fn default(site: Site, at: AtWorkspace) -> Result<Json<Value>, Refused<Envelope>> {
    let found = state::find(&at, state::DEFAULT)?;
    Ok(Json(wire::datastore_json(&found, &at, &site)))
}

async fn list(site: Site, at: AtWorkspace) -> Json<Value> {
    let all = state::all(&at);
    let all: Vec<Value> = all.iter().map(|it| wire::datastore_json(it, &at, &site)).collect();
    Json(json!({ "value": all, "continuationToken": null }))
}

async fn get(
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    let found = state::find(&at, &path.name)?;
    Ok(Json(wire::datastore_json(&found, &at, &site)))
}
