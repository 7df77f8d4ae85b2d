use std::collections::BTreeMap;

use azml_core::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::RemoteRun;
use crate::{Metric, MetricKey, MetricSeries};

/// Series that are read at once.
const AT_ONCE: usize = 8;

impl RemoteRun {
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

    /// Waits until everything that the server was told can be read.
    ///
    /// # Errors
    ///
    /// [`Timeout`](azml_core::ErrorKind::Timeout) when it takes too long.
    pub async fn flush(&self) -> Result<()> {
        self.backend.metrics().flush(&self.reference).await
    }
}
