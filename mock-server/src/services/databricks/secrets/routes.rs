use axum::Json;
use serde_json::{Value, json};

use super::{
    state::{
        Right,
        rules::{
            decide_deletion, decide_put, decide_right, decide_right_deletion, decide_scope,
            decide_scope_deletion, right_of, scope_for, secret,
        },
    },
    wire::{self, Named, PutBody, RightBody, ScopeBody},
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
    Route::post("databricks.secrets.create_scope", "/api/2.0/secrets/scopes/create", |it| on(it, create_scope)),
    Route::get("databricks.secrets.list_scopes", "/api/2.0/secrets/scopes/list", |it| on(it, list_scopes)),
    Route::post("databricks.secrets.delete_scope", "/api/2.0/secrets/scopes/delete", |it| on(it, delete_scope)),
    Route::post("databricks.secrets.put", "/api/2.0/secrets/put", |it| on(it, put)).without_bodies(),
    Route::get("databricks.secrets.get", "/api/2.0/secrets/get", |it| on(it, get)).without_bodies(),
    Route::get("databricks.secrets.list", "/api/2.0/secrets/list", |it| on(it, list)),
    Route::post("databricks.secrets.delete", "/api/2.0/secrets/delete", |it| on(it, delete)),
    Route::post("databricks.secrets.put_acl", "/api/2.0/secrets/acls/put", |it| on(it, put_right)),
    Route::get("databricks.secrets.get_acl", "/api/2.0/secrets/acls/get", |it| on(it, get_right)),
    Route::get("databricks.secrets.list_acls", "/api/2.0/secrets/acls/list", |it| on(it, list_rights)),
    Route::post("databricks.secrets.delete_acl", "/api/2.0/secrets/acls/delete", |it| on(it, delete_right)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.secrets", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create_scope(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(mut body, _): Body<ScopeBody, Envelope>,
) -> Answer {
    let vault = body.vault()?;
    let name = required(body.scope, "scope")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        let manager = body.initial_manage_principal;
        decide_scope(world, workspace, name, manager, vault, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn list_scopes(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks) -> Answer {
    kernel.read(|world, _| {
        let scopes = workspace_of(world, workspace)?.secrets.0.values();
        Ok(Json(list_json("scopes", scopes.map(wire::scope_json))))
    })
}

async fn delete_scope(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<Named, Envelope>,
) -> Answer {
    let scope = body.scope()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_scope_deletion(world, workspace, scope, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn put(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<PutBody, Envelope>,
) -> Answer {
    let (names, value) = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_put(world, workspace, names, value, &caller.name, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<Named, Envelope>,
) -> Answer {
    let (scope, key) = query.secret()?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let found = secret(scope_for(state, &scope, &caller.name, Right::Read)?, &key)?;
        Ok(Json(json!({ "key": key, "value": &*found.value })))
    })
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<Named, Envelope>,
) -> Answer {
    let scope = query.scope()?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let found = scope_for(state, &scope, &caller.name, Right::Read)?;
        let secrets = found.secrets.iter().map(|(key, it)| wire::secret_json(key, it));
        Ok(Json(list_json("secrets", secrets)))
    })
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<Named, Envelope>,
) -> Answer {
    let names = body.secret()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_deletion(world, workspace, names, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn put_right(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<RightBody, Envelope>,
) -> Answer {
    let (names, right) = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_right(world, workspace, names, right, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn get_right(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<Named, Envelope>,
) -> Answer {
    let (scope, principal) = query.principal()?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let found = scope_for(state, &scope, &caller.name, Right::Manage)?;
        Ok(Json(wire::right_json(&principal, right_of(found, &principal)?)))
    })
}

async fn list_rights(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<Named, Envelope>,
) -> Answer {
    let scope = query.scope()?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        let found = scope_for(state, &scope, &caller.name, Right::Manage)?;
        let rights = found.rights.iter().map(|(name, it)| wire::right_json(name, *it));
        Ok(Json(list_json("items", rights)))
    })
}

async fn delete_right(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<Named, Envelope>,
) -> Answer {
    let names = body.principal()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_right_deletion(world, workspace, names, &caller.name)
    })?;
    Ok(Json(json!({})))
}
