use axum::Json;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_edit},
    wire::{self, ById, PoolBody},
};
use crate::{
    kernel::{Body, Caller, Here, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::{list_json, required},
        workspace_of,
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::post("databricks.instance_pools.create", "/api/2.0/instance-pools/create", |it| on(it, create)),
    Route::post("databricks.instance_pools.edit", "/api/2.0/instance-pools/edit", |it| on(it, edit)),
    Route::post("databricks.instance_pools.delete", "/api/2.0/instance-pools/delete", |it| on(it, delete)),
    Route::get("databricks.instance_pools.get", "/api/2.0/instance-pools/get", |it| on(it, get)),
    Route::get("databricks.instance_pools.list", "/api/2.0/instance-pools/list", |it| on(it, list)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.instance_pools", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<PoolBody, Envelope>,
) -> Answer {
    let new = body.read()?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, new, caller.name, ctx)
    })?;
    Ok(Json(json!({ "instance_pool_id": id })))
}

async fn edit(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(mut body, _): Body<PoolBody, Envelope>,
) -> Answer {
    let id = required(body.instance_pool_id.take(), "instance_pool_id")?;
    let new = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_edit(world, workspace, &id, new))?;
    Ok(Json(json!({})))
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<ById, Envelope>,
) -> Answer {
    let id = required(body.instance_pool_id, "instance_pool_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_delete(world, workspace, id))?;
    Ok(Json(json!({})))
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ById, Envelope>,
) -> Answer {
    let id = required(query.instance_pool_id, "instance_pool_id")?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        Ok(Json(wire::describe(state, state.pools.get(&id)?)))
    })
}

async fn list(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks) -> Answer {
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let pools = state.pools.all().map(|it| wire::describe(state, it));
        Ok(Json(list_json("instance_pools", pools)))
    })
}
