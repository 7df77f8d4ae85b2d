//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::{ObjectId, WorkspaceObject};
use crate::wire::{Integer, Millis, unsigned};

#[derive(Serialize)]
pub(super) struct ImportRequest<'a> {
    pub(super) path: &'a str,
    pub(super) content: String,
    pub(super) format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) overwrite: bool,
}

#[derive(Deserialize)]
pub(super) struct ExportResponse {
    #[serde(default)]
    pub(super) content: String,
}

#[derive(Serialize)]
pub(super) struct MkdirsRequest<'a> {
    pub(super) path: &'a str,
}

#[derive(Serialize)]
pub(super) struct DeleteRequest<'a> {
    pub(super) path: &'a str,
    pub(super) recursive: bool,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) objects: Vec<WireObject>,
}

#[derive(Deserialize)]
pub(super) struct WireObject {
    path: String,
    object_type: String,
    #[serde(default)]
    object_id: Option<Integer>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    size: Option<Integer>,
    #[serde(default)]
    created_at: Millis,
    #[serde(default)]
    modified_at: Millis,
}

impl WireObject {
    pub(super) fn into_domain(self, operation: &'static str) -> Result<WorkspaceObject> {
        let path =
            self.path.parse().map_err(|err| Error::local(operation, ErrorKind::Decode, err))?;
        let len = self.size.map(|it| unsigned(operation, "size", it.0)).transpose()?;
        Ok(WorkspaceObject {
            path,
            kind: self.object_type.into(),
            object_id: self.object_id.map(|it| ObjectId::new(it.0)),
            language: self.language.map(Into::into),
            len,
            created_at: self.created_at.instant(),
            modified_at: self.modified_at.instant(),
        })
    }
}
