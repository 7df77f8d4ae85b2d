use std::{cmp::Ordering, collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use time::OffsetDateTime;

/// Bytes of one packed point.
const PACKED: usize = 24;

/// Stands for "no step" in a packed point. No client sends this step.
const NO_STEP: i64 = i64::MIN;

/// One value of a numeric metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) step: Option<i64>,
    pub(crate) value: f64,
}

/// By bits: a point that is not a number equals itself.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.step, self.value.to_bits()) == (other.at, other.step, other.value.to_bits())
    }
}

/// Points of one metric. Packed in the log, readable in an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Points(pub(crate) Vec<Point>);

/// One row of a metric that is no plain number: a table, a list of texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) step: Option<i64>,
    /// A cell that is not a number is written as the text `NaN`, `Infinity` or `-Infinity`.
    pub(crate) data: BTreeMap<String, Value>,
}

/// What a log call adds to one metric: numbers or rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Cells {
    Numbers(Points),
    Rows(Vec<Row>),
}

/// What one log call says of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) name: String,
    /// Column names with their types: `double`, `int`, `string`, `bool`, `Artifact` …
    pub(crate) columns: BTreeMap<String, String>,
    /// How the studio shows it, for example `azureml.v1.scalar`.
    pub(crate) shown_as: String,
    pub(crate) cells: Cells,
}

/// All values of one metric of one run. Its columns are fixed by the first batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub(crate) struct Series {
    pub(crate) columns: BTreeMap<String, String>,
    pub(crate) shown_as: String,
    pub(crate) points: Points,
    pub(crate) rows: Vec<Row>,
    /// Follows from the points; kept because every look at a run asks for it.
    #[serde(skip_serializing)]
    latest: Option<Point>,
    /// The greatest time of all points, likewise.
    #[serde(skip_serializing)]
    newest: Option<i64>,
}

/// What is saved of a series.
#[derive(Deserialize)]
struct Saved {
    columns: BTreeMap<String, String>,
    shown_as: String,
    points: Points,
    rows: Vec<Row>,
}

impl From<Saved> for Series {
    fn from(it: Saved) -> Self {
        let latest = it.points.0.iter().copied().reduce(later);
        let newest = it.points.0.iter().map(|it| it.at).max();
        let Saved { columns, shown_as, points, rows } = it;
        Self { columns, shown_as, points, rows, latest, newest }
    }
}

/// The greater of two points by step, time and value. What is not a number
/// counts as 0.
fn later(one: Point, other: Point) -> Point {
    let rank = |it: &Point| {
        let value = if it.value.is_nan() { 0.0 } else { it.value };
        (it.step.unwrap_or(0), it.at, value)
    };
    if rank(&one).partial_cmp(&rank(&other)).is_some_and(Ordering::is_lt) { other } else { one }
}

impl Batch {
    /// A plain number, as MLflow and most users log it.
    pub(crate) fn scalar(name: impl Into<String>, points: Vec<Point>) -> Self {
        let name = name.into();
        let columns = BTreeMap::from([(name.clone(), "double".to_owned())]);
        let shown_as = "azureml.v1.scalar".to_owned();
        Self { name, columns, shown_as, cells: Cells::Numbers(Points(points)) }
    }
}

impl Series {
    pub(crate) fn begun_by(batch: &Batch) -> Self {
        Self {
            columns: batch.columns.clone(),
            shown_as: batch.shown_as.clone(),
            points: Points::default(),
            rows: Vec::new(),
            latest: None,
            newest: None,
        }
    }

    /// Adds a batch of the same columns. A point that is there already is the
    /// same point: log calls may be repeated.
    pub(crate) fn add(&mut self, cells: &Cells) {
        match cells {
            Cells::Numbers(Points(points)) => {
                self.add_points(points);
                self.latest = self.latest.into_iter().chain(points.iter().copied()).reduce(later);
            }
            Cells::Rows(rows) => self.rows.extend(rows.iter().cloned()),
        }
    }

