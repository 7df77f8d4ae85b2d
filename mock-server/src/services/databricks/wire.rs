//! What the JSON of all Databricks services has in common. Written from the
//! published API reference, never from the client crates.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::kernel::Refusal;

/// Milliseconds since 1970.
pub(super) fn millis(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1000 + i64::from(at.millisecond())
}

/// The time that so many milliseconds since 1970 are.
pub(super) fn from_millis(millis: i64) -> OffsetDateTime {
    let nanos = i128::from(millis) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Milliseconds between two moments, 0 if there are not two.
pub(super) fn span(from: Option<OffsetDateTime>, to: Option<OffsetDateTime>) -> i64 {
    match (from, to) {
        (Some(from), Some(to)) => (millis(to) - millis(from)).max(0),
        _ => 0,
    }
}

/// Numbers may come as text: queries have nothing else, and old clients write JSON so.
pub(super) fn number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    match Option::<Value>::deserialize(input)? {
        None => Ok(None),
        Some(Value::Number(it)) => match it.as_i64() {
            Some(it) => Ok(Some(it)),
            None => Err(de::Error::custom(format!("{it} is no 64-bit integer"))),
        },
        Some(Value::String(it)) if it.is_empty() => Ok(None),
        Some(Value::String(it)) => match it.parse() {
            Ok(it) => Ok(Some(it)),
            Err(_) => Err(de::Error::custom(format!("{it:?} is no integer"))),
        },
        Some(other) => Err(de::Error::custom(format!("{other} is no integer"))),
    }
}

/// Flags may come as text, in two spellings.
pub(super) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    match Option::<Value>::deserialize(input)? {
        None => Ok(false),
        Some(Value::Bool(it)) => Ok(it),
        Some(Value::String(it)) => match it.as_str() {
            "true" | "True" => Ok(true),
            "false" | "False" | "" => Ok(false),
            _ => Err(de::Error::custom(format!("{it:?} is neither true nor false"))),
        },
        Some(other) => Err(de::Error::custom(format!("{other} is neither true nor false"))),
    }
}

/// A field without which nothing can be done.
pub(super) fn required<T>(field: Option<T>, name: &str) -> Result<T, Refusal> {
    field.ok_or_else(|| Refusal::invalid(format!("Missing required field: {name}")))
}

/// A span in seconds. 0 and less stand for none.
pub(super) fn seconds(it: Option<i64>) -> Option<Duration> {
    it.and_then(|it| u64::try_from(it).ok()).filter(|it| *it != 0).map(Duration::from_secs)
}

/// Lists are left out when they are empty.
pub(super) fn list_json(name: &str, items: impl Iterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.collect();
    if items.is_empty() { json!({}) } else { json!({ name: items }) }
}
