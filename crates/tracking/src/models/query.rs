use std::collections::BTreeMap;

use crate::{ModelName, RunId};

/// Which versions to list: at first all of all models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelQuery {
    /// Only versions of this model.
    pub name: Option<ModelName>,
    /// Only models that this run made.
    pub run_id: Option<RunId>,
    /// Tags that the versions must have.
    pub tags: BTreeMap<String, String>,
    /// Properties that the versions must have.
    pub properties: BTreeMap<String, String>,
    /// What the versions must have been made with.
    pub framework: Option<String>,
    /// Only the latest version of each model.
    pub is_latest_only: bool,
}

impl ModelQuery {
    /// All versions of all models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only versions of this model.
    #[must_use]
    pub fn with_name(self, name: impl Into<ModelName>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Only models that this run made.
    #[must_use]
    pub fn with_run(self, run_id: RunId) -> Self {
        Self { run_id: Some(run_id), ..self }
    }

    /// Only versions with this tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Only versions with this property.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Only versions that were made with this, for example `ScikitLearn`.
    #[must_use]
    pub fn with_framework(self, framework: impl Into<String>) -> Self {
        Self { framework: Some(framework.into()), ..self }
    }

    /// Only the latest version of each model.
    #[must_use]
    pub fn with_latest_only(self) -> Self {
        Self { is_latest_only: true, ..self }
    }
}
