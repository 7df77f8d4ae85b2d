//! From the rows of a batch to what the store keeps.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    kernel::Refusal,
    store::{Batch, Cells, Point, Points, Row, Series},
};

/// One row as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) at: i64,
    pub(super) step: Option<i64>,
    pub(super) data: BTreeMap<String, Value>,
}

/// Packs rows that are one number each; keeps others as they are.
pub(super) fn batch(
    name: String,
    columns: BTreeMap<String, String>,
    shown_as: String,
    sent: Vec<Sent>,
) -> Result<Batch, Refusal> {
    if columns.is_empty() {
        return Err(Refusal::invalid(format!("metric {name:?} has no columns")));
    }
    if let Some(missing) =
        sent.iter().find_map(|it| columns.keys().find(|key| !it.data.contains_key(*key)))
    {
        let text = format!("a value of metric {name:?} lacks the column {missing:?}");
        return Err(Refusal::invalid(text));
    }
    let is_scalar = columns.len() == 1
        && columns.values().all(|it| matches!(it.as_str(), "double" | "int"))
        && shown_as == "azureml.v1.scalar";
    let cells = if is_scalar { packed(&name, &columns, &sent)? } else { Cells::Rows(rows(sent)) };
    Ok(Batch { name, columns, shown_as, cells })
}

fn packed(name: &str, columns: &BTreeMap<String, String>, sent: &[Sent]) -> Result<Cells, Refusal> {
    let point = |it: &Sent| {
        let cell = columns.keys().next().and_then(|key| it.data.get(key));
        let value = cell
            .and_then(number)
            .ok_or_else(|| Refusal::invalid(format!("{cell:?} of metric {name:?} is no number")))?;
        Ok(Point { at: it.at, step: it.step, value })
    };
    sent.iter().map(point).collect::<Result<_, _>>().map(|it| Cells::Numbers(Points(it)))
}

fn rows(sent: Vec<Sent>) -> Vec<Row> {
    sent.into_iter().map(|it| Row { at: it.at, step: it.step, data: it.data }).collect()
}

/// A number, or the text of one: bare words arrive as texts.
fn number(cell: &Value) -> Option<f64> {
    cell.as_f64().or_else(|| match cell.as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    })
}

/// The rows of a series in the order of step and time.
pub(super) fn in_order(series: &Series) -> Vec<Row> {
    let column = series.columns.keys().next().cloned().unwrap_or_default();
    let whole = series.columns.values().next().is_some_and(|it| it == "int");
    let mut rows = series.rows.clone();
    rows.extend(series.points.0.iter().map(|it| Row {
        at: it.at,
        step: it.step,
        data: BTreeMap::from([(column.clone(), cell(it.value, whole))]),
    }));
    rows.sort_by_key(|it| (it.step, it.at));
    rows
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that fit are converted")]
fn cell(value: f64, whole: bool) -> Value {
    if whole && value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Value::from(value as i64);
    }
    crate::kernel::lenient::number(value)
}
