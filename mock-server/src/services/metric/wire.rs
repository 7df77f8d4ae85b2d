//! JSON of the metric service, as azureml-core 1.61 was seen to send and accept it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::state::{Mark, Sent};
use crate::{
    kernel::ids,
    services::history::instant,
    store::{Row, Series, cell_id, micros},
};

#[derive(Deserialize)]
pub(super) struct BatchBody {
    pub(super) values: Vec<Metric>,
    /// Errors are reported whether or not anybody asks.
    #[serde(rename = "reportErrors")]
    _reports_errors: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Metric {
    pub(super) name: String,
    #[serde(default)]
    pub(super) columns: BTreeMap<String, String>,
    #[serde(default)]
    value: Vec<MetricValue>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetricValue {
    metric_id: Option<String>,
    created_utc: Option<String>,
    step: Option<i64>,
    #[serde(default)]
    data: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    ux_metric_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FullBody {
    pub(super) metric_name: String,
    pub(super) continuation_token: Option<String>,
}

impl Metric {
    pub(super) fn shown_as(&self) -> String {
        self.properties.ux_metric_type.clone().unwrap_or_else(|| "azureml.v1.scalar".to_owned())
    }

    /// The rows. One without a time is as old as the request.
    pub(super) fn into_rows(self, now: OffsetDateTime) -> Vec<Sent> {
        let row = |it: MetricValue| {
            let at = it.created_utc.and_then(|it| OffsetDateTime::parse(&it, &Rfc3339).ok());
            let id = it.metric_id.filter(|it| !it.is_empty()).map(|it| cell_id(&it));
            Sent { at: micros(at.unwrap_or(now)), step: it.step, data: it.data, id }
        };
        self.value.into_iter().map(row).collect()
    }
}

pub(super) fn name_json(name: &str, series: &Series) -> Value {
    json!({
        "metricKey": { "name": name, "labels": null, "aggregates": null },
        "columns": series.shape().columns(name),
        "properties": { "uxMetricType": series.shape().shown_as() },
    })
}

pub(super) fn full_json(
    name: &str,
    series: &Series,
    rows: &[(Mark, Row)],
    next: Option<&str>,
) -> Value {
    let rows: Vec<Value> = rows.iter().map(|(mark, it)| row_json(name, mark.index, it)).collect();
    json!({
        "name": name,
        "columns": series.shape().columns(name),
        "properties": { "uxMetricType": series.shape().shown_as() },
        "value": rows,
        "continuationToken": next,
    })
}

fn row_json(name: &str, index: usize, row: &Row) -> Value {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.at) * 1000);
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let seed =
        name.bytes().fold(row.at.unsigned_abs(), |it, byte| it.rotate_left(7) ^ u64::from(byte));
    let mut value = json!({
        "metricId": ids::uuid(seed, index as u64),
        "createdUtc": instant(at),
        "data": row.data,
    });
    if let (Some(step), Some(fields)) = (row.step, value.as_object_mut()) {
        fields.insert("step".to_owned(), step.into());
    }
    value
}
