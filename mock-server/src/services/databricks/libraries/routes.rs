use axum::Json;
use serde_json::{Value, json};

use super::{
    state::{decide_install, decide_uninstall},
    wire::{self, ChangeBody, StatusQuery},
};
use crate::{
    kernel::{Body, Here, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::required,
        workspace_of,
    },
};

static ROUTES: &[Route] = &[
    Route::post("databricks.libraries.install", "/api/2.0/libraries/install", |it| on(it, install)),
    Route::post("databricks.libraries.uninstall", "/api/2.0/libraries/uninstall", |it| {
        on(it, uninstall)
    }),
    Route::get("databricks.libraries.cluster_status", "/api/2.0/libraries/cluster-status", |it| {
        on(it, status)
    }),
    Route::get(
        "databricks.libraries.all_cluster_statuses",
        "/api/2.0/libraries/all-cluster-statuses",
        |it| on(it, statuses),
    ),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.libraries", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn install(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<ChangeBody, Envelope>,
) -> Answer {
    let id = required(body.cluster_id, "cluster_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        workspace_of(world, workspace)?.clusters.get(&id)?;
        decide_install(world, workspace, &id, body.libraries, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn uninstall(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<ChangeBody, Envelope>,
) -> Answer {
    let id = required(body.cluster_id, "cluster_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_uninstall(world, workspace, &id, body.libraries, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn status(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<StatusQuery, Envelope>,
) -> Answer {
    let id = required(query.cluster_id, "cluster_id")?;
    kernel.read(|world, _| {
        let state = workspace_of(world, workspace)?;
        state.clusters.get(&id)?;
        Ok(Json(wire::describe(&id, state.libraries.of(&id))))
    })
}

async fn statuses(Here(kernel): Here, AtDatabricks(workspace): AtDatabricks) -> Answer {
    kernel.read(|world, _| {
        let all = workspace_of(world, workspace)?.libraries.all();
        let all: Vec<Value> = all.map(|(id, entries)| wire::describe(id, entries)).collect();
        Ok(Json(if all.is_empty() { json!({}) } else { json!({ "statuses": all }) }))
    })
}
