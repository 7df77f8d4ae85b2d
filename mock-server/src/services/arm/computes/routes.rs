use axum::{
    Json,
    http::{
        HeaderName, StatusCode, Uri,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::routes::gate,
    state::{decide_attach, decide_detach},
    wire::{self, AttachBody},
};
use crate::{
    kernel::{Body, Here, Names, Params, Refused, Route, Service, Site, lro::LongRunning, on},
    services::{
        arm::workspaces::workspace_json,
        azure::{
            ArmEnvelope as Envelope, AtWorkspace, DataPlaneEnvelope, data_plane_gate,
            workspace_path,
        },
    },
};

/// What changes computes.
pub(crate) static SERVICE: Service = Service::new::<Envelope>("arm.computes", gate, WRITES);

/// What shows them: the data plane's copy of the resource provider.
pub(crate) static RP: Service = Service::new::<DataPlaneEnvelope>("rp", data_plane_gate, READS);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("", $rest)
    };
}
macro_rules! rp {
    ($rest:literal) => {
        workspace_path!("/rp/workspaces", $rest)
    };
}
macro_rules! location {
    ($rest:literal) => {
        concat!(
            "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}",
            $rest
        )
    };
}

#[rustfmt::skip]
const WRITES: &[Route] = &[
    Route::put("arm.computes.attach", at!("/computes/{compute}"), |it| on(it, attach)).partial("Databricks only"),
    Route::get("arm.computes.get", at!("/computes/{compute}"), |it| on(it, get::<Envelope>)),
    Route::get("arm.computes.list", at!("/computes"), |it| on(it, list::<Envelope>)),
    Route::delete("arm.computes.detach", at!("/computes/{compute}"), |it| on(it, detach)),
    Route::post("arm.computes.list_keys", at!("/computes/{compute}/listKeys"), |it| on(it, keys)),
    Route::get("arm.operations.get", location!("/computeOperationsStatus/{operation}"), |it| on(it, operation)),
    Route::get("arm.operations.result", location!("/computeOperationsResults/{operation}"), |it| on(it, result)).assumed(),
];

#[rustfmt::skip]
const READS: &[Route] = &[
    Route::get("rp.workspaces.get", rp!(""), |it| on(it, workspace)),
    Route::get("rp.computes.get", rp!("/computes/{compute}"), |it| on(it, get::<DataPlaneEnvelope>)),
    Route::get("rp.computes.list", rp!("/computes"), |it| on(it, list::<DataPlaneEnvelope>)),
];

#[derive(Deserialize)]
struct Path {
    compute: String,
}

type Headers = [(HeaderName, String); 4];

/// Where to ask how an operation is doing, for a client that came by `site`.
fn headers(run: &LongRunning, at: &AtWorkspace, site: &Site) -> Headers {
    let (subscription, region, id) = (&at.subscription, &at.region, &run.id);
    let url = |name: &str| {
        format!(
            "{}/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{region}/{name}/{id}?api-version=2021-01-01",
            site.arm()
        )
    };
    let status = format!("{}&service=new", url("computeOperationsStatus"));
    run.headers(status, url("computeOperationsResults"), run.started_at)
}

async fn attach(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<AttachBody, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let new = body.into_new(path.compute)?;
    let (compute, run, is_new) = kernel
        .commit::<_, Refused<Envelope>>(|world, ctx| decide_attach(&world.arm, &at, new, ctx))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let shown = kernel.inspect(|world| wire::compute_json(&compute, &at, world, &site));
    Ok((status, headers(&run, &at, &site), Json(shown)).into_response())
}

async fn get<E: crate::kernel::Envelope>(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, E>,
) -> Result<Json<Value>, Refused<E>> {
    kernel.read(|world, _| {
        let compute = world.arm.computes.find(&at.workspace_id, &path.compute)?;
        Ok(Json(wire::compute_json(compute, &at, world, &site)))
    })
}

/// All in one page, and no word of a next one: clients follow even a null.
async fn list<E: crate::kernel::Envelope>(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
) -> Result<Json<Value>, Refused<E>> {
    kernel.read(|world, _| {
        let all = world.arm.computes.all(&at.workspace_id);
        let all: Vec<Value> = all.map(|it| wire::compute_json(it, &at, world, &site)).collect();
        Ok(Json(json!({ "value": all })))
    })
}

async fn workspace(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
) -> Result<Json<Value>, Refused<DataPlaneEnvelope>> {
    kernel.read(|world, _| {
        let found = world.arm.workspace(&at.subscription, &at.resource_group, &at.name)?;
        Ok(Json(workspace_json(found, &world.arm.tenant_id, &site)))
    })
}

#[derive(Deserialize)]
struct DetachQuery {
    #[serde(rename = "underlyingResourceAction")]
    action: Option<String>,
}

async fn detach(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Params(query, _): Params<DetachQuery, Envelope>,
) -> Result<(StatusCode, Headers), Refused<Envelope>> {
    let run = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_detach(&world.arm.computes, &at, &path.compute, query.action.as_deref(), ctx)
    })?;
    Ok((StatusCode::ACCEPTED, headers(&run, &at, &site)))
}

async fn keys(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    kernel.read(|world, _| {
        let compute = world.arm.computes.find(&at.workspace_id, &path.compute)?;
        Ok(Json(wire::keys_json(compute)))
    })
}

#[derive(Deserialize)]
struct OperationPath {
    operation: String,
}

async fn operation(
    Here(kernel): Here,
    uri: Uri,
    Names(path, _): Names<OperationPath, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let id = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    kernel.read(|world, now| {
        let operation = world.arm.computes.operation(&path.operation)?;
        let shown = Json(wire::operation_json(operation, &id));
        if operation.run.outcome.is_some() {
            return Ok(shown.into_response());
        }
        Ok(([(RETRY_AFTER, operation.run.pause(now).to_string())], shown).into_response())
    })
}

/// 202 while it goes on, then what it made: nothing when it was a detachment.
async fn result(
    Here(kernel): Here,
    site: Site,
    uri: Uri,
    Names(path, _): Names<OperationPath, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    kernel.read(|world, now| {
        let operation = world.arm.computes.operation(&path.operation)?;
        if operation.run.outcome.is_none() {
            let again = uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let headers = [
                (LOCATION, format!("{}{again}", site.arm())),
                (RETRY_AFTER, operation.run.pause(now).to_string()),
            ];
            return Ok((StatusCode::ACCEPTED, headers).into_response());
        }
        let Some(compute) = world.arm.computes.subject(operation) else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        let mut workspaces = world.arm.workspaces();
        let workspace = workspaces.find(|it| it.workspace_id == operation.workspace_id);
        Ok(match workspace {
            Some(it) => {
                Json(wire::compute_json(compute, &it.as_scope(), world, &site)).into_response()
            }
            None => StatusCode::NO_CONTENT.into_response(),
        })
    })
}
