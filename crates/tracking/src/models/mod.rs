//! Registered models: files under a name and a version.

mod new_model;
mod query;
mod update;

use std::{collections::BTreeMap, fmt, path::Path, path::PathBuf};

use async_trait::async_trait;
use azml_core::{Error, Result, int_id, string_id};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use time::OffsetDateTime;

pub use self::{
    new_model::{ModelSource, NewModel},
    query::ModelQuery,
    update::ModelUpdate,
};
use crate::{ExperimentName, RunId, RunRef, TransferOptions};

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
    /// Names that stand for this version. MLflow only.
    pub aliases: Vec<String>,
    /// The stage it is in. MLflow only, where aliases are the newer way.
    pub stage: Option<ModelStage>,
}

/// A registered model with all its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredModel {
    /// Name.
    pub name: ModelName,
    /// Free text.
    pub description: Option<String>,
    /// Tags of the model, which are not those of its versions.
    pub tags: BTreeMap<String, String>,
    /// The version that each alias stands for.
    pub aliases: BTreeMap<String, ModelVersionNumber>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
}

/// How far a version is on its way into use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelStage {
    /// Nowhere.
    None,
    /// It is being tried.
    Staging,
    /// It is in use.
    Production,
    /// It was in use.
    Archived,
    /// A word that this version of the crate does not know.
    Unknown(String),
}

impl ModelStage {
    /// Reads the service's word.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "staging" => Self::Staging,
            "production" => Self::Production,
            "archived" => Self::Archived,
            _ => Self::Unknown(word.to_owned()),
        }
    }

    /// The service's word.
    pub fn word(&self) -> &str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
            Self::Unknown(word) => word,
        }
    }
}

/// The registered models of one server or workspace.
#[async_trait]
pub trait RegisteredModels: fmt::Debug + Send + Sync {
    /// Registers an artifact of `run`, or a file or folder of this machine. The
    /// service picks the version.
    ///
    /// Not repeated after a lost answer: the service would make another version.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run has no such
    /// artifact, [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for
    /// a name that is against the rule and for an artifact without a run.
    async fn register(&self, run: Option<&RunRef>, model: &NewModel) -> Result<ModelVersion>;

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
    async fn download(
        &self,
        model: &ModelVersion,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>>;

    /// Changes what is said about a version.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    async fn update(&self, model: &ModelVersion, update: &ModelUpdate) -> Result<ModelVersion> {
        let _ = (model, update);
        Err(Error::invalid("models.update", "this backend cannot change models"))
    }

    /// Deletes a version. Its number is not used again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    async fn delete(&self, model: &ModelVersion) -> Result<()> {
        let _ = model;
        Err(Error::invalid("models.delete", "this backend cannot delete models"))
    }

    /// Lists the models, each with all its versions together.
    fn list_models(&self) -> BoxStream<'static, Result<RegisteredModel>> {
        stream::iter([Err(unsupported("lists versions only; use list"))]).boxed()
    }

    /// Describes a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such model exists.
    async fn get_model(&self, name: &ModelName) -> Result<RegisteredModel> {
        let _ = name;
        Err(unsupported("knows versions only; use get"))
    }

    /// Changes what is said about a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such model exists.
    async fn update_model(&self, name: &ModelName, update: &ModelUpdate) -> Result<()> {
        let _ = (name, update);
        Err(unsupported("knows versions only; use update"))
    }

    /// Deletes a model with all its versions.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such model exists.
    async fn delete_model(&self, name: &ModelName) -> Result<()> {
        let _ = name;
        Err(unsupported("knows versions only; use delete"))
    }

    /// Lets `alias` stand for a version. It stands for one at a time.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    async fn set_alias(
        &self,
        name: &ModelName,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<()> {
        let _ = (name, alias, version);
        Err(unsupported("has no aliases; use a tag"))
    }

    /// Lets `alias` stand for nothing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such model exists.
    async fn remove_alias(&self, name: &ModelName, alias: &str) -> Result<()> {
        let _ = (name, alias);
        Err(unsupported("has no aliases; use a tag"))
    }

    /// The version that `alias` stands for.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it stands for none.
    async fn get_by_alias(&self, name: &ModelName, alias: &str) -> Result<ModelVersion> {
        let _ = (name, alias);
        Err(unsupported("has no aliases; use a tag"))
    }

    /// Brings a version to a stage. With `archives_others` the versions that were in
    /// this stage become archived.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    async fn set_stage(
        &self,
        model: &ModelVersion,
        stage: &ModelStage,
        archives_others: bool,
    ) -> Result<ModelVersion> {
        let _ = (model, stage, archives_others);
        Err(unsupported("has no stages; use a tag"))
    }
}

fn unsupported(what: &str) -> Error {
    Error::invalid("models", format!("this backend {what}"))
}

const _: fn(&dyn RegisteredModels) = |_| ();

/// Refuses names that the service would refuse.
#[cfg(feature = "azureml")]
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

#[cfg(all(test, feature = "azureml"))]
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
