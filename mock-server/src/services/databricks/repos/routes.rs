use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_update},
    wire::{self, CreateBody, ListQuery, UpdateBody},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        workspace_of,
    },
};

const ALL: &str = "/api/2.0/repos";
const ONE: &str = "/api/2.0/repos/{id}";

static ROUTES: &[Route] = &[
    Route::post("databricks.repos.create", ALL, |it| on(it, create))
        .partial("the folder stays empty: nothing is fetched"),
    Route::get("databricks.repos.list", ALL, |it| on(it, list)),
    Route::get("databricks.repos.get", ONE, |it| on(it, get)),
    Route::patch("databricks.repos.update", ONE, |it| on(it, update))
        .partial("any branch and tag is there"),
    Route::delete("databricks.repos.delete", ONE, |it| on(it, delete)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.repos", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct ById {
    id: String,
}

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<CreateBody, Envelope>,
) -> Answer {
    let new = body.read()?;
    let repo = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, new, caller.name, ctx)
    })?;
    Ok(Json(wire::describe(&repo)))
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel
        .read(|world, _| Ok(Json(wire::list(workspace_of(world, workspace)?.repos.all(), &query))))
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        Ok(Json(wire::describe(workspace_of(world, workspace)?.repos.get(&path.id)?)))
    })
}

async fn update(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<UpdateBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_update(world, workspace, &path.id, body.read(), ctx)
    })?;
    Ok(Json(json!({})))
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_delete(world, workspace, &path.id))?;
    Ok(Json(json!({})))
}
