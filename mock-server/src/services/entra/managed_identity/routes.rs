use axum::{Json, http::HeaderMap};
use serde_json::Value;

use super::wire::{self, AppServiceEnvelope, Asked, Envelope};
use crate::{
    kernel::{Here, Kernel, Raw, Refusal, Refused, Route, Service, clock, on, routes::open_to_all},
    services::entra::state::Grant,
};

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("entra.managed_identity", open_to_all, ROUTES);

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("entra.managed_identity.imds", "/metadata/identity/oauth2/token", |it| on(it, imds)),
    Route::get("entra.managed_identity.app_service", "/msi", |it| on(it, app_service)),
    Route::get("entra.managed_identity.app_service", "/msi/", |it| on(it, app_service)),
    Route::get("entra.managed_identity.app_service", "/msi/token", |it| on(it, app_service)),
    Route::post("entra.managed_identity.azureml", "/msi", |it| on(it, azureml)).assumed(),
    Route::post("entra.managed_identity.azureml", "/msi/", |it| on(it, azureml)).assumed(),
    Route::post("entra.managed_identity.azureml", "/msi/token", |it| on(it, azureml)).assumed(),
];

/// Programs in a browser cannot send this header, and so cannot ask.
fn check_header(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_there =
        headers.get("metadata").is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"true"));
    is_there.then_some(()).ok_or_else(|| {
        Refusal::invalid("Required metadata header not specified").with_code("bad_request_102")
    })
}

fn identity(kernel: &Kernel, asked: &Asked) -> Result<Grant, Refusal> {
    kernel.read(|world, _| {
        world
            .entra
            .machine(asked.identity.as_deref())
            .ok_or_else(|| Refusal::invalid("Identity not found").with_code("invalid_request"))
    })
}

fn required(asked: &Asked) -> Result<&str, Refusal> {
    asked.resource.as_deref().ok_or_else(|| {
        Refusal::invalid("Required audience parameter not specified").with_code("bad_request_101")
    })
}

async fn imds(
    Here(kernel): Here,
    headers: HeaderMap,
    uri: axum::http::Uri,
) -> Result<Json<Value>, Refused<Envelope>> {
    check_header(&headers)?;
    let asked = Asked::parse(uri.query().unwrap_or_default().as_bytes());
    if asked.api_version.is_none() {
        let text = "Required api-version parameter not specified";
        return Err(Refusal::invalid(text).with_code("bad_request_100").into());
    }
    let resource = required(&asked)?;
    let grant = identity(&kernel, &asked)?;
    Ok(Json(wire::imds_json(&grant, resource, clock::wall())))
}

/// What azureml-core posts where the metadata service would be.
async fn azureml(
    Here(kernel): Here,
    headers: HeaderMap,
    Raw(body, _): Raw<Envelope>,
) -> Result<Json<Value>, Refused<Envelope>> {
    check_header(&headers)?;
    let asked = Asked::parse(&body);
    let resource = required(&asked)?;
    let grant = identity(&kernel, &asked)?;
    Ok(Json(wire::imds_json(&grant, resource, clock::wall())))
}

async fn app_service(
    Here(kernel): Here,
    headers: HeaderMap,
    uri: axum::http::Uri,
) -> Result<Json<Value>, Refused<AppServiceEnvelope>> {
    let asked = Asked::parse(uri.query().unwrap_or_default().as_bytes());
    let secret = match asked.api_version.as_deref() {
        Some("2017-09-01") => "secret",
        Some("2019-08-01" | "2020-05-01") => "x-identity-header",
        other => {
            let text = format!(
                "Unsupported api-version '{}': 2017-09-01 and 2019-08-01 are supported.",
                other.unwrap_or_default()
            );
            return Err(Refusal::invalid(text).into());
        }
    };
    if headers.get(secret).is_none_or(axum::http::HeaderValue::is_empty) {
        let text = format!("The header '{secret}' is missing or wrong.");
        return Err(Refusal::new(crate::kernel::Kind::Unauthenticated, text).into());
    }
    let resource = required(&asked)?;
    let grant = identity(&kernel, &asked)?;
    Ok(Json(wire::app_service_json(&grant, resource, clock::wall())))
}
