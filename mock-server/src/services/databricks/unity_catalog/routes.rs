use std::future::ready;

use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    state::{
        Kind, METASTORE,
        rules::{check_object, decide_create, decide_delete, decide_grants, decide_update, found},
    },
    wire::{self, DeleteQuery, GrantsBody, GrantsQuery, ListQuery},
};
use crate::{
    kernel::{Body, Caller, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::required,
        workspace_of,
    },
};

/// The five operations on each kind, and those that there are once.
macro_rules! kinds {
    ($([$kind:ident $name:literal $read:literal])* ; $($more:expr),* $(,)?) => {
        &[$(
            Route::post(
                concat!("databricks.", $name, ".create"),
                concat!("/api/2.1/unity-catalog/", $name),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, body| {
                    create(Kind::$kind, here, at, caller, body)
                }),
            ),
            Route::get(
                concat!("databricks.", $name, ".list"),
                concat!("/api/2.1/unity-catalog/", $name),
                |it| on(it, |here: Here, at: AtDatabricks, query| ready(list(Kind::$kind, here, at, query))),
            ),
            Route::get(
                concat!("databricks.", $name, ".", $read),
                concat!("/api/2.1/unity-catalog/", $name, "/{name}"),
                |it| on(it, |here: Here, at: AtDatabricks, path| ready(get(Kind::$kind, here, at, path))),
            ),
            Route::patch(
                concat!("databricks.", $name, ".update"),
                concat!("/api/2.1/unity-catalog/", $name, "/{name}"),
                |it| on(it, |here: Here, at: AtDatabricks, caller: Caller, path, body| {
                    update(Kind::$kind, here, at, caller, path, body)
                }),
            ),
            Route::delete(
                concat!("databricks.", $name, ".delete"),
                concat!("/api/2.1/unity-catalog/", $name, "/{name}"),
                |it| on(it, |here: Here, at: AtDatabricks, path, query| {
                    delete(Kind::$kind, here, at, path, query)
                }),
            ),
        )* $($more,)*]
    };
}

const GRANTS: &str = "/api/2.1/unity-catalog/permissions/{kind}/{name}";
const EFFECTIVE: &str = "/api/2.1/unity-catalog/effective-permissions/{kind}/{name}";
const METASTORES: &str = "/api/2.1/unity-catalog/metastores";
const ONE_METASTORE: &str = "/api/2.1/unity-catalog/metastores/{name}";
const ASSIGNED: &str = "/api/2.1/unity-catalog/workspaces/{name}/metastore";

#[rustfmt::skip]
static ROUTES: &[Route] = kinds![
    [Catalog "catalogs" "get"]
    [Schema "schemas" "get"]
    [Table "tables" "get"]
    [Volume "volumes" "read"]
    ;
    Route::get("databricks.tables.exists", "/api/2.1/unity-catalog/tables/{name}/exists", |it| on(it, exists)),
    Route::get("databricks.tables.list_summaries", "/api/2.1/unity-catalog/table-summaries", |it| on(it, summaries)),
    Route::get("databricks.grants.get", GRANTS, |it| on(it, grants)),
    Route::patch("databricks.grants.update", GRANTS, |it| on(it, change_grants)),
    Route::get("databricks.grants.get_effective", EFFECTIVE, |it| on(it, effective_grants)),
    Route::get("databricks.metastores.current", "/api/2.1/unity-catalog/current-metastore-assignment", |it| on(it, assignment)),
    Route::get("databricks.metastores.summary", "/api/2.1/unity-catalog/metastore_summary", |it| on(it, summary)),
    Route::get("databricks.metastores.list", METASTORES, |it| on(it, metastores)),
    Route::get("databricks.metastores.get", ONE_METASTORE, |it| on(it, metastore)),
    Route::absent(Method::POST, "databricks.metastores.create", METASTORES),
    Route::absent(Method::PATCH, "databricks.metastores.update", ONE_METASTORE),
    Route::absent(Method::DELETE, "databricks.metastores.delete", ONE_METASTORE),
    Route::absent(Method::PUT, "databricks.metastores.assign", ASSIGNED),
    Route::absent(Method::PATCH, "databricks.metastores.update_assignment", ASSIGNED),
    Route::absent(Method::DELETE, "databricks.metastores.unassign", ASSIGNED),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.unity_catalog", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

#[derive(Deserialize)]
struct Path {
    #[serde(default)]
    kind: String,
    name: String,
}

type PathNames = Names<Path, Envelope>;

/// The folder of a volume on this machine.
fn folder(kernel: &Kernel, workspace: u64, full_name: &str) -> std::path::PathBuf {
    let mut folder = kernel.files.volumes(workspace).path().to_owned();
    folder.extend(full_name.split('.'));
    folder
}

async fn create(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(fields, _): Body<Map<String, Value>, Envelope>,
) -> Answer {
    let made = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, kind, fields, &caller.name, ctx)
    })?;
    if kind == Kind::Volume {
        let folder = folder(&kernel, workspace, &made.full_name);
        let done = tokio::fs::create_dir_all(&folder).await;
        done.map_err(|err| Refusal::invalid(format!("The volume cannot be made: {err}")))?;
    }
    Ok(Json(wire::describe(&made)))
}

