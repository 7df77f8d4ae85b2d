use std::future::ready;

use axum::{Json, http::StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    state::{
        Kind,
        rules::{decide_create, decide_delete, decide_patch, decide_replace, found},
    },
    wire::{self, Envelope, ListQuery, PatchBody, ShownQuery},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refusal, Refused, Route, Service, on},
    services::databricks::{
        gate::{AtDatabricks, finish, gate},
        workspace_of,
    },
};

/// The six operations on one kind.
macro_rules! kinds {
    ($([$kind:ident $folder:literal $name:literal])*) => {
        &[
            Route::get("databricks.scim.me", "/api/2.0/preview/scim/v2/Me", |it| on(it, me)),
        $(
            Route::get(
                concat!("databricks.", $name, ".list"),
                concat!("/api/2.0/preview/scim/v2/", $folder),
                |it| on(it, |here: Here, at: AtDatabricks, query| ready(list(Kind::$kind, here, at, query))),
            ),
            Route::post(
                concat!("databricks.", $name, ".create"),
                concat!("/api/2.0/preview/scim/v2/", $folder),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, body| {
                    ready(create(Kind::$kind, here, at, &caller, body))
                }),
            ),
            Route::get(
                concat!("databricks.", $name, ".get"),
                concat!("/api/2.0/preview/scim/v2/", $folder, "/{id}"),
                |it| on(it, |here: Here, at: AtDatabricks, path, query| {
                    ready(get(Kind::$kind, here, at, path, query))
                }),
            ),
            Route::put(
                concat!("databricks.", $name, ".update"),
                concat!("/api/2.0/preview/scim/v2/", $folder, "/{id}"),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, path, body| {
                    ready(replace(Kind::$kind, here, at, &caller, path, body))
                }),
            ),
            Route::patch(
                concat!("databricks.", $name, ".patch"),
                concat!("/api/2.0/preview/scim/v2/", $folder, "/{id}"),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, path, body| {
                    ready(patch(Kind::$kind, here, at, &caller, path, body))
                }),
            ),
            Route::delete(
                concat!("databricks.", $name, ".delete"),
                concat!("/api/2.0/preview/scim/v2/", $folder, "/{id}"),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, path| {
                    ready(delete(Kind::$kind, here, at, &caller, path))
                }),
            ),
        )*]
    };
}

static ROUTES: &[Route] = kinds![
    [User "Users" "users"]
    [Group "Groups" "groups"]
    [ServicePrincipal "ServicePrincipals" "service_principals"]
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.scim", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct ById {
    id: String,
}

async fn me(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Params(query, _): Params<ShownQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let principals = &workspace_of(world, workspace)?.principals;
        let missing = || Refusal::not_found(format!("User {} does not exist", caller.name));
        let found = principals.get(&caller.name).ok_or_else(missing)?;
        Ok(Json(wire::show_me(principals, found, &query)))
    })
}

fn list(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        wire::list(&workspace_of(world, workspace)?.principals, kind, &query).map(Json)
    })
}

fn get(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): Names<ById, Envelope>,
    Params(query, _): Params<ShownQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let principals = &workspace_of(world, workspace)?.principals;
        let it = found(principals, kind, &path.id)?;
        Ok(Json(wire::show(principals, &it, &query)))
    })
}

fn create(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: &Caller,
    Body(fields, _): Body<Map<String, Value>, Envelope>,
) -> Result<(StatusCode, Json<Value>), Refused<Envelope>> {
    let made = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, kind, fields, &caller.name, ctx)
    })?;
    kernel.read(|world, _| {
        let principals = &workspace_of(world, workspace)?.principals;
        Ok((StatusCode::CREATED, Json(wire::describe(principals, &made))))
    })
}

fn replace(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: &Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(fields, _): Body<Map<String, Value>, Envelope>,
) -> Answer {
    let it = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_replace(world, workspace, (kind, &path.id), fields, &caller.name)
    })?;
    kernel
        .read(|world, _| Ok(Json(wire::describe(&workspace_of(world, workspace)?.principals, &it))))
}

fn patch(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: &Caller,
    Names(path, _): Names<ById, Envelope>,
    Body(body, _): Body<PatchBody, Envelope>,
) -> Answer {
    let operations = body.read()?;
    let it = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_patch(world, workspace, (kind, &path.id), operations, &caller.name)
    })?;
    kernel
        .read(|world, _| Ok(Json(wire::describe(&workspace_of(world, workspace)?.principals, &it))))
}

fn delete(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: &Caller,
    Names(path, _): Names<ById, Envelope>,
) -> Result<StatusCode, Refused<Envelope>> {
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, (kind, &path.id), &caller.name)
    })?;
    Ok(StatusCode::NO_CONTENT)
}
