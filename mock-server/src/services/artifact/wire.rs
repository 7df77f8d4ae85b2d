use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::state::Folder;
use crate::{
    kernel::Site,
    services::{
        blob::{ARTIFACTS, sas},
        history::instant,
    },
};

/// How long the addresses of contents are good for.
const VALID_FOR: Duration = Duration::from_secs(24 * 3600);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct BatchBody {
    paths: Vec<PathBody>,
}

#[derive(Deserialize)]
struct PathBody {
    path: String,
}

impl BatchBody {
    pub(super) fn into_paths(self) -> Vec<String> {
        self.paths.into_iter().map(|it| it.path).collect()
    }
}

pub(super) fn artifact_json(folder: Folder<'_>, path: &str, at: OffsetDateTime) -> Value {
    json!({
        "artifactId": folder.blob(path), "origin": folder.origin, "container": folder.container,
        "path": path, "etag": format!("\"0x{:X}\"", at.unix_timestamp_nanos()),
        "createdTime": instant(at), "dataPath": null, "tags": null,
    })
}

/// Where the bytes are, for whoever has this address: `permissions` are those
/// of a signature.
pub(super) fn content_json(
    folder: Folder<'_>,
    path: &str,
    permissions: &str,
    site: &Site,
) -> Value {
    let name = folder.blob(path);
    let signature = sas(folder.account, ARTIFACTS, &name, permissions, VALID_FOR);
    json!({
        "contentUri": site.blob(folder.account, ARTIFACTS, &name, &signature),
        "origin": folder.origin, "container": folder.container, "path": path, "tags": null,
    })
}
