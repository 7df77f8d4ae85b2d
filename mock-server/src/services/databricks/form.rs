//! Bodies that are JSON or forms: some calls take a file beside their fields.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    body::Body as Bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use multer::{Field, Multipart};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Envelope;
use crate::{
    kernel::{Body, Kernel, Kind, Refusal, Refused},
    services::blob::bodies::{self, Received},
};

/// The parts that hold a file, whether they give it a name or not.
const FILES: &[&str] = &["content", "contents", "file"];

/// The longest field that is no file.
const FIELD_LIMIT: usize = 1 << 20;

/// The fields of a call, from JSON or from a form, and the file of the form.
///
/// The file is on disk already; it goes when it is not moved to its place.
pub(super) struct Form<T> {
    pub(super) fields: T,
    pub(super) file: Option<Received>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Refused<Envelope>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let Some(kind) = kind.filter(|it| it.to_ascii_lowercase().starts_with("multipart/")) else {
            let Body(fields, PhantomData) =
                Body::<T, Envelope>::from_request(request, state).await?;
            return Ok(Self { fields, file: None });
        };
        let boundary = multer::parse_boundary(kind).map_err(|err| unreadable(&err))?;
        let kernel = request.extensions().get::<Arc<Kernel>>().cloned();
        let kernel = kernel.ok_or_else(|| Refusal::not_found("no world was chosen"))?;
        let parts = Multipart::new(request.into_body().into_data_stream(), boundary);
        Ok(read(&kernel, parts).await?)
    }
}

/// Reads all parts. The type that a part claims to have is of no interest:
/// old clients call a plain file a form without a boundary.
async fn read<T: DeserializeOwned>(
    kernel: &Kernel,
    mut parts: Multipart<'static>,
) -> Result<Form<T>, Refusal> {
    let (mut fields, mut file) = (Map::new(), None);
    while let Some(part) = parts.next_field().await.map_err(|err| unreadable(&err))? {
        let name = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_some() || FILES.contains(&name.as_str()) {
            file = Some(receive(kernel, part).await?);
        } else {
            fields.insert(name, Value::String(text(part).await?));
        }
    }
    let fields = serde_json::from_value(Value::Object(fields));
    let fields = fields.map_err(|err| Refusal::malformed(err.to_string()))?;
    Ok(Form { fields, file })
}

async fn receive(kernel: &Kernel, part: Field<'static>) -> Result<Received, Refusal> {
    let unfinished = kernel.files.unfinished().map_err(|err| super::io_error(&err))?;
    let received = bodies::receive(unfinished, Bytes::from_stream(part)).await;
    received.map_err(|it| Refusal { code: None, ..it })
}

async fn text(mut part: Field<'static>) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|err| unreadable(&err))? {
        bytes.extend_from_slice(&piece);
        if FIELD_LIMIT < bytes.len() {
            let text = format!("A field of the form is longer than {FIELD_LIMIT} bytes");
            return Err(Refusal::new(Kind::TooLarge, text));
        }
    }
    String::from_utf8(bytes).map_err(|_| Refusal::malformed("A field of the form is not UTF-8"))
}

fn unreadable(err: &multer::Error) -> Refusal {
    Refusal::malformed(format!("The form cannot be read: {err}"))
}
