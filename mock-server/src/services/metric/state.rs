//! From the rows of a batch to what the store keeps.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::Value;

use crate::{
    kernel::{Refusal, lenient},
    store::{Batch, CellId, Cells, Point, Points, Row, Series, Shape},
};

/// One row as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) at: i64,
    pub(super) step: Option<i64>,
    pub(super) data: BTreeMap<String, Value>,
    pub(super) id: CellId,
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
    let ids = Some(sent.iter().map(|it| it.id).collect());
    let numbers = if is_scalar(&columns, &shown_as) { packed(&name, &sent)? } else { None };
    let cells = numbers.map_or_else(|| Cells::Rows(rows(sent)), Cells::Numbers);
    let shape = Shape::of(&name, columns, shown_as);
    Ok(Batch { name, shape, cells, ids, keeps_repeats: false })
}

fn is_scalar(columns: &BTreeMap<String, String>, shown_as: &str) -> bool {
    columns.len() == 1
        && columns.values().all(|it| is_numeric(it))
        && shown_as == "azureml.v1.scalar"
}

fn is_numeric(kind: &str) -> bool {
    matches!(kind, "double" | "int")
}

/// `None` when a number among them is not the same as a float.
fn packed(name: &str, sent: &[Sent]) -> Result<Option<Points>, Refusal> {
    let mut points = Vec::with_capacity(sent.len());
    for it in sent {
        let cell = it.data.values().next();
        let value = cell
            .and_then(number)
            .ok_or_else(|| Refusal::invalid(format!("{cell:?} of metric {name:?} is no number")))?;
        if cell.is_some_and(|it| !is_exact(it, value)) {
            return Ok(None);
        }
        points.push(Point { at: it.at, step: it.step, value });
    }
    Ok(Some(Points(points)))
}

/// Whether an integer survives as a float.
#[expect(clippy::cast_precision_loss, reason = "the loss is what is asked for")]
fn is_exact(cell: &Value, value: f64) -> bool {
    const EXACT: i64 = 1 << 53;
    match cell {
        Value::Number(it) if it.is_f64() => true,
        Value::Number(_) => value.abs() <= EXACT as f64,
        Value::String(it) => !lenient::is_large_integer(it),
        _ => true,
    }
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

/// Where a value stands in its series: by step, then by time, then by arrival.
/// New values do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    step: Option<i64>,
    at: i64,
    /// Rows stand before points.
    is_point: bool,
    pub(super) index: usize,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.map(|it| it.to_string()).unwrap_or_default();
        write!(f, "{step}:{}:{}:{}", self.at, u8::from(self.is_point), self.index)
    }
}

impl FromStr for Mark {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let read = || {
            let mut parts = text.split(':');
            let step = parts.next().filter(|it| !it.is_empty());
            let mark = Self {
                step: step.map(str::parse).transpose().ok()?,
                at: parts.next()?.parse().ok()?,
                is_point: parts.next()? == "1",
                index: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(mark)
        };
        read().ok_or_else(|| Refusal::invalid("continuationToken is none of ours"))
    }
}

/// The first `most` rows of a series after a mark, in the order of their
/// marks, and whether there are more. Makes no other row.
pub(super) fn page(
    name: &str,
    series: &Series,
    after: Option<Mark>,
    most: usize,
) -> (Vec<(Mark, Row)>, bool) {
    let rows = series.rows().iter().enumerate();
    let rows = rows.map(|(index, it)| Mark { step: it.step, at: it.at, is_point: false, index });
    let points = series.points.0.iter().enumerate();
    let points = points.map(|(index, it)| Mark { step: it.step, at: it.at, is_point: true, index });
    let mut marks: Vec<Mark> =
        rows.chain(points).filter(|it| after.is_none_or(|after| after < *it)).collect();
    let has_more = most < marks.len();
    if has_more {
        marks.select_nth_unstable(most);
        marks.truncate(most);
    }
    marks.sort_unstable();
    let columns = series.shape().columns(name);
    let column = columns.keys().next();
    let whole = columns.values().next().is_some_and(|it| it == "int");
    let row = |mark: Mark| {
        let Mark { step, at, is_point, index } = mark;
        if !is_point {
            return Some((mark, shown(series.rows().get(index)?, &columns)));
        }
        let value = cell(series.points.0.get(index)?.value, whole);
        let data = column.map(|it| (it.clone(), value)).into_iter().collect();
        Some((mark, Row { at, step, data }))
    };
    (marks.into_iter().filter_map(row).collect(), has_more)
}

/// A row with numbers that are texts inside as they go out.
fn shown(row: &Row, columns: &BTreeMap<String, String>) -> Row {
    let cell = |(column, cell): (&String, &Value)| {
        let is_number = columns.get(column).is_some_and(|it| is_numeric(it));
        let marked = cell.as_str().filter(|_| is_number).and_then(lenient::marked);
        (column.clone(), marked.unwrap_or_else(|| cell.clone()))
    };
    Row { data: row.data.iter().map(cell).collect(), ..*row }
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that fit are converted")]
fn cell(value: f64, whole: bool) -> Value {
    if whole && value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Value::from(value as i64);
    }
    lenient::number(value)
}
