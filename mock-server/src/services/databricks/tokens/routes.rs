use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_update, token},
    wire::{self, AllQuery, CreateBody, DeleteBody, UpdateBody},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::{list_json, required},
        workspace_of,
    },
};

static ROUTES: &[Route] = &[
    Route::post("databricks.tokens.create", "/api/2.0/token/create", |it| on(it, create)),
    Route::get("databricks.tokens.list", "/api/2.0/token/list", |it| on(it, list)),
    Route::post("databricks.tokens.delete", "/api/2.0/token/delete", |it| on(it, delete)),
    Route::patch("databricks.tokens.update", "/api/2.0/token/{token_id}", |it| on(it, update)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.tokens", gate, ROUTES).finished_by(finish);

const ALL: &str = "/api/2.0/token-management/tokens";
const ONE: &str = "/api/2.0/token-management/tokens/{token_id}";
const ON_BEHALF: &str = "/api/2.0/token-management/on-behalf-of/tokens";

#[rustfmt::skip]
static MANAGEMENT_ROUTES: &[Route] = &[
    Route::get("databricks.token_management.list", ALL, |it| on(it, list_all)),
    Route::get("databricks.token_management.get", ONE, |it| on(it, get_any)),
    Route::delete("databricks.token_management.delete", ONE, |it| on(it, delete_any)),
    Route::patch("databricks.token_management.update", ONE, |it| on(it, update_any)),
    Route::post("databricks.token_management.create_obo_token", ON_BEHALF, |it| on(it, create_on_behalf)),
];

pub(crate) static MANAGEMENT: Service =
    Service::new::<Envelope>("databricks.token_management", gate, MANAGEMENT_ROUTES)
        .finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct ById {
    token_id: String,
}

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<CreateBody, Envelope>,
) -> Answer {
    let token = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, caller.name.clone(), body.read(), &caller.name, ctx)
    })?;
    Ok(Json(json!({ "token_value": &*token.value, "token_info": wire::describe(&token) })))
}

async fn create_on_behalf(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(mut body, _): Body<CreateBody, Envelope>,
) -> Answer {
    let owner = required(body.application_id.take(), "application_id")?;
    let token = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, owner, body.read(), &caller.name, ctx)
    })?;
    kernel.read(|world, _| {
        let info = wire::describe_for_admins(workspace_of(world, workspace)?, workspace, &token);
        Ok(Json(json!({ "token_value": &*token.value, "token_info": info })))
    })
}

async fn list(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks, caller: Caller) -> Answer {
    kernel.read(|world, _| {
        let tokens = &workspace_of(world, workspace)?.tokens;
        Ok(Json(list_json("token_infos", tokens.of(&caller.name).map(wire::describe))))
    })
}

async fn list_all(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<AllQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        state.principals.check_admin(&caller.name)?;
        let creator = query.created_by_username.filter(|it| !it.is_empty());
        let tokens = state.tokens.all().map(|it| wire::describe_for_admins(state, workspace, it));
        let tokens = tokens.filter(|it| {
            query.created_by_id.is_none_or(|id| it["created_by_id"] == id)
                && creator.as_ref().is_none_or(|name| it["created_by_username"] == *name)
        });
        Ok(Json(list_json("token_infos", tokens)))
    })
}

async fn get_any(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let found = token(state, &path.token_id, &caller.name, true)?;
        let info = wire::describe_for_admins(state, workspace, found);
        Ok(Json(json!({ "token_info": info })))
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
        decide_delete(world, workspace, token_id, &caller.name, false)
    })?;
    Ok(Json(json!({})))
}

async fn delete_any(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, path.token_id, &caller.name, true)
    })?;
    Ok(Json(json!({})))
}

async fn update(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<UpdateBody, Envelope>,
) -> Answer {
    let changes = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_update(world, workspace, &path.token_id, changes, &caller.name, false)
    })?;
    Ok(Json(json!({})))
}

async fn update_any(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<UpdateBody, Envelope>,
) -> Answer {
    let changes = body.read()?;
    let it = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_update(world, workspace, &path.token_id, changes, &caller.name, true)
    })?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        Ok(Json(wire::describe_for_admins(state, workspace, &it)))
    })
}
