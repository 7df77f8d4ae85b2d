use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_update},
    wire::{self, CredentialBody},
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

const ALL: &str = "/api/2.0/git-credentials";
const ONE: &str = "/api/2.0/git-credentials/{id}";

static ROUTES: &[Route] = &[
    Route::post("databricks.git_credentials.create", ALL, |it| on(it, create)).without_bodies(),
    Route::get("databricks.git_credentials.list", ALL, |it| on(it, list)),
    Route::get("databricks.git_credentials.get", ONE, |it| on(it, get)),
    Route::patch("databricks.git_credentials.update", ONE, |it| on(it, update)).without_bodies(),
    Route::delete("databricks.git_credentials.delete", ONE, |it| on(it, delete)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.git_credentials", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct ById {
    id: String,
}

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<CredentialBody, Envelope>,
) -> Answer {
    let wanted = body.read()?;
    let made = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, wanted, caller.name, ctx)
    })?;
    Ok(Json(wire::describe(&made)))
}

async fn list(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks, caller: Caller) -> Answer {
    kernel.read(|world, _| {
        let own = workspace_of(world, workspace)?.git_credentials.of(&caller.name);
        Ok(Json(list_json("credentials", own.map(wire::describe))))
    })
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let found = workspace_of(world, workspace)?.git_credentials.get(&path.id, &caller.name)?;
        Ok(Json(wire::describe(found)))
    })
}

async fn update(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<CredentialBody, Envelope>,
) -> Answer {
    let wanted = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_update(world, workspace, &path.id, wanted, &caller.name)
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
        decide_delete(world, workspace, &path.id, &caller.name)
    })?;
    Ok(Json(json!({})))
}
