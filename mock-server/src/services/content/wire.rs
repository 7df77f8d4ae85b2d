use std::{collections::BTreeMap, time::Duration};

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{FOLDER, NewSnapshot};
use crate::{
    kernel::Site,
    services::blob::{ARTIFACTS, sas},
};

/// The id of the snapshot that is empty.
const EMPTY: &str = "00000000-0000-0000-0000-000000000000";

/// How long the addresses of files are good for.
const VALID_FOR: Duration = Duration::from_secs(24 * 3600);

/// Takes `null` for an empty value: clients write either.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct PlacesBody {
    #[serde(deserialize_with = "or_default")]
    pub(super) file_names: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct SnapshotBody {
    parent_snapshot_id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    dir_tree_node: TreeNode,
    #[serde(deserialize_with = "or_default")]
    file_revision_list: RevisionList,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TreeNode {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    children: BTreeMap<String, TreeNode>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RevisionList {
    #[serde(deserialize_with = "or_default")]
    file_nodes: Vec<FileNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileNode {
    full_name: String,
    blob_uri: String,
}

impl SnapshotBody {
    pub(super) fn into_new(self, id: String) -> Result<NewSnapshot, String> {
        let mut names = Vec::new();
        self.dir_tree_node.collect("", &mut names);
        let sent = self.file_revision_list.file_nodes.into_iter().map(|it| {
            let blob = blob_of(&it.blob_uri);
            let blob = blob.ok_or_else(|| format!("{} has no address of a blob", it.full_name))?;
            Ok((it.full_name, blob))
        });
        let sent = sent.collect::<Result<_, String>>()?;
        Ok(NewSnapshot { id, parent_id: self.parent_snapshot_id, names, sent })
    }
}

impl TreeNode {
    /// Adds the names of all files below.
    fn collect(&self, prefix: &str, names: &mut Vec<String>) {
        for (name, child) in &self.children {
            let path = format!("{prefix}{name}");
            if child.kind.eq_ignore_ascii_case("File") {
                names.push(path);
            } else {
                child.collect(&format!("{path}/"), names);
            }
        }
    }
}

/// The name of the blob at an address that [`place_json`] made.
fn blob_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.split(['?', '#']).next()?;
    let (_, path) = path.split_once('/')?;
    let name = path.strip_prefix(ARTIFACTS)?.strip_prefix('/')?;
    Some(percent_decode_str(name).decode_utf8().ok()?.into_owned())
}

/// Where a client may put the file `name` of the upload `id`.
pub(super) fn place_json(account: &str, id: &str, name: &str, site: &Site) -> Value {
    let blob = format!("{FOLDER}/{id}/{name}");
    let signature = sas(account, ARTIFACTS, &blob, "rcw", VALID_FOR);
    json!({ "fullName": name, "blobUri": site.blob(account, ARTIFACTS, &blob, &signature) })
}

pub(super) fn empty_json() -> Value {
    json!({
        "id": EMPTY,
        "root": {
            "name": "", "hash": null, "type": "Directory",
            "timestamp": "0001-01-01T00:00:00+00:00", "sasUrl": null, "absoluteUrl": null,
            "sizeBytes": 0, "sizeSet": true, "children": {},
        },
    })
}
