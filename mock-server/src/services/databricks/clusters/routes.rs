use axum::Json;
use serde_json::{Map, Value, json};

use super::{
    state::rules::{
        decide_change_owner, decide_create, decide_edit, decide_pin, decide_remove, decide_resize,
        decide_restart, decide_start, decide_terminate,
    },
    state::{Source, Termination},
    wire::{self, ByIdBody, EventsBody, ListQuery, OwnerBody, ResizeBody, UpdateBody},
};
use crate::{
    kernel::{
        Body, Caller, Ctx, Decision, Here, Params, Refusal, Refused, Route, Service, World, on,
    },
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        policies,
        wire::required,
        workspace_of,
    },
};

/// One operation under both versions of the API.
macro_rules! both {
    ($([$make:ident $operation:literal, $path:literal, $handler:expr])*) => {
        &[$(
            Route::$make($operation, concat!("/api/2.0/clusters/", $path), |it| on(it, $handler)),
            Route::$make($operation, concat!("/api/2.1/clusters/", $path), |it| on(it, $handler)),
        )*]
    };
}

static ROUTES: &[Route] = both![
    [post "databricks.clusters.create", "create", create]
    [post "databricks.clusters.edit", "edit", edit]
    [post "databricks.clusters.update", "update", update]
    [post "databricks.clusters.change_owner", "change-owner", change_owner]
    [post "databricks.clusters.start", "start", start]
    [post "databricks.clusters.restart", "restart", restart]
    [post "databricks.clusters.resize", "resize", resize]
    [post "databricks.clusters.delete", "delete", terminate]
    [post "databricks.clusters.permanent_delete", "permanent-delete", remove]
    [post "databricks.clusters.pin", "pin", pin]
    [post "databricks.clusters.unpin", "unpin", unpin]
    [post "databricks.clusters.events", "events", events]
    [get "databricks.clusters.get", "get", get]
    [get "databricks.clusters.list", "list", list]
    [get "databricks.clusters.list_node_types", "list-node-types", node_types]
    [get "databricks.clusters.list_zones", "list-zones", zones]
    [get "databricks.clusters.spark_versions", "spark-versions", spark_versions]
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.clusters", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(mut fields, _): Body<Map<String, Value>, Envelope>,
) -> Answer {
    let token = fields.remove("idempotency_token").filter(|it| !it.is_null());
    let token = token.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
    if token.as_ref().is_some_and(|it| 64 < it.len()) {
        return Err(Refusal::invalid("idempotency_token has more than 64 characters").into());
    }
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let state = workspace_of(world, workspace)?;
        policies::check_number(state, &fields, &caller.name)?;
        let spec = wire::read_spec(state, fields)?;
        decide_create(world, workspace, spec, caller.name, Source::Api, token, ctx)
    })?;
    Ok(Json(json!({ "cluster_id": id })))
}

async fn edit(
    here: Here,
    at: AtDatabricks,
    Body(mut fields, _): Body<Map<String, Value>, Envelope>,
) -> Answer {
    let id = fields.remove("cluster_id").and_then(|it| it.as_str().map(str::to_owned));
    change(here, at, id, |world, workspace, id, ctx| {
        let spec = wire::read_spec(workspace_of(world, workspace)?, fields)?;
        decide_edit(world, workspace, id, spec, ctx)
    })
}

async fn update(here: Here, at: AtDatabricks, Body(body, _): Body<UpdateBody, Envelope>) -> Answer {
    let UpdateBody { cluster_id, update_mask, cluster } = body;
    change(here, at, cluster_id, |world, workspace, id, ctx| {
        let state = workspace_of(world, workspace)?;
        let fields = wire::masked(&state.clusters.get(id)?.spec, &cluster, &update_mask)?;
        decide_edit(world, workspace, id, wire::read_spec(state, fields)?, ctx)
    })
}

async fn change_owner(
    here: Here,
    at: AtDatabricks,
    caller: Caller,
    Body(body, _): Body<OwnerBody, Envelope>,
) -> Answer {
    let owner = required(body.owner_username, "owner_username")?;
    change(here, at, body.cluster_id, |world, workspace, id, _| {
        decide_change_owner(world, workspace, id, owner, &caller.name)
    })
}

async fn resize(here: Here, at: AtDatabricks, Body(body, _): Body<ResizeBody, Envelope>) -> Answer {
    let size = body.size()?;
    change(here, at, body.cluster_id, |world, workspace, id, ctx| {
        decide_resize(world, workspace, id, size, ctx)
    })
}

async fn start(here: Here, at: AtDatabricks, Body(body, _): Body<ByIdBody, Envelope>) -> Answer {
    change(here, at, body.cluster_id, decide_start)
}

async fn restart(here: Here, at: AtDatabricks, Body(body, _): Body<ByIdBody, Envelope>) -> Answer {
    change(here, at, body.cluster_id, decide_restart)
}

async fn terminate(
    here: Here,
    at: AtDatabricks,
    caller: Caller,
    Body(body, _): Body<ByIdBody, Envelope>,
) -> Answer {
    change(here, at, body.cluster_id, |world, workspace, id, ctx| {
        decide_terminate(world, workspace, id, Termination::User(caller.name), ctx)
    })
}

async fn remove(here: Here, at: AtDatabricks, Body(body, _): Body<ByIdBody, Envelope>) -> Answer {
    change(here, at, body.cluster_id, decide_remove)
}

async fn pin(here: Here, at: AtDatabricks, Body(body, _): Body<ByIdBody, Envelope>) -> Answer {
    change(here, at, body.cluster_id, |world, workspace, id, ctx| {
        decide_pin(world, workspace, id, true, ctx)
    })
}

async fn unpin(here: Here, at: AtDatabricks, Body(body, _): Body<ByIdBody, Envelope>) -> Answer {
    change(here, at, body.cluster_id, |world, workspace, id, ctx| {
        decide_pin(world, workspace, id, false, ctx)
    })
}

fn change(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    cluster_id: Option<String>,
    decide: impl FnOnce(&World, u64, &str, &mut Ctx<'_>) -> Decision<()>,
) -> Answer {
    let id = required(cluster_id, "cluster_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| decide(world, workspace, &id, ctx))?;
    Ok(Json(json!({})))
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ByIdBody, Envelope>,
) -> Answer {
    let id = required(query.cluster_id, "cluster_id")?;
    kernel.read(|world, _| {
        Ok(Json(wire::describe(workspace_of(world, workspace)?.clusters.get(&id)?)))
    })
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(pairs, _): Params<Vec<(String, String)>, Envelope>,
) -> Answer {
    let query = ListQuery::read(pairs)?;
    kernel.read(|world, _| {
        Ok(Json(wire::list(workspace_of(world, workspace)?.clusters.latest_first(), &query)))
    })
}

async fn events(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<EventsBody, Envelope>,
) -> Answer {
    let id = required(body.cluster_id.clone(), "cluster_id")?;
    kernel.read(|world, _| body.page(workspace_of(world, workspace)?.clusters.get(&id)?).map(Json))
}

async fn zones() -> Json<Value> {
    Json(wire::describe_zones())
}

async fn node_types() -> Json<Value> {
    Json(wire::describe_node_types())
}

async fn spark_versions() -> Json<Value> {
    Json(wire::describe_spark_versions())
}
