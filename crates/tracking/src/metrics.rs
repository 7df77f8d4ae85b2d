//! Metrics: numbers that a run logs.

use std::fmt;

use async_trait::async_trait;
use azml_core::{Error, Result, string_id};
use futures_core::stream::BoxStream;
use time::OffsetDateTime;

use crate::RunRef;

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

/// The metrics of the runs of one server or workspace.
#[async_trait]
pub trait Metrics: fmt::Debug + Send + Sync {
    /// Logs numbers, in as few calls as the server's limits allow.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for an empty key.
    async fn log(&self, run: &RunRef, metrics: &[Metric]) -> Result<()>;

    /// Lists the series of a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn keys(&self, run: &RunRef) -> Result<Vec<MetricKey>>;

    /// Lists the numbers of one series, in the server's order.
    fn history(&self, run: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>>;
}

const _: fn(&dyn Metrics) = |_| ();

/// Refuses series without a name.
pub(crate) fn check_keys(operation: &'static str, metrics: &[Metric]) -> Result<()> {
    if metrics.iter().any(|it| it.key.as_str().is_empty()) {
        return Err(Error::invalid(operation, "metric key is empty: give each metric a name"));
    }
    Ok(())
}
