use std::collections::{BTreeMap, BTreeSet};

use azml_core::{Error, Result};
use time::OffsetDateTime;

use crate::{MetricKey, MetricValue};

const NAME: &str = "metrics.log";

/// How the values of a series belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// One value at a time.
    Scalar,
    /// Several values at once.
    List,
    /// Rows with named columns.
    Table,
    /// Pictures, which are artifacts.
    Image,
    /// A kind that this version of the crate does not know, in the service's own word.
    Other(String),
}

/// The values of one series, with their types: what is logged at once, or all
/// that was logged.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricSeries {
    /// The series.
    pub key: MetricKey,
    /// How its values belong together.
    pub kind: MetricKind,
    /// The rows, each of which has one value for each column. What is no table
    /// has one column, named like the series.
    pub rows: Vec<MetricRow>,
}

/// Values that belong to one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricRow {
    /// The values by column.
    pub cells: BTreeMap<String, MetricValue>,
    /// Its place in the series, if it has one.
    pub step: Option<i64>,
    /// When it was logged. `None` for what is yet to be logged: then it is now.
    pub logged_at: Option<OffsetDateTime>,
}

/// A series in the shape in which it was logged.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricSummary {
    /// One value.
    Value(MetricValue),
    /// Several values, in order.
    List(Vec<MetricValue>),
    /// A table of one row: the values by column.
    Row(BTreeMap<String, MetricValue>),
    /// A table of several rows, or of none: the columns.
    Table(BTreeMap<String, Vec<MetricValue>>),
}

impl MetricSeries {
    fn of_one_column(
        key: impl Into<MetricKey>,
        kind: MetricKind,
        values: impl IntoIterator<Item = MetricValue>,
    ) -> Self {
        let key = key.into();
        let row = |it| MetricRow::new([(key.as_str().to_owned(), it)]);
        let rows = values.into_iter().map(row).collect();
        Self { key, kind, rows }
    }

    /// One value.
    pub fn scalar(key: impl Into<MetricKey>, value: impl Into<MetricValue>) -> Self {
        Self::of_one_column(key, MetricKind::Scalar, [value.into()])
    }

    /// Several values at once.
    pub fn list<V: Into<MetricValue>>(
        key: impl Into<MetricKey>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::of_one_column(key, MetricKind::List, values.into_iter().map(Into::into))
    }

    /// One row of a table.
    pub fn row<C: Into<String>, V: Into<MetricValue>>(
        key: impl Into<MetricKey>,
        cells: impl IntoIterator<Item = (C, V)>,
    ) -> Self {
        let cells = cells.into_iter().map(|(column, value)| (column.into(), value.into()));
        Self { key: key.into(), kind: MetricKind::Table, rows: vec![MetricRow::new(cells)] }
    }

    /// A table by its columns.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// columns are not equally long.
    pub fn table<C: Into<String>, V: Into<MetricValue>>(
        key: impl Into<MetricKey>,
        columns: impl IntoIterator<Item = (C, Vec<V>)>,
    ) -> Result<Self> {
        let key = key.into();
        let mut rows: Vec<MetricRow> = Vec::new();
        let mut height = None;
        for (column, values) in columns {
            let column = column.into();
            let expected = *height.get_or_insert(values.len());
            if values.len() != expected {
                let reason = format!(
                    "metric \"{key}\": column \"{column}\" has {} values and others have \
                     {expected}; give each column as many",
                    values.len()
                );
                return Err(Error::invalid(NAME, reason));
            }
            rows.resize_with(expected, || MetricRow::new([]));
            for (row, value) in rows.iter_mut().zip(values) {
                row.cells.insert(column.clone(), value.into());
            }
        }
        Ok(Self { key, kind: MetricKind::Table, rows })
    }

    /// A picture, by the address of its artifact.
    pub(crate) fn image(key: impl Into<MetricKey>, address: String) -> Self {
        Self::of_one_column(key, MetricKind::Image, [MetricValue::Artifact(address)])
    }

    /// Sets the place of all rows in the series.
    #[must_use]
    pub fn with_step(mut self, step: i64) -> Self {
        self.rows.iter_mut().for_each(|it| it.step = Some(step));
        self
    }

