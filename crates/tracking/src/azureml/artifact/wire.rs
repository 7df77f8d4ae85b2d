//! JSON exactly as the artifact service writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct Paths<'a> {
    pub(super) paths: Vec<PathOf<'a>>,
}

#[derive(Serialize)]
pub(super) struct PathOf<'a> {
    pub(super) path: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    pub(super) artifact_content_information: BTreeMap<String, ContentUri>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentUri {
    pub(super) content_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifacts {
    pub(super) value: Vec<Listed>,
    pub(super) continuation_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contents {
    pub(super) value: Vec<ContentInfo>,
    pub(super) continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentInfo {
    pub(super) content_uri: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) origin: String,
    #[serde(default)]
    pub(super) container: String,
}
