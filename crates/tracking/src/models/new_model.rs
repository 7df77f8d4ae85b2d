use std::{collections::BTreeMap, path::PathBuf};

use crate::{ArtifactPath, ModelName};

/// Where the files of a new model are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelSource {
    /// A file of a run, or a folder.
    Artifact(ArtifactPath),
    /// A file of this machine, or a folder, which keeps its name.
    Local(PathBuf),
}

/// What to register under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewModel {
    /// Name of the model.
    pub name: ModelName,
    /// Where its files are.
    pub source: ModelSource,
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
        Self::from_source(name.into(), ModelSource::Artifact(artifact))
    }

    /// Registers the file or folder `path` of this machine under `name`.
    pub fn local(name: impl Into<ModelName>, path: impl Into<PathBuf>) -> Self {
        Self::from_source(name.into(), ModelSource::Local(path.into()))
    }

    fn from_source(name: ModelName, source: ModelSource) -> Self {
        Self {
            name,
            source,
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
