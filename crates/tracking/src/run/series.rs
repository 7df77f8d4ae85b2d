use std::path::Path;

use azml_core::Result;
use time::{Duration, OffsetDateTime};

use super::Run;
use crate::{
    ArtifactPath, MetricKey, MetricSeries, MetricValue,
    spool::{self, Record},
};

/// Values that are more than numbers. None of this waits for a network.
impl Run {
    /// Logs a value of any type.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty
    /// key, and for what the server has no counterpart of.
    pub fn log_value(
        &self,
        key: impl Into<MetricKey>,
        value: impl Into<MetricValue>,
    ) -> Result<()> {
        self.log_series(MetricSeries::scalar(key, value))
    }

    /// Logs several values at once as one list.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty
    /// list, and for what the server has no counterpart of.
    pub fn log_list<V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<()> {
        self.log_series(MetricSeries::list(key, values))
    }

    /// Logs a row of a table: values by column. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a row
    /// without cells, and where there are no tables.
    pub fn log_row<C: Into<String>, V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        cells: impl IntoIterator<Item = (C, V)>,
    ) -> Result<()> {
        self.log_series(MetricSeries::row(key, cells))
    }

    /// Logs a table by its columns. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// columns are not equally long, and where there are no tables.
    pub fn log_table<C: Into<String>, V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        columns: impl IntoIterator<Item = (C, Vec<V>)>,
    ) -> Result<()> {
        self.log_series(MetricSeries::table(key, columns)?)
    }

    /// Logs a picture of this machine, which becomes the artifact `path`. Azure ML
    /// only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the file
    /// cannot be read, and where there are no pictures.
    pub fn log_image(
        &self,
        key: impl Into<MetricKey>,
        path: &str,
        file: impl AsRef<Path>,
    ) -> Result<()> {
        let (key, path) = (key.into(), ArtifactPath::parse(path)?);
        let metrics = self.0.tracking.backend().metrics();
        metrics.check_key(&key).and_then(|()| metrics.check_image(&key))?;
        self.log_artifact(path.as_str(), file)?;
        self.spool(MetricSeries::image(key, path.to_string()))
    }

    /// Logs a series as it is. Rows without a time are logged now, one microsecond
    /// after the other, so that their order is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a series
    /// that cannot be logged.
    pub fn log_series(&self, series: MetricSeries) -> Result<()> {
        self.0.tracking.backend().metrics().check_series(&series)?;
        self.spool(series)
    }

    fn spool(&self, mut series: MetricSeries) -> Result<()> {
        let mut now: OffsetDateTime = self.0.tracking.backend().clock().now();
        for row in &mut series.rows {
            if row.logged_at.is_none() {
                row.logged_at = Some(now);
                now += Duration::MICROSECOND;
            }
        }
        self.record(&Record::Series(spool::series_to_json(&series).into()))
    }
}
