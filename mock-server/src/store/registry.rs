use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::kernel::ids;

/// Files that belong together, by the prefixes of their artifact names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) prefixes: Vec<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) created_at: OffsetDateTime,
}

/// A name under which models are registered, and its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredModel {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Versions by the aliases that point to them.
    pub(crate) aliases: BTreeMap<String, u64>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
    /// The last version number that was given out.
    pub(crate) last_version: u64,
    /// In the order of their numbers.
    pub(crate) versions: Vec<Model>,
}

/// What a client changes in a registered model. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredModelPatch {
    /// An empty one is none.
    pub(crate) description: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) aliases: Option<BTreeMap<String, u64>>,
    /// Whether this counts as a change of the model.
    pub(crate) is_noted: bool,
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
    /// `None`, `Staging`, `Production` or `Archived`.
    pub(crate) stage: String,
    /// What only MLflow knows of a version.
    pub(crate) origin: Origin,
}

/// Where MLflow got a version from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) run_link: Option<String>,
    pub(crate) model_id: Option<String>,
    /// Where the files are, when the source is the name of another model.
    pub(crate) storage: Option<String>,
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
    pub(crate) origin: Origin,
}

/// What a client changes in a model. Whole maps are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelPatch {
    pub(crate) description: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
    pub(crate) properties: Option<BTreeMap<String, Option<String>>>,
    pub(crate) stage: Option<String>,
}

/// The stage of a version that nobody moved.
pub(crate) const NO_STAGE: &str = "None";

impl RegisteredModel {
    pub(crate) fn new(name: String, at: OffsetDateTime) -> Self {
        Self {
            name,
            description: None,
            tags: BTreeMap::new(),
            aliases: BTreeMap::new(),
            created_at: at,
            modified_at: at,
            last_version: 0,
            versions: Vec::new(),
        }
    }

    /// What Databricks calls it besides its name.
    pub(crate) fn id(&self) -> String {
        let made = format!("{} {}", self.created_at.unix_timestamp_nanos(), self.name);
        let digest: [u8; 32] = Sha256::digest(made).into();
        ids::hex(&digest[..16])
    }

    pub(super) fn patch(&mut self, patch: &RegisteredModelPatch, at: OffsetDateTime) {
        if let Some(description) = &patch.description {
            self.description = Some(description.clone()).filter(|it| !it.is_empty());
        }
        if let Some(tags) = &patch.tags {
            self.tags.clone_from(tags);
        }
        if let Some(aliases) = &patch.aliases {
            self.aliases.clone_from(aliases);
        }
        if patch.is_noted {
            self.modified_at = at;
        }
    }

    pub(super) fn add(&mut self, model: &Model) {
        self.last_version = model.version;
        self.modified_at = model.created_at;
        self.versions.push(model.clone());
    }

    pub(super) fn remove(&mut self, version: u64, at: OffsetDateTime) {
        self.versions.retain(|it| it.version != version);
        self.aliases.retain(|_, it| *it != version);
        self.modified_at = at;
    }

    pub(super) fn rename(&mut self, name: &str, at: OffsetDateTime) {
        name.clone_into(&mut self.name);
        self.modified_at = at;
        for version in &mut self.versions {
            name.clone_into(&mut version.name);
            version.modified_at = at;
        }
    }
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
        if let Some(stage) = &patch.stage {
            self.stage.clone_from(stage);
        }
        self.modified_at = at;
    }
}
