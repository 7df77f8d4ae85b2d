use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Files that belong together, by the prefixes of their artifact names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) prefixes: Vec<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) created_at: OffsetDateTime,
}

/// One version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) url: String,
    pub(crate) framework: String,
    pub(crate) framework_version: Option<String>,
    pub(crate) mime_type: String,
    pub(crate) description: Option<String>,
    pub(crate) unpack: bool,
    pub(crate) run_id: Option<String>,
    pub(crate) experiment_name: Option<String>,
    pub(crate) tags: BTreeMap<String, Option<String>>,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) created_by: String,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
}

/// What a client says of a model that it registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NewModel {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) framework: Option<String>,
    pub(crate) framework_version: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) unpack: bool,
    pub(crate) run_id: Option<String>,
    pub(crate) experiment_name: Option<String>,
    pub(crate) tags: BTreeMap<String, Option<String>>,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) created_by: String,
}

/// What a client changes in a model. Whole maps are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelPatch {
    pub(crate) description: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
    pub(crate) properties: Option<BTreeMap<String, Option<String>>>,
}

impl Model {
    /// `name:version`.
    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.name, self.version)
    }

    pub(super) fn patch(&mut self, patch: &ModelPatch, at: OffsetDateTime) {
        if patch.description.is_some() {
            self.description.clone_from(&patch.description);
        }
        if let Some(tags) = &patch.tags {
            self.tags.clone_from(tags);
        }
        if let Some(properties) = &patch.properties {
            self.properties.clone_from(properties);
        }
        self.modified_at = at;
    }
}
