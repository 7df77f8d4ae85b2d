//! JSON exactly as the metric service writes it. Nothing here leaves this module tree.

use std::{collections::BTreeMap, fmt::Write};

use azml_core::{Page, PageToken};
use serde::Deserialize;
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, error::Format, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::lenient;
use crate::{Metric, MetricKey, MetricKind, MetricRow, MetricSeries, MetricValue, PendingMetric};

/// Rows of one key.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) shown_as: &'a str,
    /// Names and words for types.
    pub(super) columns: Vec<(&'a str, &'static str)>,
    pub(super) rows: &'a [Row],
}

/// A row with the id that keeps it from being stored twice.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) logged_at: OffsetDateTime,
    pub(super) step: Option<i64>,
    pub(super) cells: BTreeMap<String, MetricValue>,
}

impl From<&PendingMetric> for Row {
    fn from(PendingMetric { metric, id }: &PendingMetric) -> Self {
        let cell = (metric.key.to_string(), MetricValue::Double(metric.value));
        Self {
            id: id.to_string(),
            logged_at: metric.logged_at,
            step: Some(metric.step),
            cells: BTreeMap::from([cell]),
        }
    }
}

impl Row {
    /// A row that is known by `id`.
    pub(super) fn new(it: &MetricRow, id: Uuid) -> Self {
        Self {
            id: id.to_string(),
            logged_at: it.logged_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            step: it.step,
            cells: it.cells.clone(),
        }
    }
}

