//! Requests, instants and numbers as all services of the workspace write them.

use std::time::Duration as Span;

use azml_core::{Error, ErrorKind, PageToken, Request, RequestBuilder, Result};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use http::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
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

/// A listing that comes in one answer, asked for when its first item is wanted.
pub(crate) fn stream_list<T: Send + 'static>(
    fetch: impl Future<Output = Result<Vec<T>>> + Send + 'static,
) -> BoxStream<'static, Result<T>> {
    stream::once(fetch).map_ok(|them| stream::iter(them).map(Ok)).try_flatten().boxed()
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

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl Integer {
    /// The number, if it is not negative.
    pub(crate) fn count(self) -> Option<u32> {
        u32::try_from(self.0).ok()
    }

    /// A span of so many seconds. 0 and less stand for none.
    pub(crate) fn seconds(self) -> Option<Span> {
        u64::try_from(self.0).ok().filter(|it| 0 < *it).map(Span::from_secs)
    }

    /// A span of so many milliseconds. Less than 0 stands for nothing.
    pub(crate) fn millis(self) -> Span {
        Span::from_millis(u64::try_from(self.0).unwrap_or_default())
    }
}

impl From<u32> for Integer {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

/// `span` in whole seconds.
pub(crate) fn whole_seconds(span: Span) -> Integer {
    Integer(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
}

/// An instant in milliseconds since 1970.
pub(crate) fn millis_of(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1000 + i64::from(at.millisecond())
}

/// Where the next page begins. The service writes an empty text for nowhere.
pub(crate) fn next_page(token: String) -> Option<PageToken> {
    Some(token).filter(|it| !it.is_empty()).map(PageToken)
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
