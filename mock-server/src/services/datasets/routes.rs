use axum::{Json, http::Method};
use serde_json::{Value, json};

use super::{state::decide_save, wire::DatasetBody};
use crate::{
    kernel::{Body, Here, Refused, Route, Service, on},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("datasets", data_plane_gate, ROUTES);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/dataset/v1.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::post("datasets.saved.create", at!("/saveddatasets"), |it| on(it, save)),
    Route::absent(Method::GET, "datasets.saved.get", at!("/saveddatasets/{id}")),
    Route::absent(Method::GET, "datasets.list", at!("/datasets")),
    Route::absent(Method::POST, "datasets.create", at!("/datasets")),
];

async fn save(
    Here(kernel): Here,
    at: AtWorkspace,
    Body(body, _): Body<DatasetBody, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    let new = body.into_new()?;
    kernel.commit(|_, ctx| {
        let (events, id) = decide_save(&at.workspace_id, new, ctx);
        Ok((events, Json(json!({ "id": id }))))
    })
}