fn list(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    let container = match kind {
        Kind::Catalog => None,
        Kind::Schema => {
            Some((Kind::Catalog, required(query.catalog_name.clone(), "catalog_name")?))
        }
        Kind::Table | Kind::Volume => {
            let catalog = required(query.catalog_name.clone(), "catalog_name")?;
            let schema = required(query.schema_name.clone(), "schema_name")?;
            Some((Kind::Schema, format!("{catalog}.{schema}")))
        }
    };
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        Ok(Json(match container {
            None => wire::list(kind, catalogs.of_kind(kind), &query),
            Some((above, name)) => {
                let name = &found(catalogs, above, &name)?.full_name;
                wire::list(kind, catalogs.inside(kind, name), &query)
            }
        }))
    })
}

fn get(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
) -> Answer {
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        Ok(Json(wire::describe(found(catalogs, kind, &path.name)?)))
    })
}

async fn update(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Names(path, _): PathNames,
    Body(changes, _): Body<Map<String, Value>, Envelope>,
) -> Answer {
    let it = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_update(world, workspace, (kind, &path.name), changes, caller.name, ctx)
    })?;
    let (from, to) = (path.name.to_lowercase(), &it.full_name);
    if kind != Kind::Table && from != *to {
        let (from, to) = (folder(&kernel, workspace, &from), folder(&kernel, workspace, to));
        // What holds no volume has no folder.
        let moved = tokio::fs::rename(&from, &to).await;
        tracing::debug!(?moved, "a container of volumes was renamed");
    }
    Ok(Json(wire::describe(&it)))
}

async fn delete(
    kind: Kind,
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
    Params(query, _): Params<DeleteQuery, Envelope>,
) -> Answer {
    let gone = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, (kind, &path.name), query.force)
    })?;
    if kind != Kind::Table {
        let folder = folder(&kernel, workspace, &gone.full_name);
        let removed = tokio::fs::remove_dir_all(&folder).await;
        tracing::debug!(?removed, "a container of volumes was deleted");
    }
    Ok(Json(json!({})))
}

async fn exists(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
) -> Answer {
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        Ok(Json(json!({ "table_exists": catalogs.find(Kind::Table, &path.name).is_some() })))
    })
}

async fn summaries(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    let catalog = required(query.catalog_name.clone(), "catalog_name")?;
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        let name = &found(catalogs, Kind::Catalog, &catalog)?.full_name;
        Ok(Json(wire::summaries(catalogs, name, &query)))
    })
}

async fn grants(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
    Params(query, _): Params<GrantsQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        check_object(catalogs, &path.kind, &path.name)?;
        Ok(Json(wire::grants(catalogs, &path.kind, &path.name, query.principal.as_deref())))
    })
}

async fn effective_grants(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
    Params(query, _): Params<GrantsQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        check_object(catalogs, &path.kind, &path.name)?;
        let principal = query.principal.as_deref();
        Ok(Json(wire::effective_grants(catalogs, &path.kind, &path.name, principal)))
    })
}

async fn change_grants(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
    Body(body, _): Body<GrantsBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_grants(world, workspace, (&path.kind, &path.name), body.read())
    })?;
    kernel.read(|world, _| {
        let catalogs = &workspace_of(world, workspace)?.unity_catalog;
        Ok(Json(wire::grants(catalogs, &path.kind, &path.name, None)))
    })
}

async fn assignment(AtDatabricks(workspace): AtDatabricks) -> Json<Value> {
    Json(wire::assignment(workspace))
}

async fn summary() -> Json<Value> {
    Json(wire::metastore())
}

async fn metastores() -> Json<Value> {
    Json(json!({ "metastores": [wire::metastore()] }))
}

async fn metastore(Names(path, _): PathNames) -> Answer {
    if path.name == METASTORE {
        return Ok(Json(wire::metastore()));
    }
    let text = format!("Metastore '{}' does not exist.", path.name);
    Err(Refusal::not_found(text).with_code("METASTORE_DOES_NOT_EXIST").into())
}
