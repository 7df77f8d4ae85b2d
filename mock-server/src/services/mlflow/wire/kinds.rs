//! Which fields MLflow's calls have, of which kind each is, and what its parser
//! of messages makes of a value.

use serde_json::Value;

use crate::kernel::lenient::is_bare;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// A 64-bit number, which comes as a number or as a text.
    Whole,
    Flag,
    /// One of a few words. Other words say nothing.
    Word,
    Texts,
    Objects,
    Object,
    /// A list of whatever the call takes.
    List,
}

/// The names of all fields that calls of MLflow have.
#[rustfmt::skip]
static KNOWN: &[(Kind, &[&str])] = &[
    (Kind::Text, &[
        "alias", "artifact_directory_path", "artifact_file_path", "artifact_location",
        "batch_tracking_id", "comment", "dataset_digest", "dataset_name", "deployment_job_id",
        "description", "experiment_id", "experiment_name", "filter", "key", "metric_key",
        "mlflow_version", "model_id", "model_input", "model_json", "model_output", "model_route",
        "model_type", "name", "new_name", "page_token", "path", "prompt_template", "run_id",
        "run_link", "run_name", "run_uuid", "source", "source_run_id", "stage", "upload_id",
        "user_id", "value", "version",
    ]),
    (Kind::Whole, &[
        "end_step", "end_time", "max_results", "max_runs", "max_timestamp_millis",
        "min_timestamp_millis", "num_parts", "start_step", "start_time", "step", "timestamp",
    ]),
    (Kind::Flag, &["allow_deleted", "archive_existing_versions"]),
    (Kind::Word, &["run_view_type", "status", "view_type"]),
    (Kind::Texts, &["experiment_ids", "run_ids", "stages"]),
    (Kind::Objects, &[
        "datasets", "metrics", "model_output_parameters", "model_parameters", "models", "params",
        "parts", "prompt_parameters", "tags",
    ]),
    (Kind::List, &["order_by"]),
];

/// Fields that only occur inside others.
static NESTED: &[(Kind, &[&str])] = &[
    (Kind::Text, &["digest", "field_name", "profile", "schema", "source_type"]),
    (Kind::Whole, &["part_number"]),
    (Kind::Flag, &["ascending"]),
    (Kind::Object, &["dataset"]),
];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|(_, names)| names.contains(&name))
}

/// Whether a field is a list, also where only one thing is in it.
pub(super) fn is_list(name: &str) -> bool {
    matches!(kind_of(name), Some(Kind::Texts | Kind::Objects | Kind::List))
}

/// `runId` as `run_id`, if there is such a field.
pub(super) fn snake(name: String) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for it in name.chars() {
        if it.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(it.to_ascii_lowercase());
    }
    if is_known(&snake) { snake } else { name }
}

fn kind_of(name: &str) -> Option<Kind> {
    let mut all = KNOWN.iter().chain(NESTED);
    all.find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind)
}

/// Whether the parser takes `value` in as the field `name` of an object with
/// these fields. What it does not know it passes over.
pub(super) fn fits(name: &str, value: &Value, beside: &[(String, Value)]) -> bool {
    // The value of a point is a number, all others are texts.
    if name == "value" && beside.iter().any(|(it, _)| it == "timestamp") {
        return value.is_null() || decimal(value).is_some();
    }
    let Some(kind) = kind_of(name) else { return true };
    match (kind, value) {
        (_, Value::Null) | (Kind::Word, Value::String(_)) => true,
        (Kind::Text, it) => it.as_str().is_some_and(|it| !is_bare(it)),
        (Kind::Whole, it) => whole(it).is_some(),
        (Kind::Flag, it) => it.is_boolean() || matches!(it.as_str(), Some("true" | "false")),
        (Kind::Word, it) => it.as_i64().is_some_and(|it| (0..=5).contains(&it)),
        (Kind::Texts, Value::Array(items)) => items.iter().all(Value::is_string),
        (Kind::Objects, Value::Array(items)) => items.iter().all(all_fit),
        (Kind::Object, it) => all_fit(it),
        (Kind::List, Value::Array(items)) => {
            items.iter().all(Value::is_string) || items.iter().all(all_fit)
        }
        (Kind::Texts | Kind::Objects | Kind::List, _) => false,
    }
}

fn all_fit(object: &Value) -> bool {
    let Some(fields) = object.as_object() else { return false };
    let entries: Vec<(String, Value)> =
        fields.iter().map(|(key, it)| (key.clone(), it.clone())).collect();
    entries.iter().all(|(name, it)| fits(name, it, &entries))
}

/// A whole number, also as a text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(it) => it.as_i64().or_else(|| {
            let float = it.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 9.0e18)?;
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and not too large")]
            Some(float as i64)
        }),
        Value::String(it) => it.parse().ok(),
        _ => None,
    }
}

/// A number, also as a text, the words for what is not finite among them.
pub(super) fn decimal(value: &Value) -> Option<f64> {
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
        text => text.parse().ok().filter(|it: &f64| it.is_finite()),
    }
}

/// Whether Python would make an `int` of it.
pub(super) fn is_like_a_whole_number(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(it) => is_bare(it) || it.trim().parse::<i64>().is_ok(),
        _ => false,
    }
}

/// Whether Python would make a `float` of it.
pub(super) fn is_like_a_number(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(it) => is_bare(it) || it.trim().parse::<f64>().is_ok(),
        _ => false,
    }
}
