use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use sha2::{Digest, Sha256};
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
        self.key() == other.key()
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
    /// What tells a repeated cell from an equal one, cell by cell. `None` where
    /// cells have no ids, as in MLflow: there an equal number is the same number.
    #[serde(default)]
    pub(crate) ids: Option<Vec<CellId>>,
    /// Whether what is there already is added again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) keeps_repeats: bool,
}

/// Stands for the id that a client gave a cell. `None` if it gave none: then
/// nothing else is this cell.
pub(crate) type CellId = Option<u64>;

/// A short stand-in for the id of a cell, the same in every process.
pub(crate) fn cell_id(id: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(id).into();
    digest.iter().take(8).fold(0, |it, byte| (it << 8) | u64::from(*byte))
}

/// All values of one metric of one run. Its columns are fixed by the first batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub(crate) struct Series {
    pub(crate) columns: BTreeMap<String, String>,
    pub(crate) shown_as: String,
    pub(crate) points: Points,
    pub(crate) rows: Vec<Row>,
    /// The ids of all cells that came with one.
    ids: BTreeSet<u64>,
    /// Follows from the points; kept because every look at a run asks for it.
    #[serde(skip_serializing)]
    latest: Option<Point>,
    /// The greatest time of all points, likewise.
    #[serde(skip_serializing)]
    newest: Option<i64>,
    #[serde(skip_serializing)]
    seen: Seen,
}

/// The points by value. Made when a point first may be one of them, because
/// most series never ask. It follows from the points and is never compared.
#[derive(Clone, Debug, Default)]
struct Seen(Option<HashSet<(i64, Option<i64>, u64)>>);

impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is saved of a series.
#[derive(Deserialize)]
struct Saved {
    columns: BTreeMap<String, String>,
    shown_as: String,
    points: Points,
    rows: Vec<Row>,
    #[serde(default)]
    ids: BTreeSet<u64>,
}

impl From<Saved> for Series {
    fn from(it: Saved) -> Self {
        let newest = it.points.0.iter().map(|it| it.at).max();
        let Saved { columns, shown_as, points, rows, ids } = it;
        let seen = Seen::default();
        let mut series = Self { columns, shown_as, points, rows, ids, latest: None, newest, seen };
        series.latest = series.numbers().reduce(later);
        series
    }
}

impl Point {
    fn key(&self) -> (i64, Option<i64>, u64) {
        (self.at, self.step, self.value.to_bits())
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
        let cells = Cells::Numbers(Points(points));
        Self { name, columns, shown_as, cells, ids: None, keeps_repeats: false }
    }
}

impl Batch {
    /// Whether equal numbers are not the same number.
    fn has_identities(&self) -> bool {
        self.ids.is_some() || self.keeps_repeats
    }
}

impl Series {
    pub(crate) fn begun_by(batch: &Batch) -> Self {
        Self {
            columns: batch.columns.clone(),
            shown_as: batch.shown_as.clone(),
            points: Points::default(),
            rows: Vec::new(),
            ids: BTreeSet::new(),
            latest: None,
            newest: None,
            seen: Seen::default(),
        }
    }

    /// Adds a batch of the same columns. What is there already is not added
    /// again, because log calls may be repeated, unless the batch wants it.
    pub(crate) fn add(&mut self, batch: &Batch) {
        match &batch.cells {
            Cells::Numbers(Points(points)) => {
                for (index, point) in points.iter().enumerate() {
                    let is_new = self.is_new(batch, index);
                    if is_new && (batch.has_identities() || self.is_unseen(point)) {
                        self.push(*point);
                    }
                }
            }
            Cells::Rows(rows) => {
                for (index, row) in rows.iter().enumerate() {
                    if self.is_new(batch, index) {
                        let number = self.number_of(row);
                        self.latest = self.latest.into_iter().chain(number).reduce(later);
                        self.rows.push(row.clone());
                    }
                }
            }
        }
    }

