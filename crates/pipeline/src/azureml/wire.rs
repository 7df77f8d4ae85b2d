//! Answers exactly as the services write them.

use std::collections::BTreeMap;

use azml_core::ResourceId;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{FileDataset, PipelineRunDetails, PipelineStatus, PublishedPipeline, StepOutput};

/// A module or data source as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entity {
    pub(super) id: String,
    #[serde(default)]
    pub(super) upload_state: Option<Word>,
    /// Whether its output may stand in for another run's.
    #[serde(default)]
    pub(super) is_deterministic: Option<bool>,
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
    pub(super) id: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) graph_id: Option<String>,
    /// With the defaults filled in.
    #[serde(default)]
    pub(super) parameter_assignments: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) continue_experiment_on_node_failure: Option<bool>,
    #[serde(default)]
    status: Option<RunStatus>,
    #[serde(default, rename = "RunHistoryExperimentName")]
    pub(super) experiment: Option<String>,
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

/// A published pipeline.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Published {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    entity_status: Option<Word>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_date: Option<OffsetDateTime>,
}

impl From<Published> for PublishedPipeline {
    fn from(it: Published) -> Self {
        let word = it.entity_status.as_ref().map(Word::as_str);
        let published = Self::new(it.id, it.name.unwrap_or_default());
        Self {
            description: it.description,
            version: it.version,
            is_active: matches!(word, None | Some("Active" | "0")),
            endpoint: it.url,
            created_at: it.created_date,
            ..published
        }
    }
}

/// `POST saveddatasets`.
#[derive(Debug, Deserialize)]
pub(super) struct SavedDataset {
    pub(super) id: String,
}

/// The record of a folder of files, as the official SDK writes it.
pub(crate) fn saved_dataset(workspace: &ResourceId, dataset: &FileDataset) -> Value {
    let pattern = format!(
        "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/datastores/{}/paths/{}",
        workspace.subscription_id(),
        workspace.resource_group(),
        workspace.name(),
        dataset.datastore.as_deref().unwrap_or_default(),
        dataset.path,
    );
    // Text in double quotes means the same in YAML as in JSON.
    let pattern = Value::from(pattern);
    let flow = format!(
        "---\ntype: mltable\npaths:\n  - pattern: {pattern}\nmetadata:\n  infer_column_types: \
         \"False\"\n"
    );
    let flow = json!({ "blocks": [], "meta": { "RsDataflow": flow } });
    json!({ "datasetType": "file", "properties": {}, "dataflowJson": flow.to_string() })
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
