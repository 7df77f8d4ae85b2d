use async_trait::async_trait;
use azml_core::{PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;
use uuid::Uuid;

use super::{ops, wire::Point};
use crate::{AzureMlTracking, Metric, MetricKey, Metrics, RunRef, metrics::check_keys};

/// Points of one key in one entry of a batch.
const MOST_POINTS: usize = 250;
/// Entries in one batch, as the official client sends them in a burst.
const MOST_ENTRIES: usize = 45;

#[async_trait]
impl Metrics for AzureMlTracking {
    async fn log(&self, run: &RunRef, metrics: &[Metric]) -> Result<()> {
        check_keys("metric.batch", metrics)?;
        let points = by_key(metrics);
        let entries: Vec<&[Point]> = points.iter().flat_map(|it| it.chunks(MOST_POINTS)).collect();
        for series in entries.chunks(MOST_ENTRIES) {
            let (workspace, run) = (&*self.workspace, &run.id);
            self.endpoint.call(&ops::Batch { workspace, run, series }).await?;
        }
        Ok(())
    }

    async fn keys(&self, run: &RunRef) -> Result<Vec<MetricKey>> {
        let (this, run) = (self.clone(), run.id.clone());
        let pages = stream_pages(move |token: Option<PageToken>| {
            let (this, run) = (this.clone(), run.clone());
            async move {
                let (workspace, token) = (&*this.workspace, token.as_ref());
                this.endpoint.call(&ops::List { workspace, run: &run, token }).await
            }
        });
        pages.try_collect().await
    }

    fn history(&self, run: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>> {
        let (this, run, key) = (self.clone(), run.id.clone(), key.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (this, run, key) = (this.clone(), run.clone(), key.clone());
            async move {
                let (workspace, token) = (&*this.workspace, token.as_ref());
                this.endpoint.call(&ops::Full { workspace, run: &run, key: &key, token }).await
            }
        })
    }
}

/// The points of each key together, in the order in which the keys come first.
fn by_key(metrics: &[Metric]) -> Vec<Vec<Point>> {
    let mut series: Vec<Vec<Point>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for metric in metrics {
        let place = *places.entry(&metric.key).or_insert_with(|| {
            series.push(Vec::new());
            series.len() - 1
        });
        series[place].push(Point { id: Uuid::new_v4().to_string(), metric: metric.clone() });
    }
    series
}
