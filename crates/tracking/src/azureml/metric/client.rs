use std::collections::HashMap;

use async_trait::async_trait;
use azml_core::{Page, PageToken, Poller, Progress, Result, WaitOptions, stream_pages};
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    ops,
    wire::{self, Entry, Row},
};
use crate::{
    ArtifactPath, AzureMlTracking, Metric, MetricKey, MetricKind, MetricSeries, Metrics,
    PendingMetric, RunRef, metrics::row_id,
};

/// Rows of one key in one entry of a batch.
const MOST_ROWS: usize = 250;
/// Entries in one batch, as the official client sends them in a burst.
const MOST_ENTRIES: usize = 45;
const SCALAR: &str = "azureml.v1.scalar";

#[async_trait]
impl Metrics for AzureMlTracking {
    fn check_series(&self, series: &MetricSeries) -> Result<()> {
        series.columns().map(drop)
    }

    async fn log(&self, run: &RunRef, metrics: &[PendingMetric]) -> Result<()> {
        let series = by_key(metrics.iter().map(|it| (&it.metric.key, it.into())));
        self.send(run, &scalars(&series)).await
    }

    async fn log_series(&self, run: &RunRef, series: &MetricSeries, id: Uuid) -> Result<()> {
        let columns = series.columns()?;
        let rows: Vec<_> =
            series.rows.iter().zip(0..).map(|(row, at)| Row::new(row, row_id(id, at))).collect();
        let entry = |rows| Entry {
            name: series.key.as_str(),
            shown_as: wire::word(&series.kind),
            columns: columns.iter().map(|(name, word)| (*name, *word)).collect(),
            rows,
        };
        let entries: Vec<_> = rows.chunks(MOST_ROWS).map(entry).collect();
        self.send(run, &entries).await
    }

    async fn series(&self, run: &RunRef, key: &MetricKey) -> Result<MetricSeries> {
        let mut all = MetricSeries { key: key.clone(), kind: MetricKind::Scalar, rows: Vec::new() };
        let mut token = None;
        loop {
            let (workspace, run) = (&*self.workspace, &run.id);
            let full = ops::Full { workspace, run, key, token: token.as_ref() };
            let (page, next) = self.endpoint.call(&full).await?.into_typed(key);
            all.kind = page.kind;
            all.rows.extend(page.rows);
            token = next;
            if token.is_none() {
                break;
            }
        }
        // Batches arrive out of order: only what they carry tells the order.
        all.rows.sort_by_key(|it| (it.step, it.logged_at));
        Ok(all)
    }

    fn check_image(&self, _: &MetricKey) -> Result<()> {
        Ok(())
    }

    async fn log_image(
        &self,
        run: &RunRef,
        key: &MetricKey,
        path: &ArtifactPath,
        logged_at: OffsetDateTime,
        id: Uuid,
    ) -> Result<()> {
        let container = self.container(run).await?;
        let address = format!("aml://artifactId/ExperimentRun/{container}/{path}");
        let mut series = MetricSeries::image(key.clone(), address);
        series.rows.iter_mut().for_each(|it| it.logged_at = Some(logged_at));
        self.log_series(run, &series, id).await
    }

    async fn flush(&self, run: &RunRef) -> Result<()> {
        let (pause, patience) = (std::time::Duration::from_secs(5), 120);
        let patience = std::time::Duration::from_secs(patience);
        let options = WaitOptions::default().with_poll_interval(pause).with_timeout(patience);
        let (this, run) = (self.clone(), run.clone());
        let clock = self.endpoint.clock().clone();
        let poller = Poller::new("history.metrics_ingest.wait", options, clock, move || {
            let (this, run) = (this.clone(), run.clone());
            async move {
                let is_there = this.are_metrics_there(&run).await?;
                let pending = "metrics on the way";
                Ok(if is_there { Progress::Done(()) } else { Progress::Pending(pending) })
            }
        });
        poller.until_done().await
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
                let full = ops::Full { workspace, run: &run, key: &key, token };
                this.endpoint.call(&full).await.map(Page::from)
            }
        })
    }
}

impl AzureMlTracking {
    async fn send(&self, run: &RunRef, entries: &[Entry<'_>]) -> Result<()> {
        for entries in entries.chunks(MOST_ENTRIES) {
            let (workspace, run) = (&*self.workspace, &run.id);
            self.endpoint.call(&ops::Batch { workspace, run, entries }).await?;
        }
        Ok(())
    }
}

/// The rows of each key together, in the order in which the keys come first.
fn by_key<'a>(rows: impl Iterator<Item = (&'a MetricKey, Row)>) -> Vec<(&'a MetricKey, Vec<Row>)> {
    let mut series: Vec<(&MetricKey, Vec<Row>)> = Vec::new();
    let mut places = HashMap::new();
    for (key, row) in rows {
        let place = *places.entry(key).or_insert_with(|| {
            series.push((key, Vec::new()));
            series.len() - 1
        });
        series[place].1.push(row);
    }
    series
}

/// The entries of a batch of numbers.
fn scalars<'a>(series: &'a [(&MetricKey, Vec<Row>)]) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    for (key, rows) in series {
        let entry = |rows| Entry {
            name: key.as_str(),
            shown_as: SCALAR,
            columns: vec![(key.as_str(), "double")],
            rows,
        };
        entries.extend(rows.chunks(MOST_ROWS).map(entry));
    }
    entries
}
