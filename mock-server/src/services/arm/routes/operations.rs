//! How operations on workspaces are doing, whatever provider they are of.

use axum::{
    Json,
    http::{HeaderName, StatusCode, Uri, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    kernel::{Here, Names, Refused, Site, lro::LongRunning},
    services::{
        arm::{
            databricks_workspaces::databricks_json,
            state::Resource,
            wire::{self, DATABRICKS_PROVIDER},
            workspaces::workspace_json,
        },
        azure::ArmEnvelope as Envelope,
    },
};

type Headers = [(HeaderName, String); 4];

/// Where to ask how an operation is doing, for a client that came by `site`.
pub(in super::super) fn headers(
    run: &LongRunning,
    provider: &str,
    subscription: &str,
    location: &str,
    site: &Site,
) -> Headers {
    let (status, result) = if provider == DATABRICKS_PROVIDER {
        ("operationStatuses", "operationResults")
    } else {
        ("workspaceOperationsStatus", "workspaceOperationResults")
    };
    let url = |name: &str| {
        format!(
            "{}/subscriptions/{subscription}/providers/{provider}/locations/{location}/{name}/{}?api-version=2022-05-01",
            site.arm(),
            run.id
        )
    };
    run.headers(url(status), url(result), run.started_at)
}

#[derive(Deserialize)]
pub(in super::super) struct OperationPath {
    operation: String,
}

/// Says when another look is worth its while, too.
pub(in super::super) async fn status(
    Here(kernel): Here,
    uri: Uri,
    Names(path, _): Names<OperationPath, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let id = uri.path().to_owned();
    kernel.read(|world, now| {
        let operation = world.arm.operation(&path.operation)?;
        let shown = Json(wire::operation_json(&operation.run, &id));
        if operation.run.outcome.is_some() {
            return Ok(shown.into_response());
        }
        Ok(([(RETRY_AFTER, operation.run.pause(now).to_string())], shown).into_response())
    })
}

/// 202 while it goes on, then what it made: nothing when it was a deletion.
pub(in super::super) async fn result(
    Here(kernel): Here,
    site: Site,
    uri: Uri,
    Names(path, _): Names<OperationPath, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    kernel.read(|world, now| {
        let operation = world.arm.operation(&path.operation)?;
        if operation.run.outcome.is_none() {
            let again = uri.path_and_query().map_or_else(String::new, ToString::to_string);
            let headers = [
                (axum::http::header::LOCATION, format!("{}{again}", site.arm())),
                (RETRY_AFTER, operation.run.pause(now).to_string()),
            ];
            return Ok((StatusCode::ACCEPTED, headers).into_response());
        }
        let shown: Option<Value> = world.arm.subject(operation).map(|it| match it {
            Resource::MachineLearning(it) => workspace_json(&it, &world.arm.tenant_id, &site),
            Resource::Databricks(it) => databricks_json(&it, &site),
        });
        let gone = || StatusCode::NO_CONTENT.into_response();
        Ok(shown.map_or_else(gone, |it| Json(it).into_response()))
    })
}
