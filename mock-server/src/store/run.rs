use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    inputs::{DatasetInput, ModelOutput},
    metrics::{Batch, Series},
};

/// Parameters by name. Short texts lie in their places: a search that follows
/// no addresses is faster.
pub(crate) type Params = BTreeMap<CompactString, CompactString>;

/// One run. The field names follow run history; MLflow is a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and a run has other types")]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) experiment_id: CompactString,
    /// 1, 2, 3 … in the order of creation.
    pub(crate) number: u64,
    pub(crate) name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) status: Status,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) parent_id: Option<String>,
    pub(crate) root_id: String,
    pub(crate) run_type: Option<String>,
    pub(crate) run_type_v2: Option<Value>,
    pub(crate) target: Option<String>,
    pub(crate) user: String,
    pub(crate) is_deleted: bool,
    /// Counts all changes, as the service shows it.
    pub(crate) revision: u64,
    /// Counts the changes of the status.
    pub(crate) status_revision: u64,
    /// A tag may have no value.
    pub(crate) tags: BTreeMap<String, Option<String>>,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) params: Params,
    pub(crate) metrics: BTreeMap<CompactString, Series>,
    pub(crate) error: Option<RunError>,
    pub(crate) datasets: Vec<DatasetInput>,
    /// Ids of the logged models that the run read.
    pub(crate) model_inputs: Vec<String>,
    pub(crate) model_outputs: Vec<ModelOutput>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunError {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What a client changes in a run. `None` leaves a field as it is; maps are merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunPatch {
    pub(crate) name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) run_type: Option<String>,
    pub(crate) run_type_v2: Option<Value>,
    pub(crate) parent_id: Option<String>,
    pub(crate) is_deleted: Option<bool>,
    /// The status alone: when the run ended is told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) tags: BTreeMap<String, Option<String>>,
    /// Tags that go.
    pub(crate) untagged: Vec<String>,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) params: Params,
}

/// Where a run is in its life, in the words of run history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Status {
    NotStarted,
    Queued,
    Preparing,
    Provisioning,
    Starting,
    Running,
    Finalizing,
    CancelRequested,
    Completed,
    Failed,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Queued => "Queued",
            Self::Preparing => "Preparing",
            Self::Provisioning => "Provisioning",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Finalizing => "Finalizing",
            Self::CancelRequested => "CancelRequested",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

impl std::str::FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use Status::{
            CancelRequested, Canceled, Completed, Failed, Finalizing, NotStarted, Preparing,
            Provisioning, Queued, Running, Starting,
        };
        let all = [
            NotStarted,
            Queued,
            Preparing,
            Provisioning,
            Starting,
            Running,
            Finalizing,
            CancelRequested,
            Completed,
            Failed,
            Canceled,
        ];
        let found = all.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("{text:?} is no status of a run"))
    }
}

impl Run {
    pub(super) fn patch(&mut self, patch: &RunPatch, at: OffsetDateTime) {
        let set = |slot: &mut Option<String>, value: &Option<String>| {
            if value.is_some() {
                slot.clone_from(value);
            }
        };
        set(&mut self.name, &patch.name);
        set(&mut self.display_name, &patch.display_name);
        set(&mut self.description, &patch.description);
        set(&mut self.target, &patch.target);
        set(&mut self.run_type, &patch.run_type);
        if patch.run_type_v2.is_some() {
            self.run_type_v2.clone_from(&patch.run_type_v2);
        }
        self.started_at = patch.started_at.or(self.started_at);
        self.ended_at = patch.ended_at.or(self.ended_at);
        self.is_deleted = patch.is_deleted.unwrap_or(self.is_deleted);
        if let Some(status) = patch.status {
            self.status = status;
            self.status_revision += 1;
        }
        self.tags.extend(patch.tags.clone());
        self.tags.retain(|key, _| !patch.untagged.contains(key));
        self.properties.extend(patch.properties.clone());
        self.params.extend(patch.params.clone());
        self.modified_at = at;
        self.revision += 1;
    }

    pub(super) fn set_status(&mut self, status: Status, at: OffsetDateTime) {
        self.status = status;
        self.status_revision += 1;
        self.revision += 1;
        self.modified_at = at;
        if status == Status::Running && self.started_at.is_none() {
            self.started_at = Some(at);
        }
        if status.is_final() {
            self.ended_at = Some(at);
        }
    }

    pub(super) fn feed(&mut self, datasets: &[DatasetInput], models: &[String]) {
        for it in datasets {
            let is_known = |known: &DatasetInput| {
                (&known.dataset.name, &known.dataset.digest)
                    == (&it.dataset.name, &it.dataset.digest)
            };
            if !self.datasets.iter().any(is_known) {
                self.datasets.push(it.clone());
            }
        }
        for it in models {
            if !self.model_inputs.contains(it) {
                self.model_inputs.push(it.clone());
            }
        }
    }

    pub(super) fn yield_models(&mut self, models: &[ModelOutput]) {
        for it in models {
            if !self.model_outputs.contains(it) {
                self.model_outputs.push(it.clone());
            }
        }
    }

    pub(super) fn log(&mut self, batch: &Batch) {
        if let Some(series) = self.metrics.get_mut(batch.name.as_str()) {
            return series.add(batch);
        }
        let mut series = Series::begun_by(batch);
        series.add(batch);
        self.metrics.insert(batch.name.as_str().into(), series);
    }

    /// The container of the run's artifacts.
    pub(crate) fn data_container_id(&self) -> String {
        format!("dcid.{}", self.id)
    }
}
