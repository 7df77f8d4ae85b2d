//! Written from the published API reference, never from the client crates.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Command, Context, Readiness, Status};
use crate::kernel::{self, Kind, Refusal};

/// `{"error":"RuntimeException: ..."}`, the envelope of version 1.2.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let class = refusal.code_or(match refusal.kind {
            Kind::Unauthenticated | Kind::Denied => "PermissionDenied",
            Kind::NotFound | Kind::NoSuchPath => "NotFound",
            Kind::NotEmulated => "NotImplementedError",
            _ => "RuntimeException",
        });
        let error = format!("{class}: {}", refusal.message);
        (refusal.status(), Json(json!({ "error": error }))).into_response()
    }
}

/// The fields of all calls. Each uses some of them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Fields {
    cluster_id: Option<String>,
    context_id: Option<String>,
    command_id: Option<String>,
    pub(super) language: Option<String>,
    pub(super) command: Option<String>,
}

/// A field without which nothing can be done, in the words of version 1.2.
fn required(field: Option<&String>, name: &str) -> Result<String, Refusal> {
    let missing = || Refusal::invalid(format!("requirement failed: missing {name}"));
    field.filter(|it| !it.is_empty()).cloned().ok_or_else(missing)
}

impl Fields {
    pub(super) fn cluster_id(&self) -> Result<String, Refusal> {
        required(self.cluster_id.as_ref(), "clusterId")
    }

    pub(super) fn context_id(&self) -> Result<String, Refusal> {
        required(self.context_id.as_ref(), "contextId")
    }

    pub(super) fn command_id(&self) -> Result<String, Refusal> {
        required(self.command_id.as_ref(), "commandId")
    }

    pub(super) fn command(&self) -> Result<String, Refusal> {
        required(self.command.as_ref(), "command")
    }

    pub(super) fn language(&self) -> Result<String, Refusal> {
        let language = required(self.language.as_ref(), "language")?.to_ascii_lowercase();
        if ["python", "scala", "sql", "r"].contains(&language.as_str()) {
            return Ok(language);
        }
        Err(Refusal::invalid(format!("requirement failed: unknown language {language}")))
    }
}

pub(super) fn id(id: &str) -> Value {
    json!({ "id": id })
}

pub(super) fn context(id: &str, it: &Context) -> Value {
    let status = match it.status {
        Readiness::Pending => "Pending",
        Readiness::Running => "Running",
        Readiness::Error => "Error",
    };
    json!({ "id": id, "status": status })
}

pub(super) fn command(id: &str, it: &Command) -> Value {
    let status = match it.status {
        Status::Queued => "Queued",
        Status::Running => "Running",
        Status::Cancelling => "Cancelling",
        Status::Finished => "Finished",
        Status::Cancelled => "Cancelled",
        Status::Error => "Error",
    };
    let mut answer = json!({ "id": id, "status": status });
    if let Some(results) = &it.results {
        answer["results"] = results.clone();
    }
    answer
}

/// The results of a command that could not go on.
pub(super) fn error(message: &str) -> Value {
    json!({ "resultType": "error", "summary": message, "cause": message })
}

/// The results where nothing is executed.
pub(super) fn not_executed() -> Value {
    let text = "azml-mock has not run this command: it was started without --executor local";
    json!({ "resultType": "text", "data": text })
}
