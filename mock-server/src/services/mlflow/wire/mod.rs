//! JSON of MLflow, as `mlflow server` 3.17.2 was seen to send and accept it.

mod artifacts;
mod batch;
mod envelope;
mod experiments;
mod fields;
pub(super) mod graphql;
mod kinds;
mod models;
mod python;
mod registry;
mod request;
mod runs;

use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) use self::envelope::{Envelope, no_such_page};
pub(super) use self::{
    artifacts::{FileInfo, files_json},
    batch::{BatchBody, MetricBody},
    experiments::experiment_json,
    fields::Fields,
    models::{logged_model_json, model_status_of, model_status_word},
    python::{invalid_value, missing, python_json},
    registry::{listed_version_json, registered_json, version_json},
    request::{Asked, Head},
    runs::{
        Answer, RunView, datasets_of, info_json, point_json, run_answer, runs_answer, status_of,
        status_word, view_of,
    },
};

/// Milliseconds since 1970.
pub(super) fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// The moment that is so many milliseconds after the beginning of 1970.
pub(super) fn at_millis(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

/// Pairs as MLflow lists tags and parameters.
fn pairs_json<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a str)>) -> Vec<Value> {
    let pair = |(key, value): (&String, &str)| json!({ "key": key, "value": value });
    pairs.into_iter().map(pair).collect()
}

/// Puts `list` under `name` unless it is empty: MLflow leaves out what is.
fn put_list(object: &mut Value, name: &str, list: Vec<Value>) {
    if let (false, Some(fields)) = (list.is_empty(), object.as_object_mut()) {
        fields.insert(name.to_owned(), list.into());
    }
}

/// Puts `text` under `name` if there is one.
fn put_text(object: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(text), Some(fields)) = (text, object.as_object_mut()) {
        fields.insert(name.to_owned(), text.into());
    }
}
