use std::ops::Range;

use azml_core::{
    Error, ErrorKind, Operation, Page, PageToken, Request, RequestBuilder, Response, Result,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Method;

use crate::{BlobItem, BlobProperties, BlobUrl, UploadOptions, fault, wire};

const VERSION: &str = "2021-08-06";

/// Starts a request for `url`. `base` is its origin.
fn request(operation: &'static str, method: Method, base: &str, url: &BlobUrl) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path(&url.path()).header("x-ms-version", VERSION)
}

fn with_options(mut request: RequestBuilder, options: &UploadOptions) -> RequestBuilder {
    if let Some(content_type) = &options.content_type {
        request = request.header("x-ms-blob-content-type", content_type);
    }
    if !options.overwrite {
        request = request.header("if-none-match", "*");
    }
    request
}

/// Names of metadata are part of the header's name, so the builder cannot set them.
fn with_metadata(
    operation: &'static str,
    mut request: Request,
    options: &UploadOptions,
) -> Result<Request> {
    for (name, value) in &options.metadata {
        let bad = || {
            let reason = format!(
                "metadata {name}: the name holds letters, digits and `_`, the value visible ASCII"
            );
            Error::invalid(operation, reason)
        };
        if name.is_empty() || !name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
            return Err(bad());
        }
        let key = http::HeaderName::try_from(format!("x-ms-meta-{name}")).map_err(|_| bad())?;
        let value = http::HeaderValue::try_from(value).map_err(|_| bad())?;
        request.headers_mut().insert(key, value);
    }
    Ok(request)
}

pub(crate) struct Put<'a> {
    pub(crate) url: &'a BlobUrl,
    pub(crate) body: Bytes,
    pub(crate) md5: [u8; 16],
    pub(crate) options: &'a UploadOptions,
}

impl Operation for Put<'_> {
    const NAME: &'static str = "storage.blob.put";
    // The same bytes under the same name. If the name must be new, a repeat is
    // refused, which `BlobClient::put` takes for what it is.
    const IDEMPOTENT: bool = true;
    type Output = BlobProperties;

    fn encode(&self, base: &str) -> Result<Request> {
        let content_type = self.options.content_type.as_deref();
        let request = request(Self::NAME, Method::PUT, base, self.url)
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-md5", &STANDARD.encode(self.md5))
            .bytes(content_type.unwrap_or("application/octet-stream"), self.body.clone());
        let request =
            with_options(request, self.options).raw_query(self.url.signature()).build()?;
        with_metadata(Self::NAME, request, self.options)
    }

    fn decode(&self, response: Response) -> Result<BlobProperties> {
        fault::expect_success(Self::NAME, &response)?;
        let len = self.body.len() as u64;
        Ok(BlobProperties { len, content_md5: Some(self.md5), ..wire::properties(&response) })
    }
}

pub(crate) struct PutBlock<'a> {
    pub(crate) url: &'a BlobUrl,
    pub(crate) id: &'a str,
    pub(crate) body: Bytes,
    pub(crate) md5: [u8; 16],
}

impl Operation for PutBlock<'_> {
    const NAME: &'static str = "storage.blob.put_block";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::PUT, base, self.url)
            .query("comp", "block")
            .query("blockid", self.id)
            .raw_query(self.url.signature())
            .header("content-md5", &STANDARD.encode(self.md5))
            .bytes("application/octet-stream", self.body.clone())
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(crate) struct PutBlockList<'a> {
    pub(crate) url: &'a BlobUrl,
    pub(crate) ids: &'a [String],
    pub(crate) len: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) options: &'a UploadOptions,
}

