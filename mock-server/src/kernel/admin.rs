//! `/_mock/*`: what a test may do to a world that no user of the real services can.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Event, Fault, Kernel, Kind, Refusal, World, body::parse};
use crate::{executor::outcomes::Rule, services::entra};

/// The version of the export and seed format.
pub(crate) const FORMAT: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: Option<f64>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    to: Option<OffsetDateTime>,
}

/// Answers a request below `/_mock`.
pub(crate) async fn answer(kernel: &Arc<Kernel>, path: &str, request: Request<Body>) -> Response {
    match try_answer(kernel, path, request).await {
        Ok(value) => axum::Json(value).into_response(),
        Err(refusal) => {
            let body = json!({ "error": { "code": refusal.code_or("BadRequest"), "message": refusal.message } });
            (refusal.status(), axum::Json(body)).into_response()
        }
    }
}

async fn try_answer(
    kernel: &Arc<Kernel>,
    path: &str,
    request: Request<Body>,
) -> Result<Value, Refusal> {
    let method = request.method().clone();
    // Asked again and again by whoever waits for the start, so it looks at nothing.
    if path == "/_mock/health" && matches!(method, Method::GET | Method::HEAD) {
        return Ok(json!({ "status": "ok", "world": kernel.id.to_string() }));
    }
    let unreadable = |err: axum::Error| Refusal::malformed(err.to_string());
    let body = request.into_body().collect().await.map_err(unreadable)?.to_bytes();
    match (&method, path) {
        (&Method::POST, "/_mock/reset") => {
            kernel.reset(uuid::Uuid::new_v4().as_u64_pair().0).await?;
            Ok(json!({}))
        }
        (&Method::GET, "/_mock/clock") => Ok(clock(kernel)),
        (&Method::POST, "/_mock/clock") => {
            move_clock(kernel, &parse(&body)?)?;
            Ok(clock(kernel))
        }
        (&Method::GET, "/_mock/journal") => Ok(json!({ "exchanges": kernel.recorder.all() })),
        (&Method::GET, "/_mock/faults") => Ok(json!(kernel.faults.all())),
        (&Method::POST, "/_mock/faults") => {
            let faults = one_or_many(&body)?;
            for (index, fault) in faults.iter().enumerate() {
                if let Some(complaint) = fault.complaint() {
                    return Err(Refusal::invalid(format!("fault {index}: {complaint}")));
                }
            }
            for fault in faults {
                kernel.faults.plan(fault);
            }
            Ok(json!({ "planned": kernel.faults.all().len() }))
        }
        (&Method::DELETE, "/_mock/faults") => {
            kernel.faults.clear();
            Ok(json!({}))
        }
        (&Method::GET, "/_mock/outcomes") => Ok(kernel.inspect(|world| json!(world.outcomes))),
        (&Method::POST, "/_mock/outcomes") => {
            let text =
                std::str::from_utf8(&body).map_err(|err| Refusal::malformed(err.to_string()))?;
            set_outcomes(kernel, if text.trim().is_empty() { "[]" } else { text })?;
            Ok(json!({}))
        }
        (&Method::GET, "/_mock/tracking") => Ok(kernel.tracking().shown()),
        (&Method::POST, "/_mock/tracking") => {
            let changed = kernel.tracking().changed(&parse(&body)?)?;
            let shown = changed.shown();
            kernel.set_tracking(Arc::new(changed));
            Ok(shown)
        }
        (&Method::GET, "/_mock/device_codes") => Ok(entra::device_codes(kernel)),
        (&Method::POST, "/_mock/device_codes") => {
            entra::answer_device_code(kernel, &parse(&body)?)?;
            Ok(json!({}))
        }
        (&Method::POST, "/_mock/apps") => {
            entra::register(kernel, parse(&body)?)?;
            Ok(json!({}))
        }
        (&Method::GET, "/_mock/export") => Ok(kernel.inspect(document)),
        _ => Err(Refusal::new(Kind::NoSuchPath, no_such(&method, path))),
    }
}

fn no_such(method: &Method, path: &str) -> String {
    format!(
        "there is no {method} {path}; there are health, reset, clock, journal, faults, outcomes, tracking, apps, device_codes, export"
    )
}

fn one_or_many(body: &[u8]) -> Result<Vec<Fault>, Refusal> {
    let value: Value = parse(body)?;
    let many = if value.is_array() { value } else { Value::Array(vec![value]) };
    serde_json::from_value(many).map_err(|err| Refusal::malformed(err.to_string()))
}

fn clock(kernel: &Kernel) -> Value {
    let now = kernel.clock.now().format(&Rfc3339).unwrap_or_default();
    json!({ "now": now, "offset_seconds": kernel.clock.offset().as_secs_f64() })
}

fn move_clock(kernel: &Kernel, body: &ClockBody) -> Result<(), Refusal> {
    let by = match (body.advance_seconds, body.to) {
        (Some(seconds), None) => Duration::try_from_secs_f64(seconds)
            .map_err(|_| Refusal::invalid("advance_seconds must be 0 or more")),
        (None, Some(to)) => Duration::try_from(to - kernel.clock.now())
            .map_err(|_| Refusal::invalid("to lies in the past; the clock only goes forward")),
        _ => Err(Refusal::invalid("give either advance_seconds or to")),
    }?;
    kernel.advance(by)
}

/// Replaces the rules of a world by the list in `text`.
pub(crate) fn set_outcomes(kernel: &Kernel, text: &str) -> Result<(), Refusal> {
    let rules: Vec<Rule> = parse(text.as_bytes())?;
    if let Some((index, complaint)) =
        rules.iter().enumerate().find_map(|(index, it)| Some((index, it.complaint()?)))
    {
        return Err(Refusal::invalid(format!("rule {index}: {complaint}")));
    }
    kernel.commit(|_, _| Ok((vec![Event::OutcomesSet(rules)], ())))
}

/// The world as the readable document that `--seed` takes.
pub(crate) fn export(kernel: &Kernel) -> String {
    kernel.inspect(|world| format!("{:#}", document(world)))
}

fn document(world: &World) -> Value {
    json!({ "version": FORMAT, "world": world })
}

/// Reads an export.
pub(crate) fn import(text: &str) -> Result<World, String> {
    #[derive(Deserialize)]
    struct Document {
        version: u32,
        world: Value,
    }
    let document: Document = serde_json::from_str(text).map_err(|err| err.to_string())?;
    if document.version != FORMAT {
        return Err(format!(
            "the seed has version {}, this program reads {FORMAT}",
            document.version
        ));
    }
    serde_json::from_value(document.world).map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests;
