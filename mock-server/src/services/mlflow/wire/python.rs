//! How Python writes values, and how MLflow says that one is missing or wrong.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, ser::Formatter};

use crate::kernel::{Refusal, lenient};

const HINT: &str = "See the API docs for more information about request parameters.";

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
    let text = lenient::unquoted(&text);
    if text.is_ascii() {
        return text.into_owned();
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
        Value::String(it) if lenient::is_bare(it) => {
            if it.trim_start_matches(['\u{1}', '-']).bytes().all(|it| it.is_ascii_digit()) {
                "int"
            } else {
                "float"
            }
        }
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
