pub(super) mod signature;
pub(super) mod xml;

use std::collections::BTreeMap;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use time::{
    OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description,
};
use uuid::Uuid;

use self::xml::{Document, escaped};
use super::state::{Blob, Block, Headers, Waiting};
use crate::kernel::{Kind, Refusal, clock};

/// The version that is answered to a client that names none.
const VERSION: &str = "2021-08-06";

const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// XML, with the code once more in a header: HEAD has no body.
pub(crate) struct Envelope;

impl crate::kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let code = refusal.code_or(match refusal.kind {
            Kind::Malformed | Kind::Invalid => "InvalidInput",
            Kind::Unauthenticated => "InvalidAuthenticationInfo",
            Kind::Denied => "AuthorizationFailure",
            Kind::NotFound => "BlobNotFound",
            Kind::NoSuchPath => "ResourceNotFound",
            Kind::Conflict => "OperationNotAllowed",
            Kind::AlreadyExists => "BlobAlreadyExists",
            Kind::PreconditionFailed => "ConditionNotMet",
            Kind::TooLarge => "RequestBodyTooLarge",
            Kind::NotEmulated => "NotImplemented",
            Kind::Status(StatusCode::INTERNAL_SERVER_ERROR) => "InternalError",
            Kind::Unrecorded | Kind::Status(_) => "ServerBusy",
        });
        let (id, now) = (Uuid::new_v4(), clock::wall());
        let time = now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
        let message = format!("{}\nRequestId:{id}\nTime:{time}", refusal.message);
        let mut body = Document::new();
        body.open("Error").element("Code", code).element("Message", &message).close("Error");
        let mut headers = HeaderMap::new();
        set(&mut headers, "content-type", "application/xml");
        set(&mut headers, "x-ms-error-code", code);
        set(&mut headers, "x-ms-request-id", &id.to_string());
        set(&mut headers, "x-ms-version", VERSION);
        (refusal.status(), headers, body.finish()).into_response()
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned()).filter(|it| !it.is_empty())
}

fn date(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(HTTP_DATE).unwrap_or_default()
}

/// The headers that every answer has.
pub(super) fn common(request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-ms-request-id", &Uuid::new_v4().to_string());
    let version = request.get("x-ms-version").cloned();
    headers.insert("x-ms-version", version.unwrap_or(HeaderValue::from_static(VERSION)));
    if let Some(id) = request.get("x-ms-client-request-id") {
        headers.insert("x-ms-client-request-id", id.clone());
    }
    headers
}

/// The headers of an answer to a write.
pub(super) fn written(request: &HeaderMap, etag: &str, at: OffsetDateTime) -> HeaderMap {
    let mut headers = common(request);
    set(&mut headers, "etag", etag);
    set(&mut headers, "last-modified", &date(at));
    set(&mut headers, "x-ms-request-server-encrypted", "true");
    headers
}

/// Adds the MD5 of what came in.
pub(super) fn with_md5(mut headers: HeaderMap, md5: [u8; 16]) -> HeaderMap {
    set(&mut headers, "content-md5", &BASE64.encode(md5));
    headers
}

/// The headers that describe a blob.
pub(super) fn described(request: &HeaderMap, blob: &Blob) -> HeaderMap {
    let mut headers = common(request);
    set(&mut headers, "etag", &blob.etag);
    set(&mut headers, "last-modified", &date(blob.modified_at));
    set(&mut headers, "x-ms-creation-time", &date(blob.created_at));
    set(&mut headers, "x-ms-blob-type", "BlockBlob");
    set(&mut headers, "x-ms-lease-status", "unlocked");
    set(&mut headers, "x-ms-lease-state", "available");
    set(&mut headers, "x-ms-server-encrypted", "true");
    set(&mut headers, "accept-ranges", "bytes");
    let stored = &blob.headers;
    let content_type = stored.content_type.as_deref().unwrap_or(DEFAULT_TYPE);
    set(&mut headers, "content-type", content_type);
    let others = [
        ("content-encoding", &stored.content_encoding),
        ("content-language", &stored.content_language),
        ("content-disposition", &stored.content_disposition),
        ("cache-control", &stored.cache_control),
        ("content-md5", &stored.content_md5),
    ];
    for (name, value) in others {
        if let Some(value) = value {
            set(&mut headers, name, value);
        }
    }
    with_metadata(&mut headers, &blob.metadata);
    headers
}

