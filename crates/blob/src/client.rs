use std::{ops::Range, sync::Arc};

use azml_core::{Endpoint, ErrorKind, Result, Session, Transport, stream_pages};
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{BlobItem, BlobProperties, BlobUrl, ops};

/// Reads and writes blobs at any address that it has permission for.
///
/// Cheap to clone: clones share the connections and the tokens.
#[derive(Clone, Debug)]
pub struct BlobClient {
    endpoint: Endpoint,
}

impl BlobClient {
    /// A client for URLs that carry their own signature.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { endpoint: Endpoint::new("", transport) }
    }

    /// A client that also opens URLs without a signature, as the identity of
    /// `session`.
    pub fn from_session(session: &Session) -> Self {
        Self { endpoint: session.endpoint("", session.cloud().storage_scope()) }
    }

    /// A client that sends through `endpoint`, with its patience and its identity.
    /// The base of the endpoint does not matter.
    pub fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// The way to `url`. A signature speaks for itself: a token beside it is refused.
    pub(crate) fn endpoint(&self, url: &BlobUrl) -> Endpoint {
        let endpoint = self.endpoint.at(url.origin());
        if url.has_signature() { endpoint.without_credential() } else { endpoint }
    }

    /// Reads a blob, or the bytes `range` of it, into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such blob.
    pub async fn get(&self, url: &BlobUrl, range: Option<Range<u64>>) -> Result<Bytes> {
        let get = ops::Get { url, range, etag: None };
        Ok(self.endpoint(url).call(&get).await?.1)
    }

    /// Asks about a blob without reading it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such blob.
    pub async fn head(&self, url: &BlobUrl) -> Result<BlobProperties> {
        self.endpoint(url).call(&ops::Head(url)).await
    }

    /// Removes a blob.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such blob.
    pub async fn delete(&self, url: &BlobUrl) -> Result<()> {
        match self.endpoint(url).call(&ops::Delete(url)).await {
            // An earlier try removed it and its answer was lost.
            Err(err) if err.kind() == ErrorKind::NotFound && err.attempts() > 1 => Ok(()),
            result => result,
        }
    }

    /// Lists the blobs of the container of `url` whose names begin with `prefix`.
    pub fn list(
        &self,
        url: &BlobUrl,
        prefix: impl Into<String>,
    ) -> BoxStream<'static, Result<BlobItem>> {
        let container = url.to_container();
        let endpoint = self.endpoint(&container);
        let state = Arc::new((endpoint, container, prefix.into()));
        stream_pages(move |marker| {
            let state = state.clone();
            async move {
                let (endpoint, container, prefix) = &*state;
                endpoint.call(&ops::List { container, prefix, marker }).await
            }
        })
    }
}
