use axum::{Json, http::StatusCode};
use serde_json::{Map, Value};

use super::{
    state::decide_set,
    wire::{self, KeysQuery},
};
use crate::{
    kernel::{Body, Caller, Here, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::required,
        workspace_of,
    },
};

const PATH: &str = "/api/2.0/workspace-conf";

static ROUTES: &[Route] = &[
    Route::get("databricks.workspace_conf.get_status", PATH, |it| on(it, get)),
    Route::patch("databricks.workspace_conf.set_status", PATH, |it| on(it, set)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.workspace_conf", gate, ROUTES).finished_by(finish);

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<KeysQuery, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    let keys = required(query.keys, "keys")?;
    kernel.read(|world, _| Ok(Json(wire::describe(&workspace_of(world, workspace)?.conf, &keys))))
}

async fn set(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(fields, _): Body<Map<String, Value>, Envelope>,
) -> Result<StatusCode, Refused<Envelope>> {
    let values = wire::read(fields)?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_set(world, workspace, values, &caller.name)
    })?;
    Ok(StatusCode::NO_CONTENT)
}
