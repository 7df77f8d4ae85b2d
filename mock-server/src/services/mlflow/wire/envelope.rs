use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use crate::kernel::{self, Kind, Refusal};

/// `{"error_code","message"}`.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let code = refusal.code_or(match refusal.kind {
            Kind::Malformed | Kind::Invalid | Kind::TooLarge => "INVALID_PARAMETER_VALUE",
            Kind::Unauthenticated => "UNAUTHENTICATED",
            Kind::Denied => "PERMISSION_DENIED",
            Kind::NotFound => "RESOURCE_DOES_NOT_EXIST",
            Kind::NoSuchPath => "ENDPOINT_NOT_FOUND",
            Kind::Conflict | Kind::PreconditionFailed => "RESOURCE_CONFLICT",
            Kind::AlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Kind::Status(StatusCode::TOO_MANY_REQUESTS) => "REQUEST_LIMIT_EXCEEDED",
            Kind::NotEmulated => "NOT_IMPLEMENTED",
            Kind::Unrecorded => "TEMPORARILY_UNAVAILABLE",
            Kind::Status(_) => "INTERNAL_ERROR",
        });
        // "Already exists" is a 400 here, not a 409.
        let status = match refusal.kind {
            Kind::AlreadyExists => StatusCode::BAD_REQUEST,
            _ => refusal.status(),
        };
        let body = json!({ "error_code": code, "message": refusal.message });
        (status, Json(body)).into_response()
    }
}

/// What a plain server says of a path that it does not have, or not with this
/// method: a page, no JSON.
pub(crate) fn no_such_page(status: StatusCode) -> Response {
    const NOT_FOUND: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server.</p>\n";
    const NOT_ALLOWED: &str = "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n";
    if status == StatusCode::METHOD_NOT_ALLOWED {
        return (status, Html(NOT_ALLOWED)).into_response();
    }
    (StatusCode::NOT_FOUND, Html(NOT_FOUND)).into_response()
}
