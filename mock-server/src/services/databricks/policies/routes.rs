use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{decide_create, decide_delete, decide_edit, family},
    wire::{self, ById, FamiliesQuery, ListQuery, PolicyBody},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::required,
        workspace_of,
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::post("databricks.policies.create", "/api/2.0/policies/clusters/create", |it| on(it, create)),
    Route::post("databricks.policies.edit", "/api/2.0/policies/clusters/edit", |it| on(it, edit)),
    Route::post("databricks.policies.delete", "/api/2.0/policies/clusters/delete", |it| on(it, delete)),
    Route::get("databricks.policies.get", "/api/2.0/policies/clusters/get", |it| on(it, get)),
    Route::get("databricks.policies.list", "/api/2.0/policies/clusters/list", |it| on(it, list)),
    Route::get("databricks.policy_families.list", "/api/2.0/policy-families", |it| on(it, families)),
    Route::get("databricks.policy_families.get", "/api/2.0/policy-families/{id}", |it| on(it, one_family)),
    Route::absent(Method::POST, "databricks.policies.enforce_compliance", "/api/2.0/policies/clusters/enforce-compliance"),
    Route::absent(Method::GET, "databricks.policies.get_compliance", "/api/2.0/policies/clusters/get-compliance"),
    Route::absent(Method::GET, "databricks.policies.list_compliance", "/api/2.0/policies/clusters/list-compliance"),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.policies", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<PolicyBody, Envelope>,
) -> Answer {
    let new = body.read()?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_create(world, workspace, new, caller.name, ctx)
    })?;
    Ok(Json(json!({ "policy_id": id })))
}

async fn edit(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(mut body, _): Body<PolicyBody, Envelope>,
) -> Answer {
    let id = required(body.policy_id.take(), "policy_id")?;
    let new = body.read()?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_edit(world, workspace, &id, new, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<ById, Envelope>,
) -> Answer {
    let id = required(body.policy_id, "policy_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_delete(world, workspace, id, &caller.name)
    })?;
    Ok(Json(json!({})))
}

async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ById, Envelope>,
) -> Answer {
    let id = required(query.policy_id, "policy_id")?;
    kernel.read(|world, _| {
        Ok(Json(wire::describe(workspace_of(world, workspace)?.policies.get(&id)?)))
    })
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        wire::list(workspace_of(world, workspace)?.policies.all(), &query).map(Json)
    })
}

async fn families(Params(query, _): Params<FamiliesQuery, Envelope>) -> Json<Value> {
    Json(wire::list_families(&query))
}

#[derive(Deserialize)]
struct FamilyId {
    id: String,
}

async fn one_family(Names(path, _): Names<FamilyId, Envelope>) -> Answer {
    Ok(Json(wire::describe_family(family(&path.id)?)))
}
