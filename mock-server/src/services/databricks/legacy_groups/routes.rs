use axum::{Json, http::Method};
use serde_json::Value;

use super::wire;
use crate::{
    kernel::{Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{finish, gate},
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::get("databricks.legacy_groups.list", "/api/2.0/groups/list", |it| on(it, list)).partial("groups that were made later"),
    Route::absent(Method::GET, "databricks.legacy_groups.list_members", "/api/2.0/groups/list-members"),
    Route::absent(Method::GET, "databricks.legacy_groups.list_parents", "/api/2.0/groups/list-parents"),
    Route::absent(Method::POST, "databricks.legacy_groups.create", "/api/2.0/groups/create"),
    Route::absent(Method::POST, "databricks.legacy_groups.delete", "/api/2.0/groups/delete"),
    Route::absent(Method::POST, "databricks.legacy_groups.add_member", "/api/2.0/groups/add-member"),
    Route::absent(Method::POST, "databricks.legacy_groups.remove_member", "/api/2.0/groups/remove-member"),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.legacy_groups", gate, ROUTES).finished_by(finish);

async fn list() -> Result<Json<Value>, Refused<Envelope>> {
    Ok(Json(wire::list()))
}
