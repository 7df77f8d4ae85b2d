use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Experiment {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
    pub(crate) is_deleted: bool,
    pub(crate) tags: BTreeMap<String, String>,
    /// Where MLflow keeps the artifacts of its runs. Empty: by the service's own rule.
    pub(crate) artifact_location: String,
}

/// What a client changes in an experiment. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExperimentPatch {
    pub(crate) name: Option<String>,
    /// Its runs go with it, and come back with it.
    pub(crate) is_deleted: Option<bool>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Tags that go.
    pub(crate) untagged: Vec<String>,
}

impl Experiment {
    pub(super) fn patch(&mut self, patch: &ExperimentPatch, at: OffsetDateTime) {
        if let Some(name) = &patch.name {
            self.name.clone_from(name);
        }
        self.is_deleted = patch.is_deleted.unwrap_or(self.is_deleted);
        self.tags.extend(patch.tags.clone());
        self.tags.retain(|key, _| !patch.untagged.contains(key));
        self.modified_at = at;
    }
}
