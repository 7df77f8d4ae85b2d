//! Headers and JSON exactly as the service writes them. Nothing here leaves this
//! module tree.

use azml_core::{Error, ErrorKind, Response, Result};
use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE, LAST_MODIFIED},
};
use serde::Deserialize;
use time::{
    OffsetDateTime, UtcOffset,
    format_description::{BorrowedFormatItem, well_known::Rfc2822},
    macros::format_description,
};

use super::{DirectoryEntry, FileMetadata, FilePart};
use crate::wire::{Integer, Millis, unsigned};

const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// `Tue, 14 Nov 2023 22:13:20 GMT`
pub(super) fn http_date(operation: &'static str, at: OffsetDateTime) -> Result<String> {
    let text = at.to_offset(UtcOffset::UTC).format(HTTP_DATE);
    text.map_err(|err| Error::local(operation, ErrorKind::InvalidArgument, err))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|it| it.to_str().ok())
}

pub(super) fn metadata(headers: &HeaderMap) -> FileMetadata {
    let len = text(headers, CONTENT_LENGTH).and_then(|it| it.parse().ok());
    let modified_at =
        text(headers, LAST_MODIFIED).and_then(|it| OffsetDateTime::parse(it, &Rfc2822).ok());
    FileMetadata { len: len.unwrap_or_default(), modified_at }
}

/// The part that was asked for, of an answer that has it or the whole file.
pub(super) fn part(
    operation: &'static str,
    response: Response,
    start: u64,
    end: u64,
) -> Result<FilePart> {
    let mut file = metadata(response.headers());
    if response.status() == StatusCode::PARTIAL_CONTENT {
        let total = text(response.headers(), CONTENT_RANGE)
            .and_then(|it| it.rsplit_once('/')?.1.parse().ok());
        let missing = || {
            let reason = "the answer to a range does not say how long the file is";
            Error::explained(operation, ErrorKind::Decode, reason)
        };
        file.len = total.ok_or_else(missing)?;
        return Ok(FilePart { bytes: response.into_body(), file });
    }
    let whole = response.into_body();
    file.len = whole.len() as u64;
    let within = |at: u64| usize::try_from(at.min(file.len)).unwrap_or(whole.len());
    Ok(FilePart { bytes: whole.slice(within(start)..within(end)), file })
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) contents: Vec<WireEntry>,
    #[serde(default)]
    pub(super) next_page_token: String,
}

#[derive(Deserialize)]
pub(super) struct WireEntry {
    path: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_directory: bool,
    #[serde(default)]
    file_size: Integer,
    #[serde(default)]
    last_modified: Millis,
}

impl WireEntry {
    pub(super) fn into_domain(self, operation: &'static str) -> Result<DirectoryEntry> {
        let path = self.path.trim_end_matches('/').parse();
        Ok(DirectoryEntry {
            path: path.map_err(|err| Error::local(operation, ErrorKind::Decode, err))?,
            name: self.name,
            is_dir: self.is_directory,
            len: unsigned(operation, "file_size", self.file_size.0)?,
            modified_at: self.last_modified.instant(),
        })
    }
}
