//! JSON of model management, as azureml-core 1.61 was seen to send and accept it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Wanted;
use crate::{
    kernel::Refusal,
    services::{arm, history::instant},
    store::{Asset, Model, ModelPatch, NewModel, Origin},
};

type Texts = BTreeMap<String, Option<String>>;

#[derive(Deserialize)]
pub(super) struct AssetBody {
    pub(super) name: String,
    #[serde(default)]
    artifacts: Vec<Prefix>,
    #[serde(alias = "runId")]
    pub(super) runid: Option<String>,
}

#[derive(Deserialize)]
struct Prefix {
    #[serde(alias = "id")]
    prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelBody {
    name: String,
    url: String,
    framework: Option<String>,
    framework_version: Option<String>,
    mime_type: Option<String>,
    description: Option<String>,
    #[serde(default)]
    unpack: bool,
    run_id: Option<String>,
    experiment_name: Option<String>,
    #[serde(default)]
    kv_tags: Option<Texts>,
    #[serde(default)]
    properties: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListQuery {
    name: Option<String>,
    run_id: Option<String>,
    framework: Option<String>,
    tags: Option<String>,
    properties: Option<String>,
    latest_version_only: Option<String>,
    pub(super) count: Option<usize>,
    #[serde(rename = "$skipToken")]
    pub(super) skip_token: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct PatchStep {
    op: String,
    path: String,
    value: Option<Value>,
}

impl AssetBody {
    pub(super) fn prefixes(&self) -> Vec<String> {
        self.artifacts.iter().map(|it| it.prefix.clone()).collect()
    }
}

impl ModelBody {
    pub(super) fn into_new(self, created_by: String) -> NewModel {
        NewModel {
            name: self.name,
            url: self.url,
            framework: self.framework,
            framework_version: self.framework_version,
            mime_type: self.mime_type,
            description: self.description,
            unpack: self.unpack,
            run_id: self.run_id,
            experiment_name: self.experiment_name,
            tags: self.kv_tags.unwrap_or_default(),
            properties: self.properties.unwrap_or_default(),
            created_by,
            origin: Origin::default(),
        }
    }
}

impl ListQuery {
    pub(super) fn wanted(&self) -> Wanted {
        let words = |it: &Option<String>| {
            let words = it.as_deref().unwrap_or_default().split(',').filter(|it| !it.is_empty());
            words.map(str::to_owned).collect()
        };
        let text = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        Wanted {
            name: text(&self.name),
            run_id: text(&self.run_id),
            framework: text(&self.framework),
            tags: words(&self.tags),
            properties: words(&self.properties),
            latest_only: self
                .latest_version_only
                .as_deref()
                .is_some_and(|it| it.eq_ignore_ascii_case("true")),
        }
    }
}

/// What a list of JSON-patch steps changes. Each step sets a whole field.
pub(super) fn patch(steps: Vec<PatchStep>) -> Result<ModelPatch, Refusal> {
    let mut patch = ModelPatch::default();
    for step in steps {
        if !matches!(step.op.to_ascii_lowercase().as_str(), "add" | "replace" | "remove") {
            return Err(Refusal::invalid(format!(
                "op {:?} is none of add, replace, remove",
                step.op
            )));
        }
        let value = step.value.unwrap_or(Value::Null);
        let bad = |err: serde_json::Error| Refusal::invalid(format!("{}: {err}", step.path));
        let texts = |value: Value| -> Result<Texts, Refusal> {
            if value.is_null() {
                Ok(Texts::new())
            } else {
                serde_json::from_value(value).map_err(bad)
            }
        };
        match step.path.as_str() {
            "/description" => {
                patch.description = Some(value.as_str().unwrap_or_default().to_owned());
            }
            "/kvTags" => patch.tags = Some(texts(value)?),
            "/properties" => patch.properties = Some(texts(value)?),
            other => {
                let text = format!("path {other:?} is none of /description, /kvTags, /properties");
                return Err(Refusal::invalid(text));
            }
        }
    }
    Ok(patch)
}

pub(super) fn asset_json(asset: &Asset) -> Value {
    let artifacts: Vec<Value> = asset.prefixes.iter().map(|it| json!({ "prefix": it })).collect();
    json!({
        "id": asset.id, "name": asset.name, "artifacts": artifacts, "runid": asset.run_id,
        "createdTime": instant(asset.created_at),
    })
}

pub(super) fn model_json(model: &Model) -> Value {
    json!({
        "id": model.id(), "name": model.name, "version": model.version, "url": model.url,
        "framework": model.framework, "frameworkVersion": model.framework_version,
        "mimeType": model.mime_type, "description": model.description, "unpack": model.unpack,
        "runId": model.run_id, "experimentName": model.experiment_name, "kvTags": model.tags,
        "properties": model.properties, "datasets": [], "parentModelId": null,
        "derivedModelIds": [], "createdTime": instant(model.created_at),
        "modifiedTime": instant(model.modified_at),
        "createdBy": { "userObjectId": model.created_by, "userTenantId": arm::TENANT, "userName": model.created_by },
        "sampleInputData": null, "sampleOutputData": null, "resourceRequirements": null,
    })
}
