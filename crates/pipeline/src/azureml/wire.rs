//! Answers exactly as the services write them.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::OffsetDateTime;

use crate::{PipelineRunDetails, PipelineStatus, StepOutput, StepRun, StepRunId, StepStatus};

/// A module or data source as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entity {
    pub(super) id: String,
    #[serde(default)]
    pub(super) upload_state: Option<Word>,
}

impl Entity {
    /// Whether its content has arrived, so that it can be used again.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.upload_state.as_ref().map(Word::as_str), Some("Completed" | "1"))
    }
}

/// `GET Modules/{id}` and `GET Modules/Hash/{hash}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ModuleAnswer {
    pub(super) data: Entity,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DataType {
    pub(super) id: String,
}

/// A word that older deployments write as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Word {
    Text(String),
    Number(u8),
}

impl Word {
    fn as_str(&self) -> &str {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match self {
            Self::Text(text) => text,
            Self::Number(number) => DIGITS.get(usize::from(*number)).copied().unwrap_or("?"),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Run {
    id: String,
    #[serde(default)]
    status: Option<RunStatus>,
    #[serde(default, rename = "RunHistoryExperimentName")]
    experiment: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_date: Option<OffsetDateTime>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunStatus {
    #[serde(default)]
    status_code: Option<Word>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    end_time: Option<OffsetDateTime>,
}

impl From<Run> for PipelineRunDetails {
    fn from(it: Run) -> Self {
        let (word, ended_at) = match it.status {
            Some(status) => (status.status_code, status.end_time),
            None => (None, None),
        };
        let status = word
            .map_or(PipelineStatus::NotStarted, |word| PipelineStatus::from_word(word.as_str()));
        let experiment = it.experiment.unwrap_or_default();
        let details = Self::new(it.id, experiment);
        Self { status, created_at: it.created_date, ended_at, ..details }
    }
}

/// `POST snapshots/getblob`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlobList {
    pub(super) file_nodes: Vec<BlobNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlobNode {
    pub(super) full_name: String,
    /// Holds a signature: never to be printed.
    pub(super) blob_uri: String,
}

/// `GET runs/{id}/children` of run history.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Children {
    pub(super) value: Vec<Child>,
    #[serde(default)]
    pub(super) continuation_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Child {
    run_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    run_type: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_utc: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    start_time_utc: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    end_time_utc: Option<OffsetDateTime>,
    #[serde(default)]
    tags: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    properties: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    error: Option<ChildError>,
}

#[derive(Debug, Deserialize)]
struct ChildError {
    #[serde(default)]
    error: Option<ErrorBody>,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: Option<String>,
}

impl Child {
    /// Whether it is the run of a step: by its kind, or by the node it names.
    pub(super) fn is_step(&self) -> bool {
        let kind = self.run_type.as_deref();
        matches!(kind, Some("azureml.StepRun" | "azureml.ReusedStepRun"))
            || self.mark("azureml.nodeid").is_some()
    }

    /// A tag, or the property of the same name.
    fn mark(&self, key: &str) -> Option<&str> {
        let of = |map: &'_ Option<BTreeMap<String, Option<String>>>| {
            map.as_ref().and_then(|it| it.get(key)).is_some_and(Option::is_some)
        };
        let map = if of(&self.tags) { &self.tags } else { &self.properties };
        map.as_ref()?.get(key)?.as_deref()
    }
}

impl From<Child> for StepRun {
    fn from(it: Child) -> Self {
        let reused_from = it.mark("azureml.reusedrunid").filter(|it| !it.is_empty());
        let reused_from = reused_from.map(StepRunId::from);
        let node_id = it.mark("azureml.nodeid").unwrap_or_default().to_owned();
        let status = it.status.as_deref().map_or(StepStatus::NotStarted, StepStatus::from_word);
        let error = it.error.and_then(|it| it.error).and_then(|it| it.message);
        let run = Self::new(it.run_id, it.name.unwrap_or_default());
        Self {
            node_id,
            status,
            created_at: it.created_utc,
            started_at: it.start_time_utc,
            ended_at: it.end_time_utc,
            reused_from,
            error,
            ..run
        }
    }
}

/// One entry of `POST PipelineRuns/{id}/Outputs`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(default)]
    data_location: Option<DataLocation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataLocation {
    #[serde(default)]
    data_reference: Option<DataReference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataReference {
    #[serde(default)]
    azure_blob_reference: Option<BlobReference>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BlobReference {
    #[serde(default)]
    relative_path: Option<String>,
    #[serde(default)]
    aml_data_store_name: Option<String>,
}

impl Output {
    pub(super) fn into_step_output(self, name: String) -> Option<StepOutput> {
        let blob = self.data_location?.data_reference?.azure_blob_reference?;
        Some(StepOutput {
            name: name.into(),
            datastore: blob.aml_data_store_name?,
            path: blob.relative_path.unwrap_or_default(),
        })
    }
}
