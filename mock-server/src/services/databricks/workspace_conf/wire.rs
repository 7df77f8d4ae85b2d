//! Written from the published API reference, never from the client crates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::Conf;
use crate::kernel::Refusal;

#[derive(Deserialize)]
pub(super) struct KeysQuery {
    pub(super) keys: Option<String>,
}

/// Values as they are kept.
pub(super) fn read(fields: Map<String, Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let text = |(key, value): (String, Value)| match value {
        Value::String(it) => Ok((key, it)),
        Value::Bool(it) => Ok((key, it.to_string())),
        Value::Number(it) => Ok((key, it.to_string())),
        _ => Err(Refusal::invalid(format!("The value of {key} must be a text"))),
    };
    fields.into_iter().map(text).collect()
}

pub(super) fn describe(conf: &Conf, keys: &str) -> Value {
    let keys = keys.split(',').map(str::trim).filter(|it| !it.is_empty());
    let values = keys.map(|it| (it.to_owned(), json!(conf.get(it))));
    Value::Object(values.collect())
}
