//! JSON of the model registry.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken};
use serde::{Deserialize, Deserializer, de};

use crate::{
    ModelName, ModelStage, ModelVersion, ModelVersionNumber, RegisteredModel, RunId,
    mlflow::wire::{OwnedPair, instant, integer},
};

/// A version is text, or a number at Databricks.
fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    integer(deserializer)?.ok_or_else(|| de::Error::custom("a version has no number"))
}

#[derive(Deserialize)]
pub(super) struct GotVersion {
    model_version: Version,
}

#[derive(Deserialize)]
pub(super) struct Versions {
    #[serde(default)]
    model_versions: Vec<Version>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so")]
struct Version {
    name: String,
    #[serde(deserialize_with = "version")]
    version: i64,
    #[serde(default, deserialize_with = "integer")]
    creation_timestamp: Option<i64>,
    current_stage: Option<String>,
    description: Option<String>,
    #[serde(default)]
    source: String,
    run_id: Option<String>,
    #[serde(default)]
    tags: Vec<OwnedPair>,
    #[serde(default)]
    aliases: Vec<String>,
}

impl From<Version> for ModelVersion {
    fn from(it: Version) -> Self {
        let text = |it: Option<String>| it.filter(|it| !it.is_empty());
        Self {
            name: ModelName::new(it.name),
            version: ModelVersionNumber::new(it.version),
            description: text(it.description),
            framework: None,
            framework_version: None,
            tags: texts(it.tags),
            properties: BTreeMap::new(),
            run_id: text(it.run_id).map(RunId::from),
            experiment_name: None,
            url: it.source,
            created_at: it.creation_timestamp.and_then(instant),
            aliases: it.aliases,
            stage: it.current_stage.as_deref().map(ModelStage::from_word),
        }
    }
}

impl From<GotVersion> for ModelVersion {
    fn from(it: GotVersion) -> Self {
        it.model_version.into()
    }
}

impl From<Versions> for Page<ModelVersion> {
    fn from(it: Versions) -> Self {
        Self {
            items: it.model_versions.into_iter().map(ModelVersion::from).collect(),
            next: it.next_page_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct GotModel {
    registered_model: Model,
}

#[derive(Deserialize)]
pub(super) struct Models {
    #[serde(default)]
    registered_models: Vec<Model>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    description: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    creation_timestamp: Option<i64>,
    #[serde(default)]
    tags: Vec<OwnedPair>,
    #[serde(default)]
    aliases: Vec<Alias>,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    #[serde(deserialize_with = "version")]
    version: i64,
}

impl From<Model> for RegisteredModel {
    fn from(it: Model) -> Self {
        let alias = |it: Alias| (it.alias, ModelVersionNumber::new(it.version));
        Self {
            name: ModelName::new(it.name),
            description: it.description.filter(|it| !it.is_empty()),
            tags: texts(it.tags),
            aliases: it.aliases.into_iter().map(alias).collect(),
            created_at: it.creation_timestamp.and_then(instant),
        }
    }
}

impl From<GotModel> for RegisteredModel {
    fn from(it: GotModel) -> Self {
        it.registered_model.into()
    }
}

impl From<Models> for Page<RegisteredModel> {
    fn from(it: Models) -> Self {
        Self {
            items: it.registered_models.into_iter().map(RegisteredModel::from).collect(),
            next: it.next_page_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

fn texts(pairs: Vec<OwnedPair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|it| (it.key, it.value)).collect()
}
