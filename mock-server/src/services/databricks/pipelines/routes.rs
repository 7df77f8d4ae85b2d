use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::ListQuery;
use crate::{
    kernel::{Names, Params, Refusal, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{finish, gate},
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::get("databricks.pipelines.list", "/api/2.0/pipelines", |it| on(it, list)).partial("a workspace has none"),
    Route::get("databricks.pipelines.get", "/api/2.0/pipelines/{pipeline_id}", |it| on(it, get)).partial("a workspace has none"),
    Route::absent(Method::POST, "databricks.pipelines.create", "/api/2.0/pipelines"),
    Route::absent(Method::PUT, "databricks.pipelines.update", "/api/2.0/pipelines/{pipeline_id}"),
    Route::absent(Method::DELETE, "databricks.pipelines.delete", "/api/2.0/pipelines/{pipeline_id}"),
    Route::absent(Method::POST, "databricks.pipelines.clone", "/api/2.0/pipelines/{pipeline_id}/clone"),
    Route::absent(Method::POST, "databricks.pipelines.stop", "/api/2.0/pipelines/{pipeline_id}/stop"),
    Route::absent(Method::POST, "databricks.pipelines.apply_environment", "/api/2.0/pipelines/{pipeline_id}/environment/apply"),
    Route::absent(Method::GET, "databricks.pipelines.list_events", "/api/2.0/pipelines/{pipeline_id}/events"),
    Route::absent(Method::GET, "databricks.pipelines.list_updates", "/api/2.0/pipelines/{pipeline_id}/updates"),
    Route::absent(Method::POST, "databricks.pipelines.start_update", "/api/2.0/pipelines/{pipeline_id}/updates"),
    Route::absent(Method::GET, "databricks.pipelines.get_update", "/api/2.0/pipelines/{pipeline_id}/updates/{update_id}"),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.pipelines", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn list(Params(_, _): Params<ListQuery, Envelope>) -> Answer {
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Path {
    pipeline_id: String,
}

async fn get(Names(path, _): Names<Path, Envelope>) -> Answer {
    let text = format!("The specified pipeline {} was not found.", path.pipeline_id);
    Err(Refusal::not_found(text).into())
}