impl Operation for PutBlockList<'_> {
    const NAME: &'static str = "storage.blob.put_block_list";
    // `Latest` finds committed blocks too, so the same list can be sent again.
    const IDEMPOTENT: bool = true;
    type Output = BlobProperties;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::block_list(self.ids.iter().map(String::as_str));
        let request = request(Self::NAME, Method::PUT, base, self.url)
            .query("comp", "blocklist")
            .raw_query(self.url.signature())
            .header("x-ms-blob-content-md5", &STANDARD.encode(self.md5))
            .bytes("application/xml", body.into());
        let request = with_options(request, self.options).build()?;
        with_metadata(Self::NAME, request, self.options)
    }

    fn decode(&self, response: Response) -> Result<BlobProperties> {
        fault::expect_success(Self::NAME, &response)?;
        let properties = wire::properties(&response);
        Ok(BlobProperties { len: self.len, content_md5: Some(self.md5), ..properties })
    }
}

/// Asks which blocks wait to be committed: pairs of id and length.
pub(crate) struct GetBlockList<'a>(pub(crate) &'a BlobUrl);

impl Operation for GetBlockList<'_> {
    const NAME: &'static str = "storage.blob.get_block_list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<(String, u64)>;

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::GET, base, self.0)
            .query("comp", "blocklist")
            .query("blocklisttype", "uncommitted")
            .raw_query(self.0.signature())
            .build()
    }

    fn decode(&self, response: Response) -> Result<Self::Output> {
        fault::expect_success(Self::NAME, &response)?;
        let list: wire::BlockList = wire::parse(response.body())
            .map_err(|err| Error::local(Self::NAME, ErrorKind::Decode, err))?;
        let blocks = list.uncommitted_blocks.block.into_iter();
        Ok(blocks.map(|it| (it.name, it.size)).collect())
    }
}

pub(crate) struct Get<'a> {
    pub(crate) url: &'a BlobUrl,
    pub(crate) range: Option<Range<u64>>,
    /// The version that is wanted, so that parts of two are not mixed.
    pub(crate) etag: Option<&'a str>,
}

impl Operation for Get<'_> {
    const NAME: &'static str = "storage.blob.get";
    const IDEMPOTENT: bool = true;
    type Output = (BlobProperties, Bytes);

    fn encode(&self, base: &str) -> Result<Request> {
        let mut request = request(Self::NAME, Method::GET, base, self.url);
        if let Some(range) = &self.range {
            if range.is_empty() {
                return Err(Error::invalid(Self::NAME, "range: is empty; ask for a byte or more"));
            }
            // Both ends are included on the wire.
            let text = format!("bytes={}-{}", range.start, range.end - 1);
            request = request.header("x-ms-range", &text);
        }
        if let Some(etag) = self.etag {
            request = request.header("if-match", etag);
        }
        request.raw_query(self.url.signature()).build()
    }

    fn decode(&self, response: Response) -> Result<Self::Output> {
        fault::expect_success(Self::NAME, &response)?;
        let properties = wire::properties(&response);
        let is_whole = !response.headers().contains_key("content-range");
        let announced = wire::announced_len(&response);
        let body = response.into_body();
        if let Some(announced) = announced.filter(|it| *it != body.len() as u64) {
            // As good as a broken connection: the next try may bring everything.
            let reason = format!("the answer ended after {} of {announced} bytes", body.len());
            return Err(Error::explained(Self::NAME, ErrorKind::Unavailable, reason));
        }
        match &self.range {
            // A server that knows no ranges sends everything.
            Some(range) if is_whole => {
                let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(body.len());
                let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
                Ok((properties, body.slice(start..end)))
            }
            _ => Ok((properties, body)),
        }
    }
}

pub(crate) struct Head<'a>(pub(crate) &'a BlobUrl);

impl Operation for Head<'_> {
    const NAME: &'static str = "storage.blob.head";
    const IDEMPOTENT: bool = true;
    type Output = BlobProperties;

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::HEAD, base, self.0).raw_query(self.0.signature()).build()
    }

    fn decode(&self, response: Response) -> Result<BlobProperties> {
        fault::expect_success(Self::NAME, &response)?;
        Ok(wire::properties(&response))
    }
}

