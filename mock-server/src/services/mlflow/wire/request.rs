//! What a request says: the query of a GET, the body of everything else.
//!
//! MLflow names the first field of the wrong kind, in the order of its own
//! schema; handlers therefore ask for fields in that order.

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, header::CONTENT_TYPE, request::Parts},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{
    Envelope,
    fields::{Fields, Reading},
    kinds,
};
use crate::kernel::{Kernel, Raw, Refusal, Refused, lenient, strict::Notes};

/// The fields of a request.
pub(in crate::services::mlflow) struct Asked(pub(in crate::services::mlflow) Fields);

/// What is known of a body before it is read.
pub(in crate::services::mlflow) struct Head {
    notes: Notes,
    /// Why it need not be read at all.
    refusal: Option<Refusal>,
    pub(super) is_faithful: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Head {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let path = parts.uri.path();
        let is_plain = path.starts_with("/mlflow/") && !path.starts_with("/mlflow/v");
        let kernel = parts.extensions.get::<Arc<Kernel>>();
        let is_faithful = is_plain && kernel.is_some_and(|it| it.tracking().faithful);
        let refusal = match parts.method {
            Method::POST | Method::PUT => check_content_type(&parts.headers, is_plain).err(),
            _ => None,
        };
        Ok(Self { notes: Notes::of(&parts.extensions), refusal, is_faithful })
    }
}

impl Head {
    /// Takes note of names that are unknown.
    pub(super) fn note(&self, unknown: Vec<String>) -> Result<(), Refusal> {
        self.notes.take(unknown)
    }

    /// Refuses a body that says of itself that it is no JSON.
    pub(in crate::services::mlflow) fn check(&self) -> Result<(), Refusal> {
        self.refusal.clone().map_or(Ok(()), Err)
    }

    /// The fields of a body, noted.
    pub(super) fn fields(&self, bytes: &[u8]) -> Result<Fields, Refusal> {
        let fields = of_body(bytes, self.is_faithful);
        self.note(fields.unknown())?;
        Ok(fields)
    }
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Refused<Envelope>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let Ok(head) = Head::from_request_parts(&mut parts, state).await;
        let query = parts.uri.query().unwrap_or_default();
        if parts.method == Method::GET && !query.is_empty() {
            let fields = of_query(query, head.is_faithful);
            head.note(fields.unknown())?;
            return Ok(Self(fields));
        }
        head.check()?;
        let request = Request::from_parts(parts, body);
        let Raw(bytes, _): Raw<Envelope> = Raw::from_request(request, state).await?;
        Ok(Self(head.fields(&bytes)?))
    }
}

/// Refuses what says of itself that it is no JSON. Only the plain server is
/// known to refuse also what says nothing.
fn check_content_type(headers: &HeaderMap, is_plain: bool) -> Result<(), Refusal> {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()) else {
        if is_plain {
            return Err(Refusal::invalid("Bad Request. Content-Type header is missing."));
        }
        return Ok(());
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let text = "Bad Request. Content-Type must be one of ['application/json'].";
    Err(Refusal::invalid(text))
}

fn of_query(query: &str, is_faithful: bool) -> Fields {
    let mut entries: Vec<(String, Value)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Value::from(value.into_owned());
        match entries.iter_mut().find(|(it, _)| *it == name) {
            Some((_, Value::Array(values))) => values.push(value),
            Some((_, first)) => *first = Value::Array(vec![first.take(), value]),
            None if kinds::is_list(&name) => entries.push((name.into_owned(), vec![value].into())),
            None => entries.push((name.into_owned(), value)),
        }
    }
    Fields::new(entries, Reading { is_faithful, is_query: true })
}

/// The fields of an object, in the order in which they stand there.
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> de::Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            // Messages are also written with the names of their JSON form.
            let name = if kinds::is_known(&name) { name } else { kinds::snake(name) };
            match entries.iter_mut().find(|(it, _)| *it == name) {
                Some((_, known)) => *known = value,
                None => entries.push((name, value)),
            }
        }
        Ok(Ordered(entries))
    }
}

/// What cannot be read says nothing. Old clients send JSON in a JSON text.
fn of_body(bytes: &[u8], is_faithful: bool) -> Fields {
    // Numbers that JSON does not have are taken for what they mean, or, as
    // MLflow's parser has it, for a mistake.
    let text = if is_faithful { lenient::marked_numbers(bytes) } else { lenient::quoted(bytes) };
    let read = serde_json::from_slice::<Ordered>(&text).ok().or_else(|| {
        let inner: String = serde_json::from_slice(&text).ok()?;
        serde_json::from_str(&inner).ok()
    });
    Fields::new(read.map(|it| it.0).unwrap_or_default(), Reading { is_faithful, is_query: false })
}
