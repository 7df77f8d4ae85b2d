//! Registered models: files under a name and a version.

use std::{collections::BTreeMap, fmt, path::Path, path::PathBuf};

use async_trait::async_trait;
use azml_core::{Error, Result, int_id, string_id};
use futures_core::stream::BoxStream;
use time::OffsetDateTime;

use crate::{ArtifactPath, ExperimentName, RunId, RunRef};

string_id! {
    /// Names a registered model: a letter or digit, then at most 254 letters,
    /// digits, dashes, dots and underscores.
    ModelName
}

int_id! {
    /// Counts the versions of a registered model, from 1.
    ModelVersionNumber
}

/// One version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelVersion {
    /// Name of the model.
    pub name: ModelName,
    /// Which version of it this is.
    pub version: ModelVersionNumber,
    /// Free text.
    pub description: Option<String>,
    /// What it was made with, for example `ScikitLearn`.
    pub framework: Option<String>,
    /// The version of what it was made with.
    pub framework_version: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Properties: set once, never changed.
    pub properties: BTreeMap<String, String>,
    /// The run that made it.
    pub run_id: Option<RunId>,
    /// The experiment of the run that made it.
    pub experiment_name: Option<ExperimentName>,
    /// Where its files are, in the service's own spelling.
    pub url: String,
    /// When it was registered.
    pub created_at: Option<OffsetDateTime>,
}

/// What to register: an artifact of a run, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewModel {
    /// Name of the model.
    pub name: ModelName,
    /// A file of the run, or a folder.
    pub artifact: ArtifactPath,
    /// Free text.
    pub description: Option<String>,
    /// What it was made with, for example `ScikitLearn`.
    pub framework: Option<String>,
    /// The version of what it was made with.
    pub framework_version: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Properties: set once, never changed.
    pub properties: BTreeMap<String, String>,
}

impl NewModel {
    /// Registers the file or folder `artifact` of a run under `name`.
    pub fn new(name: impl Into<ModelName>, artifact: ArtifactPath) -> Self {
        Self {
            name: name.into(),
            artifact,
            description: None,
            framework: None,
            framework_version: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::new(),
        }
    }

    /// Sets the free text.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Says what it was made with.
    #[must_use]
    pub fn with_framework(
        self,
        framework: impl Into<String>,
        framework_version: impl Into<String>,
    ) -> Self {
        let framework = Some(framework.into());
        Self { framework, framework_version: Some(framework_version.into()), ..self }
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }
}

/// Which versions to list: at first all of all models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelQuery {
    /// Only versions of this model.
    pub name: Option<ModelName>,
    /// Only models that this run made.
    pub run_id: Option<RunId>,
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

    /// Only the latest version of each model.
    #[must_use]
    pub fn with_latest_only(self) -> Self {
        Self { is_latest_only: true, ..self }
    }
}

/// The registered models of one server or workspace.
#[async_trait]
pub trait RegisteredModels: fmt::Debug + Send + Sync {
    /// Registers an artifact of a run. The service picks the version.
    ///
    /// Not repeated after a lost answer: the service would make another version.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run has no such
    /// artifact, [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for
    /// a name that is against the rule.
    async fn register(&self, run: &RunRef, model: &NewModel) -> Result<ModelVersion>;

    /// Lists versions, the newest first.
    fn list(&self, query: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>>;

    /// Describes one version, or the newest when `version` is `None`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    async fn get(
        &self,
        name: &ModelName,
        version: Option<ModelVersionNumber>,
    ) -> Result<ModelVersion>;

    /// Downloads the files of a version below `folder`, and tells where each is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when its files are gone.
    async fn download(&self, model: &ModelVersion, folder: &Path) -> Result<Vec<PathBuf>>;
}

const _: fn(&dyn RegisteredModels) = |_| ();

/// Refuses names that the service would refuse.
pub(crate) fn check_name(operation: &'static str, name: &ModelName) -> Result<()> {
    let text = name.as_str();
    let is_good = text.len() <= 255
        && text.starts_with(|it: char| it.is_ascii_alphanumeric())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it));
    if !is_good {
        let text = format!(
            "model name \"{name}\": begin with a letter or digit and use at most 255 letters, \
             digits, dashes, dots and underscores"
        );
        return Err(Error::invalid(operation, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_edges() {
        for good in ["a", "0", "my.model-1_x", &"a".repeat(255)] {
            check_name("models.register", &ModelName::new(good)).unwrap();
        }
        for bad in ["", "-a", ".a", "a b", "a:1", "a/b", "é", &"a".repeat(256)] {
            assert!(check_name("models.register", &ModelName::new(bad)).is_err(), "{bad}");
        }
    }
}