    fn add_points(&mut self, points: &[Point]) {
        for point in points {
            // Most points come after all that are there; only others may repeat one.
            if self.newest.is_none_or(|it| it < point.at) {
                self.newest = Some(point.at);
            } else if self.points.0.contains(point) {
                continue;
            }
            self.points.0.push(*point);
        }
    }

    /// The point that MLflow calls the latest: the greatest by step, time and
    /// value, whatever the order of arrival.
    pub(crate) fn latest(&self) -> Option<Point> {
        self.latest
    }
}

impl Points {
    fn packed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * PACKED);
        for it in &self.0 {
            bytes.extend(it.at.to_le_bytes());
            bytes.extend(it.step.unwrap_or(NO_STEP).to_le_bytes());
            bytes.extend(it.value.to_le_bytes());
        }
        bytes
    }

    fn unpacked(bytes: &[u8]) -> Option<Self> {
        let word = |chunk: &[u8], at: usize| chunk.get(at..at + 8)?.try_into().ok();
        let point = |chunk: &[u8]| {
            let step = i64::from_le_bytes(word(chunk, 8)?);
            Some(Point {
                at: i64::from_le_bytes(word(chunk, 0)?),
                step: (step != NO_STEP).then_some(step),
                value: f64::from_le_bytes(word(chunk, 16)?),
            })
        };
        let chunks = bytes.chunks_exact(PACKED);
        if !chunks.remainder().is_empty() {
            return None;
        }
        chunks.map(point).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// Microseconds since 1970.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// Readable: a value that is not finite is written as text.
impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.value.is_finite() || !serializer.is_human_readable() {
            return (self.at, self.step, self.value).serialize(serializer);
        }
        (self.at, self.step, self.value.to_string()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (at, step, value) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { at, step, value });
        }
        let (at, step, value): (i64, Option<i64>, Value) = Deserialize::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let value = number.ok_or_else(|| de::Error::custom(format!("{value} is no number")))?;
        Ok(Self { at, step, value })
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.packed());
        }
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_bytes(PackedVisitor);
        }
        Vec::deserialize(deserializer).map(Self)
    }
}

struct PackedVisitor;

impl de::Visitor<'_> for PackedVisitor {
    type Value = Points;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packed points")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Points, E> {
        Points::unpacked(bytes).ok_or_else(|| E::custom("points are packed by 24 bytes each"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_points() -> impl Strategy<Value = Points> {
        let point = (any::<i64>(), prop::option::of(-9_i64..9), prop::num::f64::ANY)
            .prop_map(|(at, step, value)| Point { at, step, value });
        prop::collection::vec(point, 0..9).prop_map(Points)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(points in any_points()) {
            prop_assert_eq!(Points::unpacked(&points.packed()), Some(points));
        }

        #[test]
        fn what_is_exported_is_read_back(points in any_points()) {
            let text = serde_json::to_string(&points).unwrap();
            let back: Points = serde_json::from_str(&text).unwrap();
            // Every NaN is written alike.
            prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
        }
    }

    #[test]
    fn the_latest_is_the_greatest_by_step_and_not_the_last_to_arrive() {
        let point = |at, step, value| Point { at, step: Some(step), value };
        let mut series = Series::begun_by(&Batch::scalar("m", vec![]));
        series.add(&Cells::Numbers(Points(vec![point(9, 2, 1.0), point(5, 1, 7.0)])));
        assert_eq!(series.latest(), Some(point(9, 2, 1.0)));
    }

    #[test]
    fn a_repeated_batch_adds_nothing() {
        let point = Point { at: 5, step: None, value: f64::NAN };
        let mut series = Series::begun_by(&Batch::scalar("m", vec![]));
        for _ in 0..2 {
            series.add(&Cells::Numbers(Points(vec![point])));
        }
        assert_eq!(series.points.0, [point]);
    }
}
