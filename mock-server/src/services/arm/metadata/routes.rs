use axum::Json;
use serde::Deserialize;
use serde_json::Value;

use super::wire;
use crate::{
    kernel::{Params, Refused, Route, Service, Site, on, routes::open_to_all},
    services::{arm::state::REGION, azure::ArmEnvelope as Envelope},
};

/// What describes the cloud. Clients look it up before they have a token.
pub(crate) static SERVICE: Service = Service::new::<Envelope>("arm.metadata", open_to_all, CLOUD);

/// What describes the data plane.
pub(crate) static DISCOVERY: Service = Service::new::<Envelope>("discovery", open_to_all, SERVICES);

// SDKs look the cloud up again and again, so its bodies are not recorded.
#[rustfmt::skip]
const CLOUD: &[Route] = &[
    Route::get("arm.metadata.get", "/metadata/endpoints", |it| on(it, endpoints)).without_bodies(),
];

#[rustfmt::skip]
const SERVICES: &[Route] = &[
    Route::get("discovery.get", "/discovery", |it| on(it, discovery)),
];

#[derive(Deserialize)]
struct Query {
    #[serde(default, rename = "api-version")]
    api_version: String,
}

/// The old versions answer with a list of clouds, the later ones with one.
async fn endpoints(
    site: Site,
    Params(query, _): Params<Query, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    let cloud = wire::cloud_json(&site);
    // Versions are dates, so they sort as texts. SDKs that name none want a list.
    let is_list = query.api_version.as_str() < "2019-10-01";
    Ok(Json(if is_list { Value::Array(vec![cloud]) } else { cloud }))
}

async fn discovery(site: Site) -> Json<Value> {
    Json(wire::discovery_json(&site.data_plane(REGION)))
}
