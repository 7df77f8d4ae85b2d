use axum::{Json, http::Method, routing::on};
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete},
    wire::{self, CreateBody, DeleteBody},
};
use crate::{
    kernel::{Body, Caller, Here, Refused, Route, Service},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::{required, seconds},
        workspace_of,
    },
};

static ROUTES: &[Route] = &[
    Route::post("databricks.tokens.create", "/api/2.0/token/create", |it| on(it, create)),
    Route::get("databricks.tokens.list", "/api/2.0/token/list", |it| on(it, list)),
    Route::post("databricks.tokens.delete", "/api/2.0/token/delete", |it| on(it, delete)),
    Route::absent(Method::PATCH, "databricks.tokens.update", "/api/2.0/token/{token_id}"),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.tokens", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<CreateBody, Envelope>,
) -> Answer {
    let CreateBody { comment, lifetime_seconds } = body;
    let lifetime = seconds(lifetime_seconds);
    let token = kernel.commit::<_, Refused<Envelope>>(|_, ctx| {
        Ok(decide_create(workspace, caller.name, comment, lifetime, ctx))
    })?;
    Ok(Json(json!({ "token_value": &*token.value, "token_info": wire::describe(&token) })))
}

async fn list(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks, caller: Caller) -> Answer {
    kernel.read(|world, _| {
        let tokens = &workspace_of(world, workspace)?.tokens;
        let them: Vec<Value> = tokens.of(&caller.name).map(wire::describe).collect();
        Ok(Json(if them.is_empty() { json!({}) } else { json!({ "token_infos": them }) }))
    })
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<DeleteBody, Envelope>,
) -> Answer {
    let token_id = required(body.token_id, "token_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, &caller.name, token_id)
    })?;
    Ok(Json(json!({})))
}
