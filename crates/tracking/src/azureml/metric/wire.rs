//! JSON exactly as the metric service writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken, Result};
use serde::Deserialize;
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::lenient;
use crate::{Metric, MetricKey};

/// A point with the id that keeps it from being stored twice.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) id: String,
    pub(super) metric: Metric,
}

/// Writes a batch: one entry for each run of points of one key.
///
/// By hand, because `NaN` and `Infinity` go as bare words.
pub(super) fn batch(series: &[&[Point]]) -> Result<String, time::error::Format> {
    let entries: Vec<String> = series.iter().map(|it| entry(it)).collect::<Result<_, _>>()?;
    Ok(format!(r#"{{"values":[{}],"reportErrors":true}}"#, entries.join(",")))
}

fn entry(points: &[Point]) -> Result<String, time::error::Format> {
    let name = text(points.first().map_or("", |it| it.metric.key.as_str()));
    let values: Vec<String> = points.iter().map(|it| value(&name, it)).collect::<Result<_, _>>()?;
    let values = values.join(",");
    Ok(format!(
        r#"{{"name":{name},"columns":{{{name}:"double"}},"value":[{values}],"properties":{{"uxMetricType":"azureml.v1.scalar"}}}}"#
    ))
}

fn value(name: &str, Point { id, metric }: &Point) -> Result<String, time::error::Format> {
    let id = text(id);
    let logged_at = metric.logged_at.to_offset(UtcOffset::UTC).format(&Rfc3339)?;
    let (step, number) = (metric.step, lenient::number(metric.value));
    Ok(format!(
        r#"{{"metricId":{id},"createdUtc":"{logged_at}","step":{step},"data":{{{name}:{number}}}}}"#
    ))
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
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
    value: Vec<Row>,
    continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_utc: Option<OffsetDateTime>,
    step: Option<i64>,
    data: BTreeMap<String, Value>,
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
        let Series { name, columns, value, continuation_token } = it;
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
        Value::String(word) if !is_text => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}
