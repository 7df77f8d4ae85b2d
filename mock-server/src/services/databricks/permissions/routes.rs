use axum::Json;
use serde::Deserialize;
use serde_json::Value;

use super::{
    state::{Object, decide_set},
    wire::{self, SetBody},
};
use crate::{
    kernel::{Body, Caller, Here, Kernel, Names, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        workspace_of,
    },
};

const ONE: &str = "/api/2.0/permissions/{kind}/{id}";
const LEVELS: &str = "/api/2.0/permissions/{kind}/{id}/permissionLevels";

static ROUTES: &[Route] = &[
    Route::get("databricks.permissions.get", ONE, |it| on(it, get)),
    Route::put("databricks.permissions.set", ONE, |it| on(it, set)),
    Route::patch("databricks.permissions.update", ONE, |it| on(it, update)),
    Route::get("databricks.permissions.get_levels", LEVELS, |it| on(it, levels)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.permissions", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct Path {
    kind: String,
    id: String,
}

fn shown(kernel: &Kernel, workspace: u64, path: Path) -> Answer {
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let object = Object::find(state, &path.kind, path.id)?;
        Ok(Json(wire::describe(state, &object)))
    })
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    shown(&kernel, workspace, path)
}

async fn levels(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let object = Object::find(workspace_of(world, workspace)?, &path.kind, path.id)?;
        Ok(Json(wire::levels_json(&object)))
    })
}

async fn set(
    here: Here,
    at: AtDatabricks,
    caller: Caller,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<SetBody, Envelope>,
) -> Answer {
    change(here, at, &caller, path, body, true)
}

async fn update(
    here: Here,
    at: AtDatabricks,
    caller: Caller,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<SetBody, Envelope>,
) -> Answer {
    change(here, at, &caller, path, body, false)
}

fn change(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: &Caller,
    path: Path,
    body: SetBody,
    replaces: bool,
) -> Answer {
    let grants = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        let named = (path.kind.as_str(), path.id.clone());
        decide_set(world, workspace, named, grants, replaces, &caller.name)
    })?;
    shown(&kernel, workspace, path)
}
