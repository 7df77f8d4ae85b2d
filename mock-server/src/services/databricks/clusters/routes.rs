use axum::{Json, http::Method, routing::on};
use serde_json::{Value, json};

use super::{
    state::rules::{
        decide_create, decide_edit, decide_pin, decide_remove, decide_resize, decide_restart,
        decide_start, decide_terminate,
    },
    state::{Cluster, Source, Termination},
    wire::{self, ByIdBody, CreateBody, EditBody, EventsBody, ListQuery, ResizeBody},
};
use crate::{
    kernel::{Body, Caller, Ctx, Decision, Here, Params, Refused, Route, Service, World},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
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
        )*
            Route::absent(Method::POST, "databricks.clusters.update", "/api/2.1/clusters/update"),
            Route::absent(Method::POST, "databricks.clusters.change_owner", "/api/2.1/clusters/change-owner"),
            Route::absent(Method::GET, "databricks.clusters.list_zones", "/api/2.1/clusters/list-zones"),
        ]
    };
}

static ROUTES: &[Route] = both![
    [post "databricks.clusters.create", "create", create]
    [post "databricks.clusters.edit", "edit", edit]
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
    [get "databricks.clusters.spark_versions", "spark-versions", spark_versions]
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.clusters", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<CreateBody, Envelope>,
) -> Answer {
    let CreateBody { idempotency_token: token, cluster } = body;
    let spec = cluster.into_spec()?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, spec, caller.name, Source::Api, token, ctx)
    })?;
    Ok(Json(json!({ "cluster_id": id })))
}

async fn edit(here: Here, at: AtDatabricks, Body(body, _): Body<EditBody, Envelope>) -> Answer {
    let spec = body.cluster.into_spec()?;
    change(here, at, body.cluster_id, |world, workspace, id, ctx| {
        decide_edit(world, workspace, id, spec, ctx)
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
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let all = workspace_of(world, workspace)?.clusters.latest_first();
        let size = query.page_size.and_then(|it| usize::try_from(it).ok()).filter(|it| 0 < *it);
        let size = size.unwrap_or(20).min(100);
        let skipped = query.page_token.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0_usize);
        let page: Vec<Value> =
            all.iter().skip(skipped).take(size).map(|it: &&Cluster| wire::describe(it)).collect();
        let mut answer = json!({});
        if skipped + page.len() < all.len() {
            answer["next_page_token"] = json!((skipped + page.len()).to_string());
        }
        if 0 < skipped {
            answer["prev_page_token"] = json!(skipped.saturating_sub(size).to_string());
        }
        if !page.is_empty() {
            answer["clusters"] = json!(page);
        }
        Ok(Json(answer))
    })
}

async fn events(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<EventsBody, Envelope>,
) -> Answer {
    let id = required(body.cluster_id, "cluster_id")?;
    kernel.read(|world, _| {
        let cluster = workspace_of(world, workspace)?.clusters.get(&id)?;
        let mut all: Vec<Value> = cluster
            .history
            .iter()
            .map(|(at, it)| wire::describe_happening(cluster, *at, it))
            .collect();
        if body.order.as_deref() != Some("ASC") {
            all.reverse();
        }
        let count = |it: Option<i64>| it.and_then(|it| usize::try_from(it).ok());
        let (skipped, limit) = (count(body.offset).unwrap_or(0), count(body.limit).unwrap_or(50));
        let total = all.len();
        let page: Vec<Value> = all.into_iter().skip(skipped).take(limit.min(500)).collect();
        let mut answer = json!({ "total_count": total });
        let end = skipped + page.len();
        if end < total {
            answer["next_page"] = json!({ "cluster_id": id, "offset": end, "limit": limit });
        }
        answer["events"] = json!(page);
        Ok(Json(answer))
    })
}

async fn node_types() -> Json<Value> {
    Json(wire::describe_node_types())
}

async fn spark_versions() -> Json<Value> {
    Json(wire::describe_spark_versions())
}
