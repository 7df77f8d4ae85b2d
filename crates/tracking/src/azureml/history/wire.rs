//! JSON exactly as run history writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{AccessToken, Page, PageToken};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    ExperimentId, ExperimentInfo, ExperimentName, RunDetails, RunError, RunId, RunInfo, RunStatus,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Experiment {
    #[serde(rename = "experimentId")]
    id: String,
    name: String,
    archived_time: Option<String>,
}

impl From<Experiment> for ExperimentInfo {
    fn from(it: Experiment) -> Self {
        let info = Self::new(ExperimentId::new(it.id), ExperimentName::new(it.name));
        Self { is_archived: it.archived_time.is_some(), ..info }
    }
}

#[derive(Serialize)]
pub(super) struct UpdateExperiment {
    pub(super) archive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryExperiments<'a> {
    pub(super) view_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) continuation_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Experiments {
    value: Vec<Experiment>,
    continuation_token: Option<String>,
}

impl From<Experiments> for Page<ExperimentInfo> {
    fn from(it: Experiments) -> Self {
        Self {
            items: it.value.into_iter().map(ExperimentInfo::from).collect(),
            next: it.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        }
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
    pub(super) tags: Option<BTreeMap<&'a str, Option<&'a str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<&'a BTreeMap<String, String>>,
}

/// A run of a batch: the n-th part of another.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewChild<'a> {
    pub(super) run_id: String,
    pub(super) parent_run_id: &'a str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
    pub(super) tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) properties: &'a BTreeMap<String, String>,
}

impl NewChild<'_> {
    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }
}

#[derive(Serialize)]
pub(super) struct NewChildren<'a> {
    pub(super) runs: &'a [NewChild<'a>],
}

#[derive(Deserialize)]
pub(super) struct CreatedRuns {
    pub(super) runs: BTreeMap<String, Recorded>,
    #[serde(default)]
    pub(super) errors: BTreeMap<String, Value>,
}

#[derive(Serialize)]
pub(super) struct Events<'a> {
    pub(super) events: &'a [Event<'a>],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    token: SecretString,
    #[serde(with = "time::serde::rfc3339")]
    expiry_time_utc: OffsetDateTime,
}

impl From<Token> for AccessToken {
    fn from(it: Token) -> Self {
        Self::new(it.token, it.expiry_time_utc)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    #[serde(flatten)]
    run: Recorded,
    log_files: Option<BTreeMap<String, SecretString>>,
    warnings: Option<Vec<Value>>,
}

impl From<Details> for RunDetails {
    fn from(it: Details) -> Self {
        let text = |it: Value| match it.get("message").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => it.as_str().map_or_else(|| it.to_string(), str::to_owned),
        };
        Self {
            run: it.run.into(),
            warnings: it.warnings.unwrap_or_default().into_iter().map(text).collect(),
            log_files: it.log_files.unwrap_or_default(),
        }
    }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct ErrorResponse<'a> {
    pub(super) error: Reason<'a>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Reason<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recorded {
    run_id: String,
    #[serde(default)]
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
            is_deleted: false,
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
