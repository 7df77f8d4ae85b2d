use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Point;
use std::collections::BTreeMap;

/// Data that a run was fed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) source_type: String,
    pub(crate) source: String,
    pub(crate) schema: Option<String>,
    pub(crate) profile: Option<String>,
}

/// A dataset and what it was to the run: `mlflow.data.context` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DatasetInput {
    pub(crate) dataset: Dataset,
    pub(crate) tags: Vec<(String, String)>,
}

/// A model that a run made, and at which step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelOutput {
    pub(crate) model_id: String,
    pub(crate) step: i64,
}

/// A model that a run logged. MLflow 3 knows it before anybody registers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoggedModel {
    pub(crate) id: String,
    pub(crate) experiment_id: String,
    pub(crate) name: String,
    pub(crate) model_type: String,
    pub(crate) source_run_id: String,
    pub(crate) status: ModelStatus,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
    pub(crate) is_deleted: bool,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) metrics: Vec<ModelMetric>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ModelStatus {
    Unspecified,
    Pending,
    Ready,
    UploadFailed,
}

/// A value that a run measured of a model, perhaps on one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelMetric {
    pub(crate) key: String,
    pub(crate) run_id: String,
    pub(crate) point: Point,
    pub(crate) dataset_name: Option<String>,
    pub(crate) dataset_digest: Option<String>,
}

/// What a client changes in a logged model. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoggedModelPatch {
    pub(crate) status: Option<ModelStatus>,
    pub(crate) is_deleted: Option<bool>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Tags that go.
    pub(crate) untagged: Vec<String>,
    pub(crate) params: BTreeMap<String, String>,
}

impl LoggedModel {
    pub(super) fn patch(&mut self, patch: &LoggedModelPatch, at: OffsetDateTime) {
        // Only these two count as a change of the model.
        if patch.status.is_some() || patch.is_deleted.is_some() {
            self.modified_at = at;
        }
        self.status = patch.status.unwrap_or(self.status);
        self.is_deleted = patch.is_deleted.unwrap_or(self.is_deleted);
        self.tags.extend(patch.tags.clone());
        self.tags.retain(|key, _| !patch.untagged.contains(key));
        self.params.extend(patch.params.clone());
    }

    pub(super) fn measure(&mut self, metric: &ModelMetric) {
        if !self.metrics.contains(metric) {
            self.metrics.push(metric.clone());
        }
    }
}