    /// The values of the column that is named like the series, or of the only
    /// column. A table has none.
    pub fn values<'a>(&'a self) -> Vec<&'a MetricValue> {
        let value = |MetricRow { cells, .. }: &'a MetricRow| {
            let named = cells.get(self.key.as_str());
            named.or_else(|| cells.values().next().filter(|_| cells.len() == 1))
        };
        self.rows.iter().filter_map(value).collect()
    }

    /// The values of one column.
    pub fn column(&self, name: &str) -> Vec<&MetricValue> {
        self.rows.iter().filter_map(|it| it.cells.get(name)).collect()
    }

    /// The series in the shape in which it was logged: one value, several, or a
    /// table.
    pub fn summary(&self) -> MetricSummary {
        if self.kind == MetricKind::Table {
            return match &self.rows[..] {
                [row] => MetricSummary::Row(row.cells.clone()),
                rows => {
                    let names: BTreeSet<&String> =
                        rows.iter().flat_map(|it| it.cells.keys()).collect();
                    let column = |name: &String| {
                        (name.clone(), self.column(name).into_iter().cloned().collect())
                    };
                    MetricSummary::Table(names.into_iter().map(column).collect())
                }
            };
        }
        match &self.values()[..] {
            [value] => MetricSummary::Value((*value).clone()),
            values => MetricSummary::List(values.iter().map(|it| (*it).clone()).collect()),
        }
    }

    /// Checks that the series can be logged, and tells the type of each column.
    pub(crate) fn columns(&self) -> Result<BTreeMap<&str, &'static str>> {
        let refuse = |reason: String| Err(Error::invalid(NAME, reason));
        let key = &self.key;
        if key.as_str().is_empty() {
            return refuse("metric key is empty: give each metric a name".to_owned());
        }
        let Some(first) = self.rows.first() else {
            return refuse(format!("metric \"{key}\" has no values; log at least one"));
        };
        if first.cells.is_empty() || first.cells.keys().any(String::is_empty) {
            return refuse(format!("metric \"{key}\": give each row a value and it a column name"));
        }
        let mut columns: BTreeMap<&str, &'static str> = BTreeMap::new();
        for row in &self.rows {
            if !row.cells.keys().eq(first.cells.keys()) {
                return refuse(format!("metric \"{key}\": give each row the same columns"));
            }
            for (column, value) in &row.cells {
                let known = columns.entry(column).or_insert("none");
                *known = match (*known, value.type_word()) {
                    ("none", word) | (word, "none") => word,
                    (one, other) if one == other => one,
                    ("int", "double") | ("double", "int") => "double",
                    (one, other) => {
                        return refuse(format!(
                            "metric \"{key}\": column \"{column}\" mixes {one} and {other}; \
                             log values of one type"
                        ));
                    }
                };
            }
        }
        Ok(columns)
    }
}

impl MetricRow {
    pub(crate) fn new(cells: impl IntoIterator<Item = (String, MetricValue)>) -> Self {
        Self { cells: cells.into_iter().collect(), step: None, logged_at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64) -> MetricValue {
        MetricValue::Integer(value)
    }

    #[test]
    fn a_series_has_the_shape_in_which_it_was_logged() {
        assert_eq!(MetricSeries::scalar("a", 1).summary(), MetricSummary::Value(int(1)));
        let list = MetricSeries::list("a", [1, 2]);
        assert_eq!(list.summary(), MetricSummary::List(vec![int(1), int(2)]));
        let row = MetricSeries::row("a", [("x", 1)]);
        assert_eq!(row.summary(), MetricSummary::Row([("x".to_owned(), int(1))].into()));
        let table = MetricSeries::table("a", [("x", vec![1, 2]), ("y", vec![3, 4])]).unwrap();
        let columns = [("x", vec![int(1), int(2)]), ("y", vec![int(3), int(4)])];
        let columns = columns.map(|(name, values)| (name.to_owned(), values)).into();
        assert_eq!(table.summary(), MetricSummary::Table(columns));
    }

    #[test]
    fn what_cannot_be_logged_is_refused_by_name() {
        let uneven = MetricSeries::table("t", [("x", vec![1, 2]), ("y", vec![3])]).unwrap_err();
        insta::assert_snapshot!(uneven, @r#"metrics.log failed: metric "t": column "y" has 1 values and others have 2; give each column as many"#);
        let mixed = [MetricValue::from(1), MetricValue::from("a")];
        let mixed = MetricSeries::list("m", mixed).columns().unwrap_err();
        insta::assert_snapshot!(mixed, @r#"metrics.log failed: metric "m": column "m" mixes int and string; log values of one type"#);
        assert!(MetricSeries::list("e", [0; 0]).columns().is_err());
        assert!(MetricSeries::scalar("", 1).columns().is_err());
    }

    #[test]
    fn whole_numbers_among_others_are_numbers() {
        let series = MetricSeries::list("a", [MetricValue::from(1), MetricValue::from(0.5)]);
        assert_eq!(series.columns().unwrap(), BTreeMap::from([("a", "double")]));
    }
}
