//! Written from the published API reference, never from the client crates.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::routes::files::FileInfo;
use crate::{
    kernel::{Kind, Refusal},
    services::databricks::{
        paths,
        wire::{flag, millis, number, required},
    },
};

/// The most that one call takes or gives.
const BLOCK: usize = 1024 * 1024;

/// What a read gives that does not say how much.
const HALF_BLOCK: i64 = 512 * 1024;

#[derive(Deserialize)]
pub(super) struct PathBody {
    path: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) overwrite: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(super) recursive: bool,
    contents: Option<String>,
    #[serde(default, deserialize_with = "number")]
    offset: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    length: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct BlockBody {
    #[serde(default, deserialize_with = "number")]
    handle: Option<i64>,
    data: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct MoveBody {
    source_path: Option<String>,
    destination_path: Option<String>,
}

/// A path may have the scheme in front.
fn path(it: Option<&String>, field: &str) -> Result<String, Refusal> {
    let it = required(it, field)?;
    paths::normal(it.strip_prefix("dbfs:").unwrap_or(it))
}

fn decode(text: &str, field: &str) -> Result<Vec<u8>, Refusal> {
    let bytes = BASE64.decode(text);
    let bytes = bytes.map_err(|err| Refusal::invalid(format!("{field} is not base64: {err}")))?;
    if BLOCK < bytes.len() {
        let text = format!("The maximum block size is {BLOCK} bytes, but got {}", bytes.len());
        return Err(Refusal::new(Kind::TooLarge, text));
    }
    Ok(bytes)
}

impl PathBody {
    pub(super) fn path(&self) -> Result<String, Refusal> {
        path(self.path.as_ref(), "path")
    }

    pub(super) fn contents(&self) -> Result<Vec<u8>, Refusal> {
        decode(self.contents.as_deref().unwrap_or_default(), "contents")
    }

    /// Offset and length of a read.
    pub(super) fn range(&self) -> Result<(u64, u64), Refusal> {
        let positive = |it: i64, field: &str| {
            let refused = || Refusal::invalid(format!("{field} must be 0 or more, not {it}"));
            u64::try_from(it).map_err(|_| refused())
        };
        let offset = positive(self.offset.unwrap_or(0), "offset")?;
        let length = positive(self.length.unwrap_or(HALF_BLOCK), "length")?;
        if (BLOCK as u64) < length {
            let text = format!("The maximum read size is {BLOCK} bytes, but got {length}");
            return Err(Refusal::invalid(text).with_code("MAX_READ_SIZE_EXCEEDED"));
        }
        Ok((offset, length))
    }
}

impl BlockBody {
    pub(super) fn handle(&self) -> Result<i64, Refusal> {
        required(self.handle, "handle")
    }

    pub(super) fn data(&self) -> Result<Vec<u8>, Refusal> {
        decode(required(self.data.as_deref(), "data")?, "data")
    }
}

impl MoveBody {
    pub(super) fn paths(&self) -> Result<(String, String), Refusal> {
        let from = path(self.source_path.as_ref(), "source_path")?;
        Ok((from, path(self.destination_path.as_ref(), "destination_path")?))
    }
}

pub(super) fn describe(it: &FileInfo) -> Value {
    json!({
        "path": it.path,
        "is_dir": it.is_dir,
        "file_size": it.size,
        "modification_time": millis(it.modified_at),
    })
}

pub(super) fn describe_block(bytes: &[u8]) -> Value {
    json!({ "bytes_read": bytes.len(), "data": BASE64.encode(bytes) })
}
