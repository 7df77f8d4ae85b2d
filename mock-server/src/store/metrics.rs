use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    points::{Point, Points},
    shape::Shape,
};

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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "SavedBatch")]
pub(crate) struct Batch {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) cells: Cells,
    /// What tells a repeated cell from an equal one, cell by cell. `None` where
    /// cells have no ids, as in MLflow: there an equal number is the same number.
    pub(crate) ids: Option<Vec<CellId>>,
    /// Whether what is there already is added again.
    pub(crate) keeps_repeats: bool,
}

/// What is saved of a batch.
#[derive(Deserialize)]
struct SavedBatch {
    name: String,
    #[serde(default)]
    columns: Option<BTreeMap<String, String>>,
    #[serde(default)]
    shown_as: Option<String>,
    cells: Cells,
    #[serde(default)]
    ids: Option<Vec<CellId>>,
    #[serde(default)]
    keeps_repeats: bool,
}

impl From<SavedBatch> for Batch {
    fn from(it: SavedBatch) -> Self {
        let SavedBatch { name, columns, shown_as, cells, ids, keeps_repeats } = it;
        let shape = Shape::of_saved(&name, columns, shown_as);
        Self { name, shape, cells, ids, keeps_repeats }
    }
}

/// Short: most records are of plain numbers, and say no more than they must.
impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("name", &self.name)?;
        if let Shape::Table(table) = &self.shape {
            fields.serialize_entry("columns", &table.columns)?;
            fields.serialize_entry("shown_as", &table.shown_as)?;
        }
        fields.serialize_entry("cells", &self.cells)?;
        if let Some(ids) = &self.ids {
            fields.serialize_entry("ids", ids)?;
        }
        if self.keeps_repeats {
            fields.serialize_entry("keeps_repeats", &true)?;
        }
        fields.end()
    }
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
///
/// Small: there are many, most are plain numbers, and a search looks at each.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Saved")]
pub(crate) struct Series {
    shape: Shape,
    /// Follows from the points; kept because every look at a run asks for it.
    latest: Option<Point>,
    /// The greatest time of all points, likewise.
    newest: Option<i64>,
    pub(crate) points: Points,
    /// What a series of plain numbers without ids does not have.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    rows: Vec<Row>,
    /// The ids of all cells that came with one.
    ids: BTreeSet<u64>,
    /// The points by value. Made when a point first may be one of them, because
    /// most series never ask.
    seen: Option<HashSet<(i64, Option<i64>, u64)>>,
}

/// What follows from the rest is not compared.
impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        (&self.shape, &self.points) == (&other.shape, &other.points)
            && self.rows() == other.rows()
            && self.ids() == other.ids()
    }
}

/// What is saved of a series.
#[derive(Deserialize)]
struct Saved {
    #[serde(default)]
    columns: Option<BTreeMap<String, String>>,
    #[serde(default)]
    shown_as: Option<String>,
    points: Points,
    #[serde(default)]
    rows: Vec<Row>,
    #[serde(default)]
    ids: BTreeSet<u64>,
}

impl From<Saved> for Series {
    fn from(it: Saved) -> Self {
        let newest = it.points.0.iter().map(|it| it.at).max();
        let Saved { columns, shown_as, points, rows, ids } = it;
        // The name of its only column is that of the metric.
        let name = columns.as_ref().and_then(|it| it.keys().next()).cloned().unwrap_or_default();
        let shape = Shape::of_saved(&name, columns, shown_as);
        let has_more = !rows.is_empty() || !ids.is_empty();
        let more = has_more.then(|| Box::new(More { rows, ids, seen: None }));
        let mut series = Self { shape, latest: None, newest, points, more };
        series.latest = series.numbers().reduce(later);
        series
    }
}

impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        if let Shape::Table(table) = &self.shape {
            fields.serialize_entry("columns", &table.columns)?;
            fields.serialize_entry("shown_as", &table.shown_as)?;
        }
        fields.serialize_entry("points", &self.points)?;
        if let Some(more) = &self.more {
            fields.serialize_entry("rows", &more.rows)?;
            fields.serialize_entry("ids", &more.ids)?;
        }
        fields.end()
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
        let (name, cells) = (name.into(), Cells::Numbers(Points(points)));
        Self { name, shape: Shape::Scalar, cells, ids: None, keeps_repeats: false }
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
        let points = Points::default();
        Self { shape: batch.shape.clone(), latest: None, newest: None, points, more: None }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What is no plain number.
    pub(crate) fn rows(&self) -> &[Row] {
        self.more.as_ref().map_or(&[], |it| &it.rows)
    }

    fn ids(&self) -> Option<&BTreeSet<u64>> {
        self.more.as_ref().map(|it| &it.ids).filter(|it| !it.is_empty())
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
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
                        self.more().rows.push(row.clone());
                    }
                }
            }
        }
    }

    /// Whether the id of a cell was never met. Keeps it.
    fn is_new(&mut self, batch: &Batch, index: usize) -> bool {
        let id = batch.ids.as_ref().and_then(|it| *it.get(index)?);
        id.is_none_or(|it| self.more().ids.insert(it)) || batch.keeps_repeats
    }

    fn is_unseen(&mut self, point: &Point) -> bool {
        // Most points come after all that are there; only others may repeat one.
        if self.newest.is_none_or(|it| it < point.at) {
            return true;
        }
        let points = &self.points.0;
        let seen = &mut self.more.get_or_insert_default().seen;
        let seen = seen.get_or_insert_with(|| points.iter().map(Point::key).collect());
        !seen.contains(&point.key())
    }

    fn push(&mut self, point: Point) {
        if let Some(seen) = self.more.as_mut().and_then(|it| it.seen.as_mut()) {
            seen.insert(point.key());
        }
        self.newest = self.newest.max(Some(point.at));
        self.latest = self.latest.into_iter().chain([point]).reduce(later);
        self.points.0.push(point);
    }

    /// All values of a series of plain numbers as MLflow sees them: an integer
    /// that is kept whole here is a float there.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = Point> {
        let kept_whole = self.rows().iter().filter_map(|it| self.number_of(it));
        self.points.0.iter().copied().chain(kept_whole)
    }

    fn number_of(&self, row: &Row) -> Option<Point> {
        if !self.shape.is_number() {
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

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(read.points.0.len() + read.rows().len(), 2);
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
