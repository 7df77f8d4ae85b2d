//! What a request says: the query of a GET, the body of everything else.
//!
//! MLflow names the first field of the wrong kind, in the order of its own
//! schema; handlers therefore ask for fields in that order.

use std::io::{self, Write};

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, header::CONTENT_TYPE},
};
use serde::Serialize;
use serde_json::{Map, Value, ser::Formatter};

use super::Envelope;
use crate::kernel::{Raw, Refusal, Refused, lenient, strict::Notes};

const HINT: &str = "See the API docs for more information about request parameters.";

/// The names of all fields that calls of MLflow have.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "alias", "allow_deleted", "archive_existing_versions", "artifact_directory_path",
    "artifact_file_path", "artifact_location", "batch_tracking_id", "dataset_digest", "dataset_name", "datasets", "deployment_job_id", "description",
    "end_step", "end_time", "experiment_id", "comment", "experiment_ids", "experiment_name", "filter", "key",
    "max_results", "max_runs", "max_timestamp_millis", "metric_key", "metrics", "min_timestamp_millis", "mlflow_version", "model_id", "model_input", "model_json", "model_output",
    "model_output_parameters", "model_parameters", "model_route", "model_type", "models",
    "name", "new_name", "num_parts", "order_by", "page_token", "params", "parts", "path",
    "prompt_parameters", "prompt_template",
    "run_id", "run_ids", "run_link", "run_name", "run_uuid", "run_view_type", "source",
    "source_run_id", "stage", "stages", "start_step", "start_time", "status", "step", "tags",
    "timestamp", "upload_id", "user_id", "value", "version", "view_type",
];

/// Fields by name, as they came.
#[derive(Clone, Debug, Default)]
pub(in crate::services::mlflow) struct Fields(Map<String, Value>);

/// The fields of a request.
pub(in crate::services::mlflow) struct Asked(pub(in crate::services::mlflow) Fields);

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Refused<Envelope>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let notes = Notes::of(request.extensions());
        let query = request.uri().query().unwrap_or_default().to_owned();
        if *request.method() == Method::GET && !query.is_empty() {
            let fields = Fields::of_query(&query);
            notes.take(fields.unknown())?;
            return Ok(Self(fields));
        }
        let is_reading = *request.method() == Method::GET;
        if !is_reading {
            check_content_type(request.headers())?;
        }
        let Raw(bytes, _): Raw<Envelope> = Raw::from_request(request, state).await?;
        let fields = Fields::of_body(&bytes);
        // Some clients send what a DELETE needs in the query.
        let fields = if fields.0.is_empty() { Fields::of_query(&query) } else { fields };
        notes.take(fields.unknown())?;
        Ok(Self(fields))
    }
}

/// Refuses what says of itself that it is no JSON. Saying nothing is fine.
pub(in crate::services::mlflow) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()) else {
        return Ok(());
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let text = "Bad Request. Content-Type must be one of ['application/json'].";
    Err(Refusal::invalid(text))
}

/// What MLflow says of a parameter that is not there.
pub(in crate::services::mlflow) fn missing(name: &str) -> Refusal {
    Refusal::invalid(format!("Missing value for required parameter '{name}'. {HINT}"))
}

/// What MLflow says of a parameter of the wrong kind.
pub(in crate::services::mlflow) fn invalid_value(name: &str, value: &Value) -> Refusal {
    let (shown, kind) = (python_json(value), python_type(value));
    Refusal::invalid(format!(
        "Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. {HINT}"
    ))
}

/// Writes JSON as Python does: with a space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

/// A value as Python writes it: spaced, and nothing but ASCII.
pub(in crate::services::mlflow) fn python_json(value: &Value) -> String {
    use std::fmt::Write;
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    let written = value.serialize(&mut serializer);
    let text = written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default();
    if text.is_ascii() {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for it in text.chars() {
        if it.is_ascii() {
            shown.push(it);
            continue;
        }
        for unit in it.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(it) if it.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A whole number, also as a text.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(it) => it.as_i64().or_else(|| {
            let float = it.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 9.0e18)?;
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and not too large")]
            Some(float as i64)
        }),
        Value::String(it) => it.trim().parse().ok(),
        _ => None,
    }
}

