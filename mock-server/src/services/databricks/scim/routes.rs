use axum::{Json, routing::on};
use serde_json::Value;

use super::wire;
use crate::{
    kernel::{Caller, Here, Refusal, Refused, Route, Service},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        workspace_of,
    },
};

static ROUTES: &[Route] =
    &[Route::get("databricks.scim.me", "/api/2.0/preview/scim/v2/Me", |it| on(it, me))];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.scim", gate, ROUTES).finished_by(finish);

async fn me(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
) -> Result<Json<Value>, Refused<Envelope>> {
    kernel.read(|world, _| {
        let found = workspace_of(world, workspace)?.principals.get(&caller.name);
        let missing = || Refusal::not_found(format!("User {} does not exist", caller.name));
        Ok(Json(wire::describe(found.ok_or_else(missing)?)))
    })
}