const DEFAULT_TYPE: &str = "application/octet-stream";

pub(super) fn with_metadata(headers: &mut HeaderMap, metadata: &BTreeMap<String, String>) {
    for (name, value) in metadata {
        let name = HeaderName::try_from(format!("x-ms-meta-{name}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
}

/// The pairs that a client wants to be stored.
pub(super) fn metadata_of(headers: &HeaderMap) -> BTreeMap<String, String> {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-ms-meta-")?;
        Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    pairs.collect()
}

/// The headers that a client wants to be stored.
pub(super) fn stored_of(headers: &HeaderMap) -> Headers {
    let either = |stored: &str, plain: &str| text(headers, stored).or_else(|| text(headers, plain));
    Headers {
        content_type: either("x-ms-blob-content-type", "content-type"),
        content_encoding: either("x-ms-blob-content-encoding", "content-encoding"),
        content_language: either("x-ms-blob-content-language", "content-language"),
        content_disposition: text(headers, "x-ms-blob-content-disposition"),
        cache_control: either("x-ms-blob-cache-control", "cache-control"),
        content_md5: text(headers, "x-ms-blob-content-md5"),
    }
}

/// As [`stored_of`] where the body is a list of blocks and not the blob.
pub(super) fn stored_of_list(headers: &HeaderMap) -> Headers {
    Headers {
        content_type: text(headers, "x-ms-blob-content-type"),
        content_encoding: text(headers, "x-ms-blob-content-encoding"),
        content_language: text(headers, "x-ms-blob-content-language"),
        cache_control: text(headers, "x-ms-blob-cache-control"),
        ..stored_of(headers)
    }
}

/// Refuses bytes that are not those that the client meant.
pub(super) fn check_md5(headers: &HeaderMap, md5: [u8; 16]) -> Result<(), Refusal> {
    let Some(wanted) = text(headers, "content-md5") else { return Ok(()) };
    match BASE64.decode(&wanted) {
        Ok(it) if it == md5 => Ok(()),
        Ok(it) if it.len() == md5.len() => {
            let text = "The MD5 value specified in the request did not match with the MD5 value calculated by the server.";
            Err(Refusal::invalid(text).with_code("Md5Mismatch"))
        }
        _ => {
            let text = "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64-encoded.";
            Err(Refusal::invalid(text).with_code("InvalidMd5"))
        }
    }
}

/// The part of a blob of `len` bytes that is asked for: offset and length.
/// `None` for the whole.
pub(super) fn range_of(headers: &HeaderMap, len: u64) -> Result<Option<(u64, u64)>, Refusal> {
    let Some(range) = text(headers, "x-ms-range").or_else(|| text(headers, "range")) else {
        return Ok(None);
    };
    let bounds = range.strip_prefix("bytes=").and_then(|it| it.split_once('-'));
    // A range that cannot be read does not count, as HTTP has it.
    let Some((start, end)) = bounds else { return Ok(None) };
    let (Ok(start), end) = (start.parse::<u64>(), end.trim()) else { return Ok(None) };
    let last = if end.is_empty() { u64::MAX } else { end.parse().unwrap_or(u64::MAX) };
    if len <= start || last < start {
        let text = "The range specified is invalid for the current size of the resource.";
        return Err(Refusal::new(Kind::Status(StatusCode::RANGE_NOT_SATISFIABLE), text)
            .with_code("InvalidRange"));
    }
    Ok(Some((start, last.min(len - 1) - start + 1)))
}

/// Turns the headers of the whole into those of a part.
pub(super) fn of_part(headers: &mut HeaderMap, (offset, part): (u64, u64), len: u64) {
    if let Some(md5) = headers.remove(HeaderName::from_static("content-md5")) {
        headers.insert("x-ms-blob-content-md5", md5);
    }
    let range = format!("bytes {offset}-{}/{len}", offset + part - 1);
    set(headers, "content-range", &range);
    headers.insert(header::CONTENT_LENGTH, part.into());
}

/// One entry of a listing.
#[derive(Debug)]
pub(super) enum Entry {
    Blob(Box<Blob>),
    /// What the delimiter folds together.
    Prefix,
}

/// What a listing shows and was asked for.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) endpoint: String,
    pub(super) container: &'a str,
    pub(super) prefix: &'a str,
    pub(super) marker: &'a str,
    pub(super) delimiter: &'a str,
    pub(super) max_results: usize,
    pub(super) with_metadata: bool,
    pub(super) entries: Vec<(String, Entry)>,
    pub(super) next: Option<String>,
}

pub(super) fn listing_xml(it: &Listing<'_>) -> String {
    let mut xml = Document::new();
    xml.open(&format!(
        "EnumerationResults ServiceEndpoint=\"{}\" ContainerName=\"{}\"",
        escaped(&it.endpoint),
        escaped(it.container)
    ));
    let asked = [("Prefix", it.prefix), ("Marker", it.marker), ("Delimiter", it.delimiter)];
    for (tag, text) in asked.into_iter().filter(|(_, text)| !text.is_empty()) {
        xml.element(tag, text);
    }
    xml.element("MaxResults", &it.max_results.to_string()).open("Blobs");
    for (name, entry) in &it.entries {
        match entry {
            Entry::Prefix => {
                xml.open("BlobPrefix").name(name).close("BlobPrefix");
            }
            Entry::Blob(blob) => blob_xml(&mut xml, name, blob, it.with_metadata),
        }
    }
    xml.close("Blobs").element("NextMarker", it.next.as_deref().unwrap_or_default());
    xml.close("EnumerationResults");
    xml.finish()
}

fn blob_xml(xml: &mut Document, name: &str, blob: &Blob, with_metadata: bool) {
    let stored = &blob.headers;
    let or_empty = |it: &Option<String>| it.clone().unwrap_or_default();
    xml.open("Blob").name(name).open("Properties");
    xml.element("Creation-Time", &date(blob.created_at))
        .element("Last-Modified", &date(blob.modified_at))
        .element("Etag", blob.etag.trim_matches('"'))
        .element("Content-Length", &blob.stamp.len.to_string())
        .element("Content-Type", stored.content_type.as_deref().unwrap_or(DEFAULT_TYPE))
        .element("Content-Encoding", &or_empty(&stored.content_encoding))
        .element("Content-Language", &or_empty(&stored.content_language))
        .element("Content-MD5", &or_empty(&stored.content_md5))
        .element("Cache-Control", &or_empty(&stored.cache_control))
        .element("BlobType", "BlockBlob")
        .element("LeaseStatus", "unlocked")
        .element("LeaseState", "available")
        .element("ServerEncrypted", "true")
        .close("Properties");
    if with_metadata && !blob.metadata.is_empty() {
        xml.open("Metadata");
        for (name, value) in &blob.metadata {
            xml.element(name, value);
        }
        xml.close("Metadata");
    }
    xml.close("Blob");
}

fn block_xml(xml: &mut Document, id: &str, len: u64) {
    xml.open("Block").element("Name", id).element("Size", &len.to_string()).close("Block");
}

/// The blocks of a blob: those of the present one, and those that wait.
pub(super) fn block_list_xml(
    committed: Option<&[Block]>,
    waiting: Option<&[(&String, &Waiting)]>,
) -> String {
    let mut xml = Document::new();
    xml.open("BlockList");
    if let Some(blocks) = committed {
        xml.open("CommittedBlocks");
        for it in blocks {
            block_xml(&mut xml, &it.id, it.len);
        }
        xml.close("CommittedBlocks");
    }
    if let Some(blocks) = waiting {
        xml.open("UncommittedBlocks");
        for (id, it) in blocks {
            block_xml(&mut xml, id, it.len);
        }
        xml.close("UncommittedBlocks");
    }
    xml.close("BlockList");
    xml.finish()
}
