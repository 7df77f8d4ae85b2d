mod aliases;
mod models;
mod versions;

use std::fmt;

use azml_core::RequestBuilder;
use http::Method;
use serde::{Serialize, Serializer};

pub(super) use self::{
    aliases::{DeleteAlias, GetByAlias, SetAlias},
    models::{
        CreateModel, DeleteModel, DeleteModelTag, GetModel, SearchModels, SetModelTag, UpdateModel,
    },
    versions::{
        CreateVersion, DeleteVersion, DeleteVersionTag, GetVersion, SearchVersions, SetVersionTag,
        TransitionStage, UpdateVersion,
    },
};
use crate::ModelVersionNumber;

fn at(operation: &'static str, method: Method, base: &str, path: &str) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path("/api/2.0/mlflow").path(path)
}

/// The number of a version, which goes as text.
#[derive(Clone, Copy, Debug)]
pub(super) struct VersionText(pub(super) ModelVersionNumber);

impl fmt::Display for VersionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().fmt(f)
    }
}

impl Serialize for VersionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