    /// Whether the id of a cell was never met. Keeps it.
    fn is_new(&mut self, batch: &Batch, index: usize) -> bool {
        let id = batch.ids.as_ref().and_then(|it| *it.get(index)?);
        id.is_none_or(|it| self.ids.insert(it)) || batch.keeps_repeats
    }

    fn is_unseen(&mut self, point: &Point) -> bool {
        // Most points come after all that are there; only others may repeat one.
        if self.newest.is_none_or(|it| it < point.at) {
            return true;
        }
        let points = &self.points.0;
        let seen = self.seen.0.get_or_insert_with(|| points.iter().map(Point::key).collect());
        !seen.contains(&point.key())
    }

    fn push(&mut self, point: Point) {
        if let Some(seen) = &mut self.seen.0 {
            seen.insert(point.key());
        }
        self.newest = self.newest.max(Some(point.at));
        self.latest = self.latest.into_iter().chain([point]).reduce(later);
        self.points.0.push(point);
    }

    /// All values of a series of plain numbers as MLflow sees them: an integer
    /// that is kept whole here is a float there.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Point> {
        let kept_whole = self.rows.iter().filter_map(|it| self.number_of(it));
        self.points.0.iter().copied().chain(kept_whole)
    }

    fn number_of(&self, row: &Row) -> Option<Point> {
        let kind = self.columns.values().next().filter(|_| self.columns.len() == 1)?;
        if self.shown_as != "azureml.v1.scalar" || !matches!(kind.as_str(), "double" | "int") {
            return None;
        }
        let cell = row.data.values().next()?;
        let value = cell.as_f64().or_else(|| cell.as_str()?.parse().ok())?;
        Some(Point { at: row.at, step: row.step, value })
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

    fn add(series: &mut Series, points: Vec<Point>) {
        series.add(&Batch::scalar("m", points));
    }

    #[test]
    fn the_latest_is_the_greatest_by_step_and_not_the_last_to_arrive() {
        let point = |at, step, value| Point { at, step: Some(step), value };
        let mut series = Series::begun_by(&Batch::scalar("m", vec![]));
        add(&mut series, vec![point(9, 2, 1.0), point(5, 1, 7.0)]);
        assert_eq!(series.latest(), Some(point(9, 2, 1.0)));
    }

    #[test]
    fn a_repeated_batch_without_ids_adds_nothing() {
        let point = Point { at: 5, step: None, value: f64::NAN };
        let mut series = Series::begun_by(&Batch::scalar("m", vec![]));
        for _ in 0..2 {
            add(&mut series, vec![point]);
        }
        assert_eq!(series.points.0, [point]);
    }

    #[test]
    fn cells_with_ids_are_told_apart_by_them_alone_also_after_a_restart() {
        let point = Point { at: 5, step: None, value: 1.0 };
        let row = Row { at: 5, step: None, data: BTreeMap::new() };
        let ids = Some(vec![Some(cell_id("a")), Some(cell_id("b"))]);
        let numbers = Batch { ids: ids.clone(), ..Batch::scalar("m", vec![point, point]) };
        let rows = Batch { cells: Cells::Rows(vec![row.clone(), row]), ids, ..numbers.clone() };
        for batch in [numbers, rows] {
            let mut series = Series::begun_by(&batch);
            series.add(&batch);
            let saved = serde_json::to_string(&series).unwrap();
            let mut read: Series = serde_json::from_str(&saved).unwrap();
            assert_eq!(read, series);
            read.add(&batch);
            assert_eq!(read.points.0.len() + read.rows.len(), 2);
        }
    }

    #[test]
    fn points_that_come_last_first_are_added_in_no_time() {
        let mut series = Series::begun_by(&Batch::scalar("m", vec![]));
        let points: Vec<Point> =
            (0..200_000).rev().map(|at| Point { at, step: None, value: 1.0 }).collect();
        for _ in 0..2 {
            add(&mut series, points.clone());
        }
        assert_eq!(series.points.0.len(), 200_000);
        assert_eq!(series.latest().unwrap().at, 199_999);
    }
}
