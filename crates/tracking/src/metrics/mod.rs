//! Metrics: numbers, and tables of values, that a run logs.

mod series;
mod value;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Error, Result, string_id};
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::{
    series::{MetricKind, MetricRow, MetricSeries, MetricSummary},
    value::MetricValue,
};
use crate::{ArtifactPath, RunRef};

const LOG: &str = "metrics.log";

string_id! {
    /// Names a series of numbers within a run.
    MetricKey
}

/// One number of a series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The series.
    pub key: MetricKey,
    /// The number. NaN and the infinities are legal.
    pub value: f64,
    /// Its place in the series. 0 when there is none.
    pub step: i64,
    /// When it was logged.
    pub logged_at: OffsetDateTime,
}

impl Metric {
    /// A number at step 0.
    pub fn new(key: impl Into<MetricKey>, value: f64, logged_at: OffsetDateTime) -> Self {
        Self { key: key.into(), value, step: 0, logged_at }
    }

    /// Sets its place in the series.
    #[must_use]
    pub fn with_step(self, step: i64) -> Self {
        Self { step, ..self }
    }
}

/// A number that waits to be sent, with the id that keeps it from being stored
/// twice where the server knows ids, however often it is sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PendingMetric {
    /// The number.
    pub metric: Metric,
    /// Its id, the same each time it is sent.
    pub id: Uuid,
}

impl PendingMetric {
    /// A number that is known by `id`.
    pub fn new(metric: Metric, id: Uuid) -> Self {
        Self { metric, id }
    }
}

/// The metrics of the runs of one server or workspace.
#[async_trait]
pub trait Metrics: fmt::Debug + Send + Sync {
    /// Refuses the name of a series that the server would refuse.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), with the rule.
    fn check_key(&self, key: &MetricKey) -> Result<()> {
        if key.as_str().is_empty() {
            return Err(Error::invalid(LOG, "metric key is empty: give each metric a name"));
        }
        Ok(())
    }

    /// Refuses a series that the server would refuse, or has no counterpart of.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), with what is
    /// wrong and what to do instead.
    fn check_series(&self, series: &MetricSeries) -> Result<()> {
        self.check_key(&series.key)?;
        numbers(LOG, series).map(drop)
    }

    /// Logs numbers, in as few calls as the server's limits allow. They may be
    /// sent again after a failure.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the server
    /// refuses one.
    async fn log(&self, run: &RunRef, metrics: &[PendingMetric]) -> Result<()>;

    /// Lists the series of a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn keys(&self, run: &RunRef) -> Result<Vec<MetricKey>>;

    /// Lists the numbers of one series, in the server's order.
    fn history(&self, run: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>>;

    /// Logs values of any type, in as few calls as the server's limits allow. They
    /// may be sent again after a failure, with the same `id`.
    ///
    /// A server that knows nothing but numbers takes a list as one number a step,
    /// from step 0.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for what
    /// [`check_series`](Self::check_series) or the server refuses.
    async fn log_series(&self, run: &RunRef, series: &MetricSeries, id: Uuid) -> Result<()> {
        let pending = |(metric, row)| PendingMetric::new(metric, row_id(id, row));
        let metrics: Vec<_> = numbers(LOG, series)?.into_iter().zip(0..).map(pending).collect();
        self.log(run, &metrics).await
    }

    /// Reads one series with the types of its values, in the order of its steps,
    /// then of time.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such series.
    async fn series(&self, run: &RunRef, key: &MetricKey) -> Result<MetricSeries> {
        let mut metrics: Vec<Metric> = self.history(run, key).try_collect().await?;
        metrics.sort_by_key(|it| (it.step, it.logged_at));
        let row = |it: Metric| MetricRow {
            cells: BTreeMap::from([(key.to_string(), MetricValue::Double(it.value))]),
            step: Some(it.step),
            logged_at: Some(it.logged_at),
        };
        let rows = metrics.into_iter().map(row).collect();
        Ok(MetricSeries { key: key.clone(), kind: MetricKind::Scalar, rows })
    }

    /// Refuses a picture where metrics cannot be pictures.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) by default.
    fn check_image(&self, key: &MetricKey) -> Result<()> {
        let reason = format!("metric \"{key}\": the server has no pictures; log it as an artifact");
        Err(Error::invalid(LOG, reason))
    }

    /// Logs an artifact of the run as a picture. May be sent again after a failure,
    /// with the same `id`.
    ///
    /// # Errors
    ///
    /// As [`check_image`](Self::check_image).
    async fn log_image(
        &self,
        run: &RunRef,
        key: &MetricKey,
        path: &ArtifactPath,
        logged_at: OffsetDateTime,
        id: Uuid,
    ) -> Result<()> {
        let _ = (run, path, logged_at, id);
        self.check_image(key)
    }

    /// Waits until everything that was logged can be read. At once by default.
    ///
    /// # Errors
    ///
    /// [`Timeout`](azml_core::ErrorKind::Timeout) when it takes too long.
    async fn flush(&self, _: &RunRef) -> Result<()> {
        Ok(())
    }
}

const _: fn(&dyn Metrics) = |_| ();

/// The id of one row of what was logged under `id`.
pub(crate) fn row_id(id: Uuid, row: u128) -> Uuid {
    Uuid::from_u128(id.as_u128().wrapping_add(row))
}

/// The numbers of a series, for a server that has nothing else: a list becomes
/// one number a step. The time of a row without one is left to the caller.
fn numbers(operation: &'static str, series: &MetricSeries) -> Result<Vec<Metric>> {
    let refuse = |what: &str| {
        let reason = format!(
            "metric \"{}\": the server takes numbers only, and {what}; log it as a param, a tag \
             or an artifact",
            series.key
        );
        Err(Error::invalid(operation, reason))
    };
    series.columns()?;
    if !matches!(series.kind, MetricKind::Scalar | MetricKind::List) {
        return refuse("this is a table or a picture");
    }
    let mut metrics = Vec::with_capacity(series.rows.len());
    for (row, index) in series.rows.iter().zip(0..) {
        for value in row.cells.values() {
            let number = match value {
                MetricValue::Integer(it) if it.unsigned_abs() > 1 << 53 => None,
                MetricValue::BigInteger(_) => None,
                other => other.as_f64(),
            };
            let Some(number) = number else {
                return refuse(&format!("{value} is none that it can hold"));
            };
            let logged_at = row.logged_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let metric = Metric::new(series.key.clone(), number, logged_at);
            metrics.push(metric.with_step(row.step.unwrap_or(index)));
        }
    }
    Ok(metrics)
}
