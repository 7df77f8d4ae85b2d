//! What all Databricks services share: the envelope in which they refuse, the
//! gate, and the state of one workspace.

pub(crate) mod jobs;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use crate::kernel::{self, Ctx, Kind, Refusal, World, effects::Effect};

/// `{"error_code","message"}`.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let code = refusal.code_or(match refusal.kind {
            Kind::Malformed => "MALFORMED_REQUEST",
            Kind::Invalid => "INVALID_PARAMETER_VALUE",
            Kind::Unauthenticated => "UNAUTHENTICATED",
            Kind::Denied => "PERMISSION_DENIED",
            Kind::NotFound => "RESOURCE_DOES_NOT_EXIST",
            Kind::NoSuchPath => "ENDPOINT_NOT_FOUND",
            Kind::Conflict => "RESOURCE_CONFLICT",
            Kind::AlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Kind::PreconditionFailed => "ABORTED",
            Kind::TooLarge => "MAX_BLOCK_SIZE_EXCEEDED",
            Kind::Throttled => "REQUEST_LIMIT_EXCEEDED",
            Kind::NotEmulated => "NOT_IMPLEMENTED",
            Kind::Unrecorded => "TEMPORARILY_UNAVAILABLE",
            Kind::Status(_) => "INTERNAL_ERROR",
        });
        let status = match refusal.kind {
            Kind::AlreadyExists | Kind::TooLarge => axum::http::StatusCode::BAD_REQUEST,
            _ => refusal.status(),
        };
        let body = json!({ "error_code": code, "message": refusal.message });
        (status, axum::Json(body)).into_response()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Databricks {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {}

impl Databricks {
    pub(crate) fn seeded(_: OffsetDateTime) -> Self {
        Self {}
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match *event {}
    }

    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        None
    }
}

pub(crate) fn decide_due(_: &World, _: u64, due: &Due, _: &mut Ctx<'_>) -> Vec<kernel::Event> {
    match *due {}
}

/// What was executing when the mock ended has failed.
pub(crate) fn decide_restart(_: &World, _: &mut Ctx<'_>) -> Vec<kernel::Event> {
    Vec::new()
}

pub(crate) fn effect_of(_: u64, event: Event, _: &World) -> Option<Effect> {
    match event {}
}
