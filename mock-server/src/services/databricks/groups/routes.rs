use axum::{Json, http::Method, routing::on};
use serde_json::Value;

use super::wire;
use crate::{
    kernel::{Refused, Route, Service},
    services::databricks::{
        Envelope,
        gate::{finish, gate},
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::get("databricks.groups.list", "/api/2.0/groups/list", |it| on(it, list)).partial("groups that were made later"),
    Route::absent(Method::GET, "databricks.groups.list_members", "/api/2.0/groups/list-members"),
    Route::absent(Method::GET, "databricks.groups.list_parents", "/api/2.0/groups/list-parents"),
    Route::absent(Method::POST, "databricks.groups.create", "/api/2.0/groups/create"),
    Route::absent(Method::POST, "databricks.groups.delete", "/api/2.0/groups/delete"),
    Route::absent(Method::POST, "databricks.groups.add_member", "/api/2.0/groups/add-member"),
    Route::absent(Method::POST, "databricks.groups.remove_member", "/api/2.0/groups/remove-member"),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.groups", gate, ROUTES).finished_by(finish);

async fn list() -> Result<Json<Value>, Refused<Envelope>> {
    Ok(Json(wire::list()))
}
