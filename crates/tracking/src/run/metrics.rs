use std::collections::BTreeMap;

use azml_core::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use time::Duration;

use super::Run;
use crate::{ArtifactPath, Metric, MetricBatch, MetricKey, MetricSeries, MetricValue};

/// Series that are read at once.
const AT_ONCE: usize = 8;

impl Run {
    /// Logs a number at step 0.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metric(&self, key: impl Into<MetricKey>, value: f64) -> Result<()> {
        self.log_metric_at(key, value, 0).await
    }

    /// Logs a number at a step.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metric_at(
        &self,
        key: impl Into<MetricKey>,
        value: f64,
        step: i64,
    ) -> Result<()> {
        let metric = Metric::new(key, value, self.backend.clock().now()).with_step(step);
        self.log(&[metric]).await
    }

    /// Logs a number of several series at once, all at one step.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metrics<K: Into<MetricKey>>(
        &self,
        values: impl IntoIterator<Item = (K, f64)>,
        step: i64,
    ) -> Result<()> {
        let now = self.backend.clock().now();
        let metrics: Vec<Metric> = values
            .into_iter()
            .map(|(key, value)| Metric::new(key, value, now).with_step(step))
            .collect();
        self.log(&metrics).await
    }

    /// Logs metrics as they are.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty key.
    pub async fn log(&self, metrics: &[Metric]) -> Result<()> {
        self.backend.metrics().log(&self.reference, metrics).await
    }

    /// Names the series that were logged.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn metric_keys(&self) -> Result<Vec<MetricKey>> {
        self.backend.metrics().keys(&self.reference).await
    }

    /// Reads one series, in the order of its steps, then of time.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such series.
    pub async fn metric(&self, key: impl Into<MetricKey>) -> Result<Vec<Metric>> {
        let history = self.backend.metrics().history(&self.reference, &key.into());
        let mut metrics: Vec<Metric> = history.try_collect().await?;
        // Batches arrive out of order: only what they carry tells the order.
        metrics.sort_by_key(|it| (it.step, it.logged_at));
        Ok(metrics)
    }

    /// Reads all series.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn metrics(&self) -> Result<BTreeMap<MetricKey, Vec<Metric>>> {
        let mut all = BTreeMap::new();
        for key in self.metric_keys().await? {
            let metrics = self.metric(key.clone()).await?;
            all.insert(key, metrics);
        }
        Ok(all)
    }

    /// Logs a value of any type.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty
    /// key, and for what the server has no counterpart of.
    pub async fn log_value(
        &self,
        key: impl Into<MetricKey>,
        value: impl Into<MetricValue>,
    ) -> Result<()> {
        self.log_series([MetricSeries::scalar(key, value)]).await
    }

    /// Logs several values at once as one list.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty
    /// list, and for what the server has no counterpart of.
    pub async fn log_list<V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<()> {
        self.log_series([MetricSeries::list(key, values)]).await
    }

    /// Logs a row of a table: values by column. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a row
    /// without cells, and where there are no tables.
    pub async fn log_row<C: Into<String>, V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        cells: impl IntoIterator<Item = (C, V)>,
    ) -> Result<()> {
        self.log_series([MetricSeries::row(key, cells)]).await
    }

    /// Logs a table by its columns. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// columns are not equally long, and where there are no tables.
    pub async fn log_table<C: Into<String>, V: Into<MetricValue>>(
        &self,
        key: impl Into<MetricKey>,
        columns: impl IntoIterator<Item = (C, Vec<V>)>,
    ) -> Result<()> {
        self.log_series([MetricSeries::table(key, columns)?]).await
    }

    /// Uploads a picture of this machine as the artifact `path` and logs it.
    /// Azure ML only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the file
    /// cannot be read, and where there are no pictures.
    pub async fn log_image(
        &self,
        key: impl Into<MetricKey>,
        path: &str,
        file: impl AsRef<std::path::Path>,
    ) -> Result<()> {
        self.upload_file(path, file).await?;
        let path = ArtifactPath::parse(path)?;
        self.backend.metrics().log_image(&self.reference, &key.into(), &path).await
    }

    /// Logs series as they are. Rows without a time are logged now, one
    /// microsecond after the other, so that their order is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a series
    /// that cannot be logged, before anything is sent.
    pub async fn log_series(&self, series: impl IntoIterator<Item = MetricSeries>) -> Result<()> {
        let mut now = self.backend.clock().now();
        let mut all: Vec<MetricSeries> = series.into_iter().collect();
        for row in all.iter_mut().flat_map(|it| &mut it.rows) {
            if row.logged_at.is_none() {
                row.logged_at = Some(now);
                now += Duration::MICROSECOND;
            }
        }
        self.backend.metrics().log_series(&self.reference, &all).await
    }

    /// Reads one series with the types of its values.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such series.
    pub async fn series(&self, key: impl Into<MetricKey>) -> Result<MetricSeries> {
        self.backend.metrics().series(&self.reference, &key.into()).await
    }

    /// Reads all series with the types of their values.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn all_series(&self) -> Result<BTreeMap<MetricKey, MetricSeries>> {
        let keys = self.metric_keys().await?;
        let read = |key: MetricKey| async move {
            let series = self.series(key.clone()).await?;
            Ok((key, series))
        };
        stream::iter(keys.into_iter().map(read)).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Waits until everything that was logged can be read.
    ///
    /// # Errors
    ///
    /// [`Timeout`](azml_core::ErrorKind::Timeout) when it takes too long.
    pub async fn flush(&self) -> Result<()> {
        self.backend.metrics().flush(&self.reference).await
    }

    /// Collects numbers in memory, to send many with few calls.
    pub fn batch(&self) -> MetricBatch {
        MetricBatch::new(self.clone())
    }
}