/// Writes a batch. By hand, because `NaN`, `Infinity` and integers of any
/// length go as bare words.
pub(super) fn batch(entries: &[Entry<'_>]) -> Result<String, Format> {
    let entries: Vec<String> = entries.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(format!(r#"{{"values":[{}],"reportErrors":true}}"#, entries.join(",")))
}

fn entry(it: &Entry<'_>) -> Result<String, Format> {
    let (name, shown_as) = (text(it.name), text(it.shown_as));
    let columns: Vec<String> =
        it.columns.iter().map(|(name, word)| format!("{}:\"{word}\"", text(name))).collect();
    let columns = columns.join(",");
    let values: Vec<String> = it.rows.iter().map(row).collect::<Result<_, _>>()?;
    let values = values.join(",");
    Ok(format!(
        r#"{{"name":{name},"columns":{{{columns}}},"value":[{values}],"properties":{{"uxMetricType":{shown_as}}}}}"#
    ))
}

fn row(it: &Row) -> Result<String, Format> {
    let id = text(&it.id);
    let logged_at = it.logged_at.to_offset(UtcOffset::UTC).format(&Rfc3339)?;
    let mut row = format!(r#"{{"metricId":{id},"createdUtc":"{logged_at}""#);
    if let Some(step) = it.step {
        let _ = write!(row, r#","step":{step}"#);
    }
    let cells: Vec<String> =
        it.cells.iter().map(|(name, value)| format!("{}:{}", text(name), cell(value))).collect();
    let _ = write!(row, r#","data":{{{}}}}}"#, cells.join(","));
    Ok(row)
}

fn cell(value: &MetricValue) -> String {
    match value {
        MetricValue::Double(value) => lenient::number(*value),
        MetricValue::Integer(value) => value.to_string(),
        MetricValue::BigInteger(digits) if is_integer(digits) => digits.clone(),
        MetricValue::BigInteger(other) => text(other),
        MetricValue::Text(it) | MetricValue::Artifact(it) => text(it),
        MetricValue::Bool(value) => value.to_string(),
        MetricValue::Empty => "null".to_owned(),
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

/// The service's word for a kind of series.
pub(super) fn word(kind: &MetricKind) -> &str {
    match kind {
        MetricKind::Scalar => "azureml.v1.scalar",
        MetricKind::List => "azureml.v1.list",
        MetricKind::Table => "azureml.v1.table",
        MetricKind::Image => "azureml.v2.image",
        MetricKind::Other(word) => word,
    }
}

fn kind(word: Option<&str>) -> MetricKind {
    match word {
        None | Some("azureml.v1.scalar") => MetricKind::Scalar,
        Some("azureml.v1.list") => MetricKind::List,
        Some("azureml.v1.table") => MetricKind::Table,
        Some("azureml.v2.image") => MetricKind::Image,
        Some(other) => MetricKind::Other(other.to_owned()),
    }
}

#[derive(Deserialize)]
pub(super) struct BatchAnswer {
    #[serde(default)]
    pub(super) errors: Option<Vec<BatchError>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchError {
    pub(super) error_response: Option<Wrapped>,
}

#[derive(Deserialize)]
pub(super) struct Wrapped {
    pub(super) error: Reason,
}

#[derive(Default, Deserialize)]
pub(super) struct Reason {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Keys {
    value: Vec<Listed>,
    continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    metric_key: Key,
}

#[derive(Deserialize)]
struct Key {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Series {
    name: String,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    value: Vec<ReadRow>,
    #[serde(default)]
    properties: Option<Properties>,
    continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    ux_metric_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadRow {
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_utc: Option<OffsetDateTime>,
    step: Option<i64>,
    data: BTreeMap<String, Value>,
}

impl Series {
    /// The values with their types, and the mark of the next page.
    pub(super) fn into_typed(self, key: &MetricKey) -> (MetricSeries, Option<PageToken>) {
        let Self { columns, value, properties, continuation_token, .. } = self;
        let word = properties.and_then(|it| it.ux_metric_type);
        let row = |it: ReadRow| MetricRow {
            cells: it
                .data
                .into_iter()
                .map(|(name, value)| {
                    let value = typed(value, columns.get(&name).map(String::as_str));
                    (name, value)
                })
                .collect(),
            step: it.step,
            logged_at: it.created_utc,
        };
        let rows = value.into_iter().map(row).collect();
        let series = MetricSeries { key: key.clone(), kind: kind(word.as_deref()), rows };
        (series, continuation_token.filter(|it| !it.is_empty()).map(PageToken))
    }
}

/// A value by the word for its column's type.
fn typed(value: Value, word: Option<&str>) -> MetricValue {
    match value {
        Value::Null => MetricValue::Empty,
        Value::Bool(value) => MetricValue::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) if word != Some("double") => MetricValue::Integer(whole),
            (_, Some(value)) if word == Some("int") && value.fract() == 0.0 => whole(value),
            (_, value) => MetricValue::Double(value.unwrap_or(f64::NAN)),
        },
        Value::String(text) => match word {
            Some("string") => MetricValue::Text(text),
            Some(word) if word.eq_ignore_ascii_case("artifact") => MetricValue::Artifact(text),
            Some("int") if is_integer(&text) => MetricValue::BigInteger(text),
            _ => match word_as_number(&text) {
                Some(number) => MetricValue::Double(number),
                None if word == Some("double") => {
                    text.parse().map_or(MetricValue::Text(text), MetricValue::Double)
                }
                None => MetricValue::Text(text),
            },
        },
        other => MetricValue::Text(other.to_string()),
    }
}

/// A whole number that came as another: some stores know nothing else.
fn whole(value: f64) -> MetricValue {
    let digits = format!("{value:.0}");
    digits.parse().map_or(MetricValue::BigInteger(digits), MetricValue::Integer)
}

fn word_as_number(word: &str) -> Option<f64> {
    match word {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

impl From<Keys> for Page<MetricKey> {
    fn from(it: Keys) -> Self {
        Self {
            items: it.value.into_iter().map(|it| MetricKey::new(it.metric_key.name)).collect(),
            next: it.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

impl From<Series> for Page<Metric> {
    /// A column named like the metric is the metric. The columns of a table
    /// become metrics of their own, `TABLE/COLUMN`. What is no number is left out.
    fn from(it: Series) -> Self {
        let Series { name, columns, value, continuation_token, .. } = it;
        let mut items = Vec::with_capacity(value.len());
        for row in value {
            let logged_at = row.created_utc.unwrap_or(OffsetDateTime::UNIX_EPOCH);
            for (column, value) in &row.data {
                let is_text = columns.get(column).is_some_and(|it| it == "string");
                let Some(value) = number(value, is_text) else { continue };
                let key = if *column == name { name.clone() } else { format!("{name}/{column}") };
                items.push(Metric::new(key, value, logged_at).with_step(row.step.unwrap_or(0)));
            }
        }
        Self { items, next: continuation_token.filter(|it| !it.is_empty()).map(PageToken) }
    }
}

fn number(value: &Value, is_text: bool) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::String(word) if !is_text => {
            word_as_number(word).or_else(|| is_integer(word).then(|| word.parse().ok())?)
        }
        _ => None,
    }
}
