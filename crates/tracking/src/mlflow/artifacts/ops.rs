use std::sync::Arc;

use azml_core::{
    BodySource, Error, ErrorKind, Operation, Request, RequestBuilder, Response, Result,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};

use crate::mlflow::fault;

fn at(operation: &'static str, method: Method, base: &str, path: &str) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path("/api/2.0/mlflow-artifacts").path(path)
}

/// What a server can do.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) multipart_uploads_enabled: bool,
}

pub(super) struct GetInfo;

impl Operation for GetInfo {
    const NAME: &'static str = "mlflow.server.info";
    const IDEMPOTENT: bool = true;
    type Output = Info;

    fn encode(&self, base: &str) -> Result<Request> {
        let path = "/api/3.0/mlflow/server-info";
        RequestBuilder::new(Self::NAME, Method::GET, base).path(path).build()
    }

    fn decode(&self, response: Response) -> Result<Info> {
        fault::read(Self::NAME, &response)
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Entry {
    pub(super) path: String,
    #[serde(default)]
    pub(super) is_dir: bool,
}

#[derive(Deserialize)]
struct Entries {
    #[serde(default)]
    files: Vec<Entry>,
}

/// The files and folders of one folder.
pub(super) struct List<'a> {
    pub(super) name: &'a str,
}

impl Operation for List<'_> {
    const NAME: &'static str = "mlflow.artifacts.list_proxied";
    const IDEMPOTENT: bool = true;
    type Output = Vec<Entry>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, "/artifacts").query("path", self.name).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<Entry>> {
        fault::read::<Entries>(Self::NAME, &response).map(|it| it.files)
    }
}

/// A file in one piece.
pub(super) struct Upload<'a> {
    pub(super) name: &'a str,
    pub(super) body: Arc<dyn BodySource>,
}

impl Operation for Upload<'_> {
    const NAME: &'static str = "mlflow.artifacts.upload";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PUT, base, "/artifacts")
            .segments(self.name)
            .header("content-type", "application/octet-stream")
            .build()
    }

    fn source(&self) -> Option<Arc<dyn BodySource>> {
        Some(self.body.clone())
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

fn get_file(operation: &'static str, base: &str, name: &str) -> Result<Request> {
    at(operation, Method::GET, base, "/artifacts").segments(name).build()
}

/// A file into memory.
pub(super) struct Read<'a> {
    pub(super) name: &'a str,
}

impl Operation for Read<'_> {
    const NAME: &'static str = "mlflow.artifacts.download";
    const IDEMPOTENT: bool = true;
    type Output = Bytes;

    fn encode(&self, base: &str) -> Result<Request> {
        get_file(Self::NAME, base, self.name)
    }

    fn decode(&self, response: Response) -> Result<Bytes> {
        fault::expect_success(Self::NAME, &response)?;
        Ok(response.into_body())
    }
}

/// The same file part by part.
pub(super) struct Download<'a> {
    pub(super) name: &'a str,
}

impl Operation for Download<'_> {
    const NAME: &'static str = "mlflow.artifacts.download";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        get_file(Self::NAME, base, self.name)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

/// Where a part goes, as the server says. The address carries its own permission.
#[derive(Deserialize)]
pub(super) struct Credential {
    pub(super) url: String,
    pub(super) part_number: u64,
    #[serde(default)]
    pub(super) headers: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct Begun {
    pub(super) upload_id: Option<String>,
    pub(super) credentials: Vec<Credential>,
}

/// Begins an upload in parts, of a file in `folder`.
#[derive(Serialize)]
pub(super) struct CreateMultipart<'a> {
    #[serde(skip)]
    pub(super) folder: &'a str,
    /// The server takes its last part for the name of the file.
    pub(super) path: &'a str,
    pub(super) num_parts: u64,
}

impl Operation for CreateMultipart<'_> {
    const NAME: &'static str = "mlflow.artifacts.create_multipart";
    /// One that is forgotten is cleaned up by the store.
    const IDEMPOTENT: bool = true;
    type Output = Begun;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/mpu/create").segments(self.folder).json(self).build()
    }

    fn decode(&self, response: Response) -> Result<Begun> {
        fault::read(Self::NAME, &response)
    }
}

pub(super) struct UploadPart<'a> {
    pub(super) credential: &'a Credential,
    pub(super) bytes: Bytes,
}

impl Operation for UploadPart<'_> {
    const NAME: &'static str = "mlflow.artifacts.upload_part";
    const IDEMPOTENT: bool = true;
    /// What the store calls the part.
    type Output = String;

    fn encode(&self, _: &str) -> Result<Request> {
        // The address is not repeated in an error: it holds a signature.
        let refuse = |what: &str| {
            let reason = format!("part {}: {what}", self.credential.part_number);
            Error::explained(Self::NAME, ErrorKind::Decode, reason)
        };
        let mut request = http::Request::new(self.bytes.clone());
        *request.method_mut() = Method::PUT;
        *request.uri_mut() =
            self.credential.url.parse().map_err(|_| refuse("the server gave no usable address"))?;
        for (name, value) in &self.credential.headers {
            let name = HeaderName::try_from(name).map_err(|_| refuse("a header has no name"))?;
            let mut value =
                HeaderValue::try_from(value).map_err(|_| refuse("a header has no value"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    fn decode(&self, response: Response) -> Result<String> {
        fault::expect_success(Self::NAME, &response)?;
        let tag = response.headers().get(header::ETAG).and_then(|it| it.to_str().ok());
        Ok(tag.unwrap_or_default().to_owned())
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so")]
pub(super) struct Part {
    pub(super) part_number: u64,
    pub(super) etag: String,
    pub(super) url: String,
}

#[derive(Serialize)]
pub(super) struct CompleteMultipart<'a> {
    #[serde(skip)]
    pub(super) folder: &'a str,
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upload_id: Option<&'a str>,
    pub(super) parts: &'a [Part],
}

impl Operation for CompleteMultipart<'_> {
    const NAME: &'static str = "mlflow.artifacts.complete_multipart";
    /// The second time there is no such upload any more: the caller looks whether
    /// the file is there.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let path = "/mpu/complete";
        at(Self::NAME, Method::POST, base, path).segments(self.folder).json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(super) struct AbortMultipart<'a> {
    #[serde(skip)]
    pub(super) folder: &'a str,
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upload_id: Option<&'a str>,
}

impl Operation for AbortMultipart<'_> {
    const NAME: &'static str = "mlflow.artifacts.abort_multipart";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/mpu/abort").segments(self.folder).json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
