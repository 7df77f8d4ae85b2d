//! Written from the published API reference, never from the client crates.

use axum::http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_UNMODIFIED_SINCE,
        LAST_MODIFIED, RANGE,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::BorrowedFormatItem,
    macros::format_description,
};

use super::routes::tree::{Entry, Spot};
use crate::{
    kernel::{Kind, Refusal},
    services::databricks::wire::{flag, millis, number},
};

const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// How many entries a page has at most.
const PAGE: i64 = 1000;

#[derive(Deserialize)]
pub(super) struct PutQuery {
    #[serde(default, deserialize_with = "flag")]
    pub(super) overwrite: bool,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default, deserialize_with = "number")]
    page_size: Option<i64>,
    page_token: Option<String>,
}

impl ListQuery {
    /// What is on the page that is asked for.
    pub(super) fn page(&self, spot: &Spot, entries: &[Entry]) -> Result<Value, Refusal> {
        let size = match self.page_size.unwrap_or(0) {
            it if it < 0 => {
                return Err(Refusal::invalid(format!("page_size must be 0 or more, not {it}")));
            }
            0 => PAGE,
            it => it.min(PAGE),
        };
        let after = self.after()?;
        let rest = entries.iter().filter(|it| after.as_ref().is_none_or(|after| after < &it.name));
        let rest: Vec<&Entry> = rest.collect();
        let shown = &rest[..rest.len().min(usize::try_from(size).unwrap_or(usize::MAX))];
        let mut page = json!({});
        if !shown.is_empty() {
            page["contents"] = shown.iter().map(|it| describe(spot, it)).collect();
        }
        if let (true, Some(last)) = (shown.len() < rest.len(), shown.last()) {
            page["next_page_token"] = json!(BASE64.encode(&last.name));
        }
        Ok(page)
    }

    /// The name of the last entry that the client has.
    fn after(&self) -> Result<Option<String>, Refusal> {
        let Some(token) = self.page_token.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(None);
        };
        let name = BASE64.decode(token).ok().and_then(|it| String::from_utf8(it).ok());
        name.map(Some).ok_or_else(|| Refusal::invalid(format!("Invalid page token: {token}")))
    }
}

fn describe(spot: &Spot, it: &Entry) -> Value {
    let mut shown = json!({
        "path": format!("{}/{}", spot.path, it.name),
        "name": it.name,
        "is_directory": it.is_directory,
        "last_modified": millis(it.modified_at),
    });
    if !it.is_directory {
        shown["file_size"] = json!(it.size);
    }
    shown
}

/// The headers of a file.
pub(super) fn headers(len: u64, modified_at: OffsetDateTime) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let date = modified_at.to_offset(UtcOffset::UTC).format(HTTP_DATE).unwrap_or_default();
    if let Ok(date) = HeaderValue::try_from(date) {
        headers.insert(LAST_MODIFIED, date);
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, len.into());
    headers
}

/// Turns the headers of the whole into those of a part.
pub(super) fn of_part(headers: &mut HeaderMap, (offset, part): (u64, u64), len: u64) {
    let range = format!("bytes {offset}-{}/{len}", offset + part - 1);
    if let Ok(range) = HeaderValue::try_from(range) {
        headers.insert(CONTENT_RANGE, range);
    }
    headers.insert(CONTENT_LENGTH, part.into());
}

/// Refuses to show a file that has changed since the client looked.
pub(super) fn check_unmodified(
    request: &HeaderMap,
    modified_at: OffsetDateTime,
) -> Result<(), Refusal> {
    let Some(wanted) = request.get(IF_UNMODIFIED_SINCE).and_then(|it| it.to_str().ok()) else {
        return Ok(());
    };
    // A date that cannot be read does not count, as HTTP has it.
    let Ok(since) = PrimitiveDateTime::parse(wanted, HTTP_DATE) else { return Ok(()) };
    if since.assume_utc().unix_timestamp() < modified_at.unix_timestamp() {
        let text = format!("The file has been modified since {wanted}");
        return Err(Refusal::new(Kind::PreconditionFailed, text).with_code("PRECONDITION_FAILED"));
    }
    Ok(())
}

/// The part of `len` bytes that is asked for: offset and length. `None` for the whole.
pub(super) fn range(request: &HeaderMap, len: u64) -> Result<Option<(u64, u64)>, Refusal> {
    let range = request.get(RANGE).and_then(|it| it.to_str().ok()?.strip_prefix("bytes="));
    // Of several ranges, and of what cannot be read, the whole is sent.
    let Some((start, end)) = range.and_then(|it| it.split_once('-')) else { return Ok(None) };
    let (start, end) = (start.trim(), end.trim());
    let (start, last) = match (start.parse::<u64>(), end.parse::<u64>()) {
        (Ok(start), Ok(last)) => (start, last),
        (Ok(start), Err(_)) if end.is_empty() => (start, u64::MAX),
        (Err(_), Ok(count)) if start.is_empty() && count != 0 => {
            (len.saturating_sub(count), u64::MAX)
        }
        _ => return Ok(None),
    };
    if len <= start || last < start {
        let text = format!("The range is outside of the file, which has {len} bytes");
        let kind = Kind::Status(StatusCode::RANGE_NOT_SATISFIABLE);
        return Err(Refusal::new(kind, text).with_code("INVALID_PARAMETER_VALUE"));
    }
    Ok(Some((start, last.min(len - 1) - start + 1)))
}
