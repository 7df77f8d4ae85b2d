use std::collections::BTreeMap;

use time::OffsetDateTime;

/// What the service tells about a blob without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobProperties {
    /// The number of bytes.
    pub len: u64,
    /// The media type that was stored with it.
    pub content_type: Option<String>,
    /// The mark of this version, as the service writes it, quotes included.
    pub etag: Option<String>,
    /// The MD5 of the bytes, if it was stored with them.
    pub content_md5: Option<[u8; 16]>,
    /// When it was last written.
    pub last_modified_at: Option<OffsetDateTime>,
    /// The pairs that were stored with it, in lower case.
    pub metadata: BTreeMap<String, String>,
}

/// A blob in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobItem {
    /// Its name in the container.
    pub name: String,
    /// What the service tells about it.
    pub properties: BlobProperties,
}
