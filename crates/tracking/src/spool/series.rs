//! Series of any type as a spool keeps them: JSON in which no number is rounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{MetricKey, MetricKind, MetricRow, MetricSeries, MetricValue};

#[derive(Serialize, Deserialize)]
struct Series {
    key: String,
    kind: Kind,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Scalar,
    List,
    Table,
    Image,
    Other(String),
}

#[derive(Serialize, Deserialize)]
struct Row {
    cells: BTreeMap<String, Value>,
    step: Option<i64>,
    /// Nanoseconds since 1970.
    at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
enum Value {
    /// The bits, because JSON knows no NaN.
    Double(u64),
    Integer(i64),
    BigInteger(String),
    Text(String),
    Bool(bool),
    Artifact(String),
    Empty,
}

pub(crate) fn to_json(series: &MetricSeries) -> Vec<u8> {
    let value = |it: &MetricValue| match it {
        MetricValue::Double(it) => Value::Double(it.to_bits()),
        MetricValue::Integer(it) => Value::Integer(*it),
        MetricValue::BigInteger(it) => Value::BigInteger(it.clone()),
        MetricValue::Text(it) => Value::Text(it.clone()),
        MetricValue::Bool(it) => Value::Bool(*it),
        MetricValue::Artifact(it) => Value::Artifact(it.clone()),
        MetricValue::Empty => Value::Empty,
    };
    let row = |it: &MetricRow| Row {
        cells: it.cells.iter().map(|(name, it)| (name.clone(), value(it))).collect(),
        step: it.step,
        at: it.logged_at.and_then(|it| i64::try_from(it.unix_timestamp_nanos()).ok()),
    };
    let kind = match &series.kind {
        MetricKind::Scalar => Kind::Scalar,
        MetricKind::List => Kind::List,
        MetricKind::Table => Kind::Table,
        MetricKind::Image => Kind::Image,
        MetricKind::Other(word) => Kind::Other(word.clone()),
    };
    let rows = series.rows.iter().map(row).collect();
    // Nothing in it can fail to be written.
    serde_json::to_vec(&Series { key: series.key.to_string(), kind, rows }).unwrap_or_default()
}

pub(crate) fn from_json(json: &[u8]) -> serde_json::Result<MetricSeries> {
    let Series { key, kind, rows } = serde_json::from_slice(json)?;
    let value = |it| match it {
        Value::Double(bits) => MetricValue::Double(f64::from_bits(bits)),
        Value::Integer(it) => MetricValue::Integer(it),
        Value::BigInteger(it) => MetricValue::BigInteger(it),
        Value::Text(it) => MetricValue::Text(it),
        Value::Bool(it) => MetricValue::Bool(it),
        Value::Artifact(it) => MetricValue::Artifact(it),
        Value::Empty => MetricValue::Empty,
    };
    let instant = |it| OffsetDateTime::from_unix_timestamp_nanos(i128::from(it)).ok();
    let row = |it: Row| MetricRow {
        cells: it.cells.into_iter().map(|(name, it)| (name, value(it))).collect(),
        step: it.step,
        logged_at: it.at.and_then(instant),
    };
    let kind = match kind {
        Kind::Scalar => MetricKind::Scalar,
        Kind::List => MetricKind::List,
        Kind::Table => MetricKind::Table,
        Kind::Image => MetricKind::Image,
        Kind::Other(word) => MetricKind::Other(word),
    };
    let rows = rows.into_iter().map(row).collect();
    Ok(MetricSeries { key: MetricKey::new(key), kind, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_read_as_it_was_written() {
        let table = MetricSeries::table(
            "t",
            [
                ("x", vec![MetricValue::from(1), MetricValue::Empty]),
                ("y", vec![MetricValue::from("a"), MetricValue::from(true)]),
            ],
        )
        .unwrap()
        .with_step(3);
        let mut one = MetricSeries::scalar("a", u64::MAX);
        one.rows[0].logged_at = Some(OffsetDateTime::UNIX_EPOCH + time::Duration::NANOSECOND);
        for series in [table, one, MetricSeries::list("l", [f64::INFINITY, -0.0])] {
            assert_eq!(from_json(&to_json(&series)).unwrap(), series);
        }
        let nan = from_json(&to_json(&MetricSeries::scalar("n", f64::NAN))).unwrap();
        assert!(nan.values()[0].as_f64().unwrap().is_nan());
    }
}