/// A number, also as a text, the words for what is not finite among them.
fn decimal(value: &Value) -> Option<f64> {
    match value {
        Value::Number(it) => it.as_f64(),
        Value::String(it) => number_of(it),
        _ => None,
    }
}

/// The number that a text stands for.
pub(super) fn number_of(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text => text.trim().parse().ok(),
    }
}

impl Fields {
    fn of_query(query: &str) -> Self {
        let mut fields = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Value::from(value.into_owned());
            match fields.get_mut(name.as_ref()) {
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None => drop(fields.insert(name.into_owned(), value)),
            }
        }
        Self(fields)
    }

    pub(super) fn of_map(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// What cannot be read says nothing. Old clients send JSON in a JSON text.
    pub(super) fn of_body(bytes: &[u8]) -> Self {
        let value = serde_json::from_slice(&lenient::quoted(bytes)).unwrap_or_default();
        let value = match value {
            Value::String(inner) => serde_json::from_str(&inner).unwrap_or_default(),
            value => value,
        };
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self::default(),
        }
    }

    /// The names that no call of MLflow has.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown = self.0.keys().filter(|it| !KNOWN.contains(&it.as_str()));
        unknown.cloned().collect()
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|it| !it.is_null())
    }

    pub(in crate::services::mlflow) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn read<'a, T>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| invalid_value(name, value))
    }

    pub(in crate::services::mlflow) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        self.read(name, Value::as_str)
    }

    /// A text, empty if there is none.
    pub(in crate::services::mlflow) fn text_or_empty(&self, name: &str) -> Result<&str, Refusal> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    pub(in crate::services::mlflow) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.filter(|it| !it.is_empty()).ok_or_else(|| missing(name))
    }

    /// A value as text, whatever it is. Empty if there is none.
    pub(in crate::services::mlflow) fn shown(&self, name: &str) -> String {
        match self.get(name) {
            None => String::new(),
            Some(Value::String(it)) => it.clone(),
            Some(it) => it.to_string(),
        }
    }

    /// The run, under its new or its old name.
    pub(in crate::services::mlflow) fn run_id(&self) -> Result<&str, Refusal> {
        match self.required("run_id") {
            Err(_) if !self.has("run_id") && self.has("run_uuid") => self.required("run_uuid"),
            found => found,
        }
    }

    pub(in crate::services::mlflow) fn whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read(name, whole)
    }

    pub(in crate::services::mlflow) fn decimal(&self, name: &str) -> Result<Option<f64>, Refusal> {
        self.read(name, decimal)
    }

    pub(in crate::services::mlflow) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.read(name, |it| match it {
            Value::Bool(it) => Some(*it),
            Value::String(it) if it.eq_ignore_ascii_case("true") => Some(true),
            Value::String(it) if it.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// A list of texts. In a query one text stands for a list of one.
    pub(in crate::services::mlflow) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let found = self.read(name, |it| match it {
            Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>(),
            Value::String(it) => Some(vec![it.clone()]),
            _ => None,
        });
        Ok(found?.unwrap_or_default())
    }

    pub(in crate::services::mlflow) fn objects(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        let object = |it: &Value| it.as_object().cloned().map(Self);
        let found =
            self.read(name, |it| it.as_array()?.iter().map(object).collect::<Option<Vec<_>>>());
        Ok(found?.unwrap_or_default())
    }

    pub(in crate::services::mlflow) fn object(&self, name: &str) -> Result<Self, Refusal> {
        Ok(self.read(name, |it| it.as_object().cloned().map(Self))?.unwrap_or_default())
    }

    /// Pairs of key and value. A value that is not there is empty.
    pub(in crate::services::mlflow) fn pairs(
        &self,
        name: &str,
    ) -> Result<Vec<(String, String)>, Refusal> {
        let pair = |it: &Self| {
            Ok((it.text_or_empty("key")?.to_owned(), it.text_or_empty("value")?.to_owned()))
        };
        self.objects(name)?.iter().map(pair).collect()
    }
}
