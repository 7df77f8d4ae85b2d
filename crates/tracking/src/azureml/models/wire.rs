//! JSON exactly as model management writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{ExperimentName, ModelName, ModelVersion, ModelVersionNumber, RunId};

#[derive(Serialize)]
pub(super) struct NewAsset<'a> {
    pub(super) name: &'a str,
    pub(super) artifacts: [Prefix<'a>; 1],
    /// In lower case, unlike everywhere else.
    #[serde(rename = "runid", skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Prefix<'a> {
    pub(super) prefix: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Asset {
    pub(super) artifacts: Vec<AssetPart>,
}

/// A part is named by a prefix, or by an id when it is one file.
#[derive(Deserialize)]
pub(super) struct AssetPart {
    pub(super) prefix: Option<String>,
    pub(super) id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewModel<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) framework: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) framework_version: Option<&'a str>,
    pub(super) datasets: [(); 0],
    pub(super) url: String,
    pub(super) mime_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    pub(super) unpack: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) experiment_name: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) kv_tags: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) properties: &'a BTreeMap<String, String>,
}

/// One step of a JSON patch.
#[derive(Serialize)]
pub(super) struct Step<'a> {
    pub(super) op: &'static str,
    pub(super) path: &'static str,
    pub(super) value: Field<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Field<'a> {
    Text(&'a str),
    Texts(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model {
    name: String,
    version: i64,
    url: String,
    description: Option<String>,
    framework: Option<String>,
    framework_version: Option<String>,
    run_id: Option<String>,
    experiment_name: Option<String>,
    kv_tags: Option<BTreeMap<String, Option<String>>>,
    properties: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_time: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Models {
    value: Vec<Model>,
    next_link: Option<String>,
}

impl From<Model> for ModelVersion {
    fn from(it: Model) -> Self {
        Self {
            name: ModelName::new(it.name),
            version: ModelVersionNumber::new(it.version),
            description: it.description,
            framework: it.framework,
            framework_version: it.framework_version,
            tags: texts(it.kv_tags),
            properties: texts(it.properties),
            run_id: it.run_id.map(RunId::from),
            experiment_name: it.experiment_name.map(ExperimentName::from),
            url: it.url,
            created_at: it.created_time,
            aliases: Vec::new(),
            stage: None,
        }
    }
}

impl From<Models> for Page<ModelVersion> {
    fn from(it: Models) -> Self {
        Self {
            items: it.value.into_iter().map(ModelVersion::from).collect(),
            next: it.next_link.as_deref().and_then(skip_token),
        }
    }
}

/// Only the mark is taken from the link, as it is: the address stays ours.
fn skip_token(link: &str) -> Option<PageToken> {
    let query = link.split_once('?')?.1;
    let is_mark = |it: &&str| {
        let key = it.split_once('=').map_or(*it, |(key, _)| key);
        key.eq_ignore_ascii_case("$skipToken") || key.eq_ignore_ascii_case("%24skipToken")
    };
    let mark = query.split('&').find(is_mark)?.split_once('=')?.1;
    (!mark.is_empty()).then(|| PageToken(mark.to_owned()))
}

fn texts(values: Option<BTreeMap<String, Option<String>>>) -> BTreeMap<String, String> {
    let values = values.unwrap_or_default().into_iter();
    values.map(|(key, value)| (key, value.unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_the_next_page_is_taken_from_the_link() {
        let mark = |link| skip_token(link).map(|it| it.0);
        assert_eq!(mark("https://x.test/m?count=2&$skipToken=a%2Fb"), Some("a%2Fb".to_owned()));
        assert_eq!(mark("/m?%24skiptoken=7&x=y"), Some("7".to_owned()));
        for link in ["", "https://x.test/m", "/m?count=2", "/m?$skipToken=", "/m?$skipToken"] {
            assert_eq!(mark(link), None, "{link}");
        }
    }
}
