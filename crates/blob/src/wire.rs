//! XML and headers exactly as the service writes them.

use std::{borrow::Cow, fmt::Write, str};

use azml_core::Response;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use crate::{BlobItem, BlobProperties};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ErrorBody {
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct BlockList {
    pub(crate) uncommitted_blocks: Blocks,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Blocks {
    pub(crate) block: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listing {
    #[serde(default)]
    pub(crate) blobs: ListedBlobs,
    #[serde(default)]
    pub(crate) next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListedBlobs {
    pub(crate) blob: Vec<ListedBlob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListedBlob {
    name: String,
    #[serde(default)]
    properties: ListedProperties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListedProperties {
    #[serde(rename = "Content-Length")]
    len: u64,
    #[serde(rename = "Content-Type")]
    content_type: Option<String>,
    #[serde(rename = "Etag", alias = "ETag")]
    etag: Option<String>,
    #[serde(rename = "Content-MD5")]
    content_md5: Option<String>,
    #[serde(rename = "Last-Modified")]
    last_modified: Option<String>,
}

impl From<ListedBlob> for BlobItem {
    fn from(it: ListedBlob) -> Self {
        let ListedProperties { len, content_type, etag, content_md5, last_modified } =
            it.properties;
        let filled = |it: Option<String>| it.filter(|it| !it.is_empty());
        let properties = BlobProperties {
            len,
            content_type: filled(content_type),
            etag: filled(etag),
            content_md5: content_md5.as_deref().and_then(md5),
            last_modified_at: last_modified.as_deref().and_then(instant),
            ..BlobProperties::default()
        };
        Self { name: it.name, properties }
    }
}

/// Reads an XML body. `None` when it does not fit.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, quick_xml::DeError> {
    // The service begins its XML with a byte order mark.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text: Cow<'_, str> = String::from_utf8_lossy(body);
    quick_xml::de::from_str(&text)
}

/// The body that commits `ids`, in order.
pub(crate) fn block_list<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
    for id in ids {
        // Base64 needs no escape in XML. Writing to a String cannot fail.
        let _ = write!(xml, "<Latest>{id}</Latest>");
    }
    xml.push_str("</BlockList>");
    xml
}

/// Reads the headers of an answer to HEAD or GET.
pub(crate) fn properties(response: &Response) -> BlobProperties {
    let headers = response.headers();
    let text = |name: &str| text(headers, name);
    let total = text("content-range").and_then(|it| it.rsplit_once('/')?.1.parse().ok());
    let len = total.or_else(|| text("content-length")?.parse().ok());
    let is_part = headers.contains_key("content-range");
    // In the answer to a range, Content-MD5 belongs to the range.
    let whole_md5 = if is_part { None } else { text("content-md5") };
    let metadata = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-ms-meta-")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    BlobProperties {
        len: len.unwrap_or(response.body().len() as u64),
        content_type: text("content-type").map(str::to_owned),
        etag: text("etag").map(str::to_owned),
        content_md5: text("x-ms-blob-content-md5").or(whole_md5).and_then(md5),
        last_modified_at: text("last-modified").and_then(instant),
        metadata: metadata.collect(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|it| it.to_str().ok())
}

fn md5(text: &str) -> Option<[u8; 16]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

/// How many bytes of body the headers of an answer announce.
pub(crate) fn announced_len(response: &Response) -> Option<u64> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    if let Some(range) = header("content-range") {
        let (start, end) = range.strip_prefix("bytes ")?.split_once('/')?.0.split_once('-')?;
        let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
        return end.checked_sub(start)?.checked_add(1);
    }
    header("content-length")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_listing_is_read() {
        let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"c\">\
            <Blobs><Blob><Name>a/b.txt</Name><Properties><Last-Modified>Wed, 21 Oct 2015 07:28:00 GMT\
            </Last-Modified><Etag>0x8D</Etag><Content-Length>3</Content-Length><Content-Type>text/plain\
            </Content-Type><Content-MD5 /></Properties></Blob><Blob><Name>c</Name><Properties>\
            <Content-Length>0</Content-Length></Properties></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>";
        let listing: Listing = parse(xml.as_bytes()).unwrap();
        assert_eq!(listing.next_marker.as_deref(), Some("m"));
        let items: Vec<BlobItem> = listing.blobs.blob.into_iter().map(Into::into).collect();
        assert_eq!(items[0].name, "a/b.txt");
        assert_eq!(items[0].properties.len, 3);
        assert_eq!(items[0].properties.last_modified_at, Some(datetime!(2015-10-21 07:28 UTC)));
        assert_eq!(items[1].name, "c");
    }

    #[test]
    fn an_empty_listing_is_read() {
        let xml = b"<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        let listing: Listing = parse(xml).unwrap();
        assert!(listing.blobs.blob.is_empty());
        assert_eq!(listing.next_marker.unwrap_or_default(), "");
    }

    #[test]
    fn a_block_list_is_read_and_written() {
        let xml = "<BlockList><CommittedBlocks /><UncommittedBlocks><Block><Name>QQ==</Name><Size>7\
            </Size></Block></UncommittedBlocks></BlockList>";
        let list: BlockList = parse(xml.as_bytes()).unwrap();
        let block = &list.uncommitted_blocks.block[0];
        assert_eq!((block.name.as_str(), block.size), ("QQ==", 7));
        insta::assert_snapshot!(
            block_list(["QQ==", "Qg=="]),
            @r#"<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>QQ==</Latest><Latest>Qg==</Latest></BlockList>"#
        );
    }
}
