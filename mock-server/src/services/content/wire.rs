use std::{collections::BTreeMap, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{FOLDER, NewSnapshot, Snapshot};
use crate::{
    kernel::Site,
    services::{
        blob::{ARTIFACTS, sas},
        history::instant,
    },
};

/// The id of the snapshot that is empty.
const EMPTY: &str = "00000000-0000-0000-0000-000000000000";

/// What a readable path escapes all the same.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

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
    tags: Value,
    properties: Value,
    dir_tree_node: Value,
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
        let tree: TreeNode = Option::deserialize(&self.dir_tree_node)
            .map_err(|err| format!("DirTreeNode: {err}"))?
            .unwrap_or_default();
        tree.collect("", &mut names);
        let sent = self.file_revision_list.file_nodes.into_iter().map(|it| {
            let blob = blob_of(&it.blob_uri);
            let blob = blob.ok_or_else(|| format!("{} has no address of a blob", it.full_name))?;
            Ok((it.full_name, blob))
        });
        let sent = sent.collect::<Result<_, String>>()?;
        Ok(NewSnapshot {
            id,
            parent_id: self.parent_snapshot_id,
            names,
            tree: self.dir_tree_node,
            sent,
            tags: self.tags,
            properties: self.properties,
        })
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
    let container = site.blob(account, ARTIFACTS, "", "");
    let uri = format!("{container}{}?{signature}", readable(&blob));
    json!({ "fullName": name, "blobUri": uri })
}

/// A path as .NET prints it: blanks and letters of other alphabets stand for
/// themselves. The official SDK escapes them, and would escape an escape again.
fn readable(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for it in path.chars() {
        if it == ' ' || !it.is_ascii() {
            plain.push(it);
        } else {
            plain.extend(utf8_percent_encode(it.encode_utf8(&mut [0; 4]), ESCAPED));
        }
    }
    plain
}

/// What a workspace without a snapshot shows as its latest.
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

pub(super) fn snapshot_json(id: &str, it: &Snapshot) -> Value {
    json!({
        "id": id, "root": node_json(&it.tree, "", &it.sizes), "parentId": it.parent_id,
        "tags": it.tags, "properties": it.properties, "createdTime": instant(it.created_at),
    })
}

/// A node of the tree with all that the service adds; `path` is where it is.
fn node_json(node: &Value, path: &str, sizes: &BTreeMap<String, u64>) -> Value {
    let child = |(name, it): (&String, &Value)| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        (name.clone(), node_json(it, &path, sizes))
    };
    let children: Map<String, Value> =
        node["children"].as_object().into_iter().flatten().map(child).collect();
    let is_file = node["type"].as_str().is_some_and(|it| it.eq_ignore_ascii_case("File"));
    let size = sizes
        .get(path)
        .copied()
        .unwrap_or_else(|| children.values().filter_map(|it| it["sizeBytes"].as_u64()).sum());
    json!({
        "name": node["name"].as_str().unwrap_or_default(), "hash": node["hash"],
        "type": if is_file { "File" } else { "Directory" },
        "timestamp": node["timestamp"].as_str().unwrap_or("0001-01-01T00:00:00+00:00"),
        "sasUrl": null, "absoluteUrl": null, "sizeBytes": size, "sizeSet": true,
        "children": children,
    })
}

/// Where the archive of a snapshot is, for whoever has this address.
pub(super) fn zip_json(account: &str, blob: &str, site: &Site) -> Value {
    let signature = sas(account, ARTIFACTS, blob, "r", VALID_FOR);
    json!({ "zipSasUri": site.blob(account, ARTIFACTS, blob, &signature) })
}
