//! Requests, instants and numbers as all services of the workspace write them.

use azml_core::{Error, ErrorKind, Request, RequestBuilder, Result};
use http::Method;
use serde::{Deserialize, Deserializer, Serialize, de};
use time::{Duration, OffsetDateTime};

/// A POST with a JSON body: the way to change anything here.
pub(crate) fn post(
    operation: &'static str,
    base: &str,
    path: &str,
    body: &impl Serialize,
) -> Result<Request> {
    RequestBuilder::new(operation, Method::POST, base).path(path).json(body).build()
}

/// The beginning of a GET.
pub(crate) fn get(operation: &'static str, base: &str, path: &str) -> RequestBuilder {
    RequestBuilder::new(operation, Method::GET, base).path(path)
}

/// An instant in milliseconds since 1970. The service writes 0 or -1 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) i64);

impl Millis {
    pub(crate) fn instant(self) -> Option<OffsetDateTime> {
        if self.0 <= 0 {
            return None;
        }
        OffsetDateTime::UNIX_EPOCH.checked_add(Duration::milliseconds(self.0))
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Integer::deserialize(deserializer).map(|it| Self(it.0))
    }
}

/// An integer that may arrive as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Integer(pub(crate) i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Text(String),
        }

        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(de::Error::custom),
        }
    }
}

/// A number that must not be negative, such as a length.
pub(crate) fn unsigned(operation: &'static str, field: &str, number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| {
        Error::explained(operation, ErrorKind::Decode, format!("{field}: {number} is negative"))
    })
}

/// The error of a trait method that an implementation leaves out.
pub(crate) fn unsupported(operation: &'static str) -> Error {
    Error::explained(operation, ErrorKind::Other, "this implementation does not offer it")
}
