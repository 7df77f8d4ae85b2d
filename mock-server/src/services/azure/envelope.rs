use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::kernel::{Envelope, Kind, Refusal};

/// ARM: `{"error":{"code","message"}}`.
pub(crate) struct ArmEnvelope;

/// The data plane: ARM's shape and what traces a call.
pub(crate) struct DataPlaneEnvelope;

/// The pipelines service writes its fields with capitals.
pub(crate) struct PipelinesEnvelope;

fn code_of(refusal: &Refusal) -> &str {
    refusal.code_or(match refusal.kind {
        Kind::Malformed | Kind::Invalid | Kind::TooLarge => "UserError",
        Kind::Unauthenticated => "AuthenticationFailed",
        Kind::Denied => "AuthorizationFailed",
        Kind::NotFound => "ResourceNotFound",
        Kind::NoSuchPath => "NotFound",
        Kind::Conflict | Kind::AlreadyExists => "Conflict",
        Kind::PreconditionFailed => "PreconditionFailed",
        Kind::NotEmulated => "NotImplemented",
        Kind::Unrecorded => "ServiceUnavailable",
        Kind::Status(StatusCode::TOO_MANY_REQUESTS) => "TooManyRequests",
        Kind::Status(_) => "ServiceError",
    })
}

impl Envelope for ArmEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let body = json!({ "error": { "code": code_of(refusal), "message": refusal.message } });
        (refusal.status(), Json(body)).into_response()
    }
}

impl Envelope for DataPlaneEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let code = code_of(refusal);
        let body = json!({
            "error": {
                "code": code, "message": refusal.message, "target": null, "details": [],
                "innerError": { "code": code, "innerError": null },
            },
            "correlation": { "operation": null, "request": null },
            "environment": "mock",
            "location": "eastus",
        });
        (refusal.status(), Json(body)).into_response()
    }
}

impl Envelope for PipelinesEnvelope {
    fn render(refusal: &Refusal) -> Response {
        let body = json!({
            "Error": {
                "Code": code_of(refusal), "Message": refusal.message, "Target": null,
                "Details": [], "InnerError": null, "DebugInfo": null,
            },
            "Correlation": {},
        });
        (refusal.status(), Json(body)).into_response()
    }
}
