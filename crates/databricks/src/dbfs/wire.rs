//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::FileInfo;
use crate::wire::{Integer, Millis, unsigned};

#[derive(Serialize)]
pub(super) struct PutRequest<'a> {
    pub(super) path: &'a str,
    pub(super) contents: String,
    pub(super) overwrite: bool,
}

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    pub(super) path: &'a str,
    pub(super) overwrite: bool,
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) handle: Integer,
}

#[derive(Serialize)]
pub(super) struct AddBlockRequest {
    pub(super) handle: i64,
    pub(super) data: String,
}

#[derive(Serialize)]
pub(super) struct CloseRequest {
    pub(super) handle: i64,
}

#[derive(Deserialize)]
pub(super) struct ReadResponse {
    #[serde(default)]
    pub(super) data: String,
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

#[derive(Serialize)]
pub(super) struct MoveRequest<'a> {
    pub(super) source_path: &'a str,
    pub(super) destination_path: &'a str,
}

/// An empty folder lists as `{}`.
#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) files: Vec<WireFile>,
}

#[derive(Deserialize)]
pub(super) struct WireFile {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default)]
    file_size: Integer,
    #[serde(default)]
    modification_time: Millis,
}

impl WireFile {
    pub(super) fn into_domain(self, operation: &'static str) -> Result<FileInfo> {
        let path =
            self.path.parse().map_err(|err| Error::local(operation, ErrorKind::Decode, err))?;
        Ok(FileInfo {
            path,
            is_dir: self.is_dir,
            len: unsigned(operation, "file_size", self.file_size.0)?,
            modified_at: self.modification_time.instant(),
        })
    }
}
