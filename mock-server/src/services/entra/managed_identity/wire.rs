use std::collections::HashMap;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Refusal},
    services::entra::{
        state::Grant,
        wire::{LIFE, access_token},
    },
};

/// IMDS: `{"error","error_description"}`.
pub(crate) struct Envelope;

/// App Service: `{"statusCode","message","correlationId"}`.
pub(crate) struct AppServiceEnvelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let error = refusal.code_or("invalid_request");
        let body = json!({ "error": error, "error_description": refusal.message });
        (refusal.status(), Json(body)).into_response()
    }
}

impl kernel::Envelope for AppServiceEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let status = refusal.status();
        let body = json!({
            "statusCode": status.as_u16(), "message": refusal.message,
            "correlationId": uuid::Uuid::new_v4().to_string(),
        });
        (status, Json(body)).into_response()
    }
}

/// What a request says, in its query or as a form.
pub(super) struct Asked {
    pub(super) api_version: Option<String>,
    pub(super) resource: Option<String>,
    /// By which name the program knows its identity, if it has several.
    pub(super) identity: Option<String>,
}

impl Asked {
    pub(super) fn parse(form: &[u8]) -> Self {
        const IDENTITY: &[&str] =
            &["client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id"];
        let mut all: HashMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
        let mut take = |name: &str| all.remove(name).filter(|it| !it.is_empty());
        Self {
            api_version: take("api-version"),
            resource: take("resource"),
            identity: IDENTITY.iter().find_map(|it| take(it)),
        }
    }
}

/// All numbers are texts.
pub(super) fn imds_json(grant: &Grant, resource: &str, now: OffsetDateTime) -> Value {
    let mut answer = app_service_json(grant, resource, now);
    let seconds = LIFE.whole_seconds().to_string();
    answer["expires_in"] = seconds.clone().into();
    answer["ext_expires_in"] = seconds.into();
    answer["not_before"] = now.unix_timestamp().to_string().into();
    answer
}

pub(super) fn app_service_json(grant: &Grant, resource: &str, now: OffsetDateTime) -> Value {
    let (access_token, expires_at) = access_token(grant, resource, now);
    json!({
        "access_token": access_token, "client_id": grant.client, "resource": resource,
        "expires_on": expires_at.unix_timestamp().to_string(), "token_type": "Bearer",
    })
}