pub(crate) struct Delete<'a>(pub(crate) &'a BlobUrl);

impl Operation for Delete<'_> {
    const NAME: &'static str = "storage.blob.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::DELETE, base, self.0).raw_query(self.0.signature()).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(crate) struct List<'a> {
    pub(crate) container: &'a BlobUrl,
    pub(crate) prefix: &'a str,
    pub(crate) marker: Option<PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "storage.blob.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<BlobItem>;

    fn encode(&self, base: &str) -> Result<Request> {
        let prefix = Some(self.prefix).filter(|it| !it.is_empty());
        request(Self::NAME, Method::GET, base, self.container)
            .query("restype", "container")
            .query("comp", "list")
            .query_opt("prefix", prefix)
            .query_opt("marker", self.marker.as_ref().map(|it| &it.0))
            .raw_query(self.container.signature())
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<BlobItem>> {
        fault::expect_success(Self::NAME, &response)?;
        let listing: wire::Listing = wire::parse(response.body())
            .map_err(|err| Error::local(Self::NAME, ErrorKind::Decode, err))?;
        let next = listing.next_marker.filter(|it| !it.is_empty()).map(PageToken);
        Ok(Page::new(listing.blobs.blob.into_iter().map(Into::into).collect(), next))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use time::macros::datetime;

    use super::*;

    /// Checks the request of `operation` against the fixture `name` and gives what
    /// it makes of the answer there.
    fn check<O: Operation>(name: &str, operation: &O) -> Result<O::Output> {
        let exchange = azml_fixtures::load(&format!("storage/blob/{name}"));
        let request = operation.encode("https://account.blob.test").unwrap();
        assert_eq!(request.method().as_str(), exchange.request.method);
        assert_eq!(request.uri().path_and_query().unwrap().as_str(), exchange.request.path);
        let body = match exchange.response.body {
            Value::String(text) => text.into(),
            _ => Bytes::new(),
        };
        let response = http::Response::builder().status(exchange.response.status).body(body);
        operation.decode(response.unwrap())
    }

    fn blob() -> BlobUrl {
        let text =
            "https://account.blob.test/azureml?sv=2021-08-06&sr=b&sp=rwcl&sig=fake%2Bsignature";
        text.parse::<BlobUrl>().unwrap().join("ExperimentRun/dcid.run-1/a b.txt")
    }

    #[test]
    fn every_call_is_as_saved() {
        let (url, options, id) = (&blob(), &UploadOptions::default(), "AAAAAAAAAAA=");
        let body = Bytes::from("hello");
        let md5: [u8; 16] = ::md5::compute(&body).0;

        let put = Put { url, body: body.clone(), md5, options };
        assert_eq!(check("put", &put).unwrap().content_md5, Some(md5));
        let err = check("put-exists", &put).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
        assert_eq!(err.service_fault().unwrap().message, "The specified blob already exists.");
        check("put-block", &PutBlock { url, id, body: body.clone(), md5 }).unwrap();
        let ids = &[id.to_owned()];
        check("put-block-list", &PutBlockList { url, ids, len: 5, md5, options }).unwrap();
        let blocks = check("get-block-list", &GetBlockList(url)).unwrap();
        assert_eq!(blocks, [(id.to_owned(), 5)]);

        assert_eq!(check("get", &Get { url, range: None, etag: None }).unwrap().1, body);
        check("head", &Head(url)).unwrap();
        check("delete", &Delete(url)).unwrap();

        let container = &url.to_container();
        let marker = Some(PageToken("2+".to_owned()));
        let page = check("list", &List { container, prefix: "ExperimentRun/", marker }).unwrap();
        assert_eq!(page.next, None);
        assert_eq!(page.items[0].name, url.name());
        let properties = &page.items[0].properties;
        assert_eq!((properties.len, properties.content_md5), (5, Some(md5)));
        assert_eq!(properties.last_modified_at, Some(datetime!(2023-11-14 22:13:20 UTC)));
    }
}
