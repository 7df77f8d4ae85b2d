use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_update},
    wire::{self, ScriptBody},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::list_json,
        workspace_of,
    },
};

const ALL: &str = "/api/2.0/global-init-scripts";
const ONE: &str = "/api/2.0/global-init-scripts/{script_id}";

static ROUTES: &[Route] = &[
    Route::post("databricks.global_init_scripts.create", ALL, |it| on(it, create)),
    Route::get("databricks.global_init_scripts.list", ALL, |it| on(it, list)),
    Route::get("databricks.global_init_scripts.get", ONE, |it| on(it, get)),
    Route::patch("databricks.global_init_scripts.update", ONE, |it| on(it, update)),
    Route::delete("databricks.global_init_scripts.delete", ONE, |it| on(it, delete)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.global_init_scripts", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct ById {
    script_id: String,
}

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<ScriptBody, Envelope>,
) -> Answer {
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, body.read(), caller.name, ctx)
    })?;
    Ok(Json(json!({ "script_id": id })))
}

async fn list(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks) -> Answer {
    kernel.read(|world, _| {
        let scripts = workspace_of(world, workspace)?.init_scripts.all().map(wire::describe);
        Ok(Json(list_json("scripts", scripts)))
    })
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let found = workspace_of(world, workspace)?.init_scripts.get(&path.script_id)?;
        let mut it = wire::describe(found);
        it["script"] = json!(found.1.text);
        Ok(Json(it))
    })
}

async fn update(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<ScriptBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_update(world, workspace, &path.script_id, body.read(), caller.name, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, path.script_id, &caller.name)
    })?;
    Ok(Json(json!({})))
}
