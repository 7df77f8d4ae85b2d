//! Registered models: files under a name and a version.

mod new_model;
mod query;
mod update;

use std::{collections::BTreeMap, fmt, path::Path, path::PathBuf};

use async_trait::async_trait;
use azml_core::{Error, Result, int_id, string_id};
use futures_core::stream::BoxStream;
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
