//! JSON exactly as run history writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{ExperimentId, ExperimentInfo, ExperimentName, RunError, RunId, RunInfo, RunStatus};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Experiment {
    experiment_id: String,
    name: String,
}

impl From<Experiment> for ExperimentInfo {
    fn from(it: Experiment) -> Self {
        Self::new(ExperimentId::new(it.experiment_id), ExperimentName::new(it.name))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRun<'a> {
    pub(super) run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent_run_id: Option<&'a str>,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
    pub(super) run_type_v2: RunType,
    pub(super) properties: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) target: &'a str,
}

/// Nobody but its own process runs it.
#[derive(Serialize)]
pub(super) struct RunType {
    orchestrator: &'static str,
    traits: [&'static str; 1],
}

impl Default for RunType {
    fn default() -> Self {
        Self { orchestrator: "External", traits: ["unspecified"] }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateRun<'a> {
    pub(super) run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
pub(super) struct Event<'a> {
    #[serde(with = "time::serde::rfc3339")]
    pub(super) timestamp: OffsetDateTime,
    pub(super) name: &'static str,
    pub(super) data: EventData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventData<'a> {
    pub(super) run_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(super) start_time: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(super) end_time: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_response: Option<ErrorResponse<'a>>,
}

#[derive(Serialize)]
pub(super) struct ErrorResponse<'a> {
    pub(super) error: Reason<'a>,
}

#[derive(Serialize)]
pub(super) struct Reason<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recorded {
    run_id: String,
    experiment_id: String,
    status: Option<String>,
    display_name: Option<String>,
    name: Option<String>,
    parent_run_id: Option<String>,
    data_container_id: Option<String>,
    target: Option<String>,
    tags: Option<BTreeMap<String, Value>>,
    properties: Option<BTreeMap<String, Value>>,
    parameters: Option<BTreeMap<String, Value>>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_utc: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    start_time_utc: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    end_time_utc: Option<OffsetDateTime>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Runs {
    value: Vec<Recorded>,
    continuation_token: Option<String>,
}

impl From<Recorded> for RunInfo {
    fn from(it: Recorded) -> Self {
        let status_text = it.status.unwrap_or_else(|| "NotStarted".to_owned());
        Self {
            id: RunId::new(it.run_id),
            experiment_id: ExperimentId::new(it.experiment_id),
            name: it.display_name.or(it.name),
            status: RunStatus::from_word(&status_text),
            status_text,
            parent_id: it.parent_run_id.map(RunId::from),
            data_container: it.data_container_id,
            target: it.target,
            tags: texts(it.tags),
            properties: texts(it.properties),
            params: texts(it.parameters),
            created_at: it.created_utc,
            started_at: it.start_time_utc,
            ended_at: it.end_time_utc,
            error: it.error.as_ref().and_then(reason),
        }
    }
}

impl From<Runs> for Page<RunInfo> {
    fn from(it: Runs) -> Self {
        Self {
            items: it.value.into_iter().map(RunInfo::from).collect(),
            next: it.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

/// A tag may be there without a value.
fn texts(values: Option<BTreeMap<String, Value>>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    values.unwrap_or_default().into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// The reason is wrapped once when a client reported it, twice when a service did.
fn reason(error: &Value) -> Option<RunError> {
    let inner = error.get("error").unwrap_or(error);
    let text = |key| inner.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reason = RunError { code: text("code"), message: text("message") };
    (reason != RunError::default()).then_some(reason)
}
