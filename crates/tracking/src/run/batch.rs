use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use azml_core::{Error, Result};

use super::Run;
use crate::{Metric, MetricKey, PendingMetric};

const NAME: &str = "metrics.batch";
/// How many values a batch holds if nobody says.
const MOST: usize = 10_000;

/// Numbers of a run that wait in memory to be sent together.
///
/// [`log`](Self::log) neither waits nor sends; [`flush`](Self::flush) sends. While
/// values wait, [`Run::finish`] refuses to end the run. If they are dropped, it
/// says so once, and so does an event of `tracing`.
///
/// ```no_run
/// # async fn demo(run: azml_tracking::Run) -> azml_core::Result<()> {
/// let mut batch = run.batch();
/// for step in 0..100 {
///     batch.log("loss", 1.0 / f64::from(step + 1), step.into())?;
/// }
/// batch.flush().await?;
/// run.finish().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a batch that is not flushed loses its values"]
pub struct MetricBatch {
    run: Run,
    pending: Vec<PendingMetric>,
    most: usize,
}

/// What is left to send of a run, and what was lost, in numbers.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    waiting: AtomicUsize,
    lost: AtomicUsize,
}

impl Unsent {
    /// Refuses while values wait, and once after some were lost.
    pub(super) fn check(&self) -> Result<()> {
        let waiting = self.waiting.load(Relaxed);
        if waiting > 0 {
            let reason = format!("{waiting} values wait in a batch: flush it before the run ends");
            return Err(Error::invalid(NAME, reason));
        }
        match self.lost.swap(0, Relaxed) {
            0 => Ok(()),
            lost => {
                let reason = format!(
                    "{lost} values were in a batch that was dropped without a flush, and are lost; \
                     end the run again to end it without them"
                );
                Err(Error::invalid(NAME, reason))
            }
        }
    }
}

impl MetricBatch {
    pub(super) fn new(run: Run) -> Self {
        Self { run, pending: Vec::new(), most: MOST }
    }

    /// Sets how many values may wait, at least 1.
    pub fn with_most(self, most: usize) -> Self {
        let mut this = self;
        this.most = most.max(1);
        this
    }

    /// Adds a number.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty
    /// key, and when the batch is full: the value is not in it then.
    pub fn log(&mut self, key: impl Into<MetricKey>, value: f64, step: i64) -> Result<()> {
        let key = key.into();
        if key.as_str().is_empty() {
            return Err(Error::invalid(NAME, "metric key is empty: give each metric a name"));
        }
        if self.pending.len() >= self.most {
            let reason = format!("the batch holds {} values: flush it to log more", self.most);
            return Err(Error::invalid(NAME, reason));
        }
        let now = self.run.backend.clock().now();
        let metric = Metric::new(key, value, now).with_step(step);
        self.pending.push(PendingMetric::new(metric));
        self.unsent().waiting.fetch_add(1, Relaxed);
        Ok(())
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether no value waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Sends all values. After a failure, or if it is not awaited to the end, the
    /// values that nobody acknowledged are still there. Flush again to send them:
    /// what did arrive is not stored twice.
    ///
    /// # Errors
    ///
    /// As [`Run::log`].
    pub async fn flush(&mut self) -> Result<()> {
        while !self.pending.is_empty() {
            let sent = self.run.backend.metrics().log_next(&self.run.reference, &self.pending);
            let sent = sent.await?.clamp(1, self.pending.len());
            self.pending.drain(..sent);
            self.unsent().waiting.fetch_sub(sent, Relaxed);
        }
        Ok(())
    }

    fn unsent(&self) -> &Arc<Unsent> {
        &self.run.unsent
    }
}

impl Drop for MetricBatch {
    fn drop(&mut self) {
        let lost = self.pending.len();
        if lost > 0 {
            self.unsent().waiting.fetch_sub(lost, Relaxed);
            self.unsent().lost.fetch_add(lost, Relaxed);
            tracing::error!(run = %self.run.id(), lost, "a batch of metrics was dropped unsent");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use azml_core::ErrorKind;
    use serde_json::Value;

    use super::*;
    use crate::{AzureMlTracking, RunId, RunRef, testing, testing::Script};

    fn run(script: &Arc<Script>) -> Run {
        let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
        Run::new(Arc::new(backend), RunRef::new(testing::experiment("e"), RunId::new("r")))
    }

    #[tokio::test]
    async fn a_run_does_not_end_while_values_wait() {
        let script = Script::default().then("metric/batch").then("history/events-post");
        let script = Arc::new(script);
        let run = run(&script);
        let mut batch = run.batch();
        for step in 0..100 {
            batch.log("loss", 0.5, step).unwrap();
        }
        let err = run.clone().finish().await.unwrap_err();
        insta::assert_snapshot!(err, @"metrics.batch failed: 100 values wait in a batch: flush it before the run ends");
        batch.flush().await.unwrap();
        assert!(batch.is_empty());
        run.finish().await.unwrap();
        assert_eq!(script.asked(), ["POST batch", "POST events"]);
    }

    /// The id of each value, by step, in each of the requests.
    fn ids(script: &Script) -> Vec<BTreeMap<i64, String>> {
        let rows = |body: &Value| -> Vec<Value> {
            let entries = body["values"].as_array().unwrap().iter();
            entries.flat_map(|it| it["value"].as_array().unwrap()).cloned().collect()
        };
        let id = |it: Value| (it["step"].as_i64().unwrap(), it["metricId"].to_string());
        script.bodies().iter().map(|it| rows(it).into_iter().map(id).collect()).collect()
    }

    #[tokio::test]
    async fn a_repeated_flush_sends_what_is_missing_under_the_same_ids() {
        let lost = http::Response::builder().status(400).body(bytes::Bytes::new()).unwrap();
        let script = Script::default().then("metric/batch").then_response(lost);
        let script = Arc::new(script.then("metric/batch"));
        let run = run(&script);
        let mut batch = run.batch().with_most(20_000);
        for step in 0..12_000 {
            batch.log("loss", 0.5, step).unwrap();
        }
        batch.flush().await.unwrap_err();
        assert_eq!(batch.len(), 750);
        assert!(run.clone().finish().await.unwrap_err().to_string().contains("750 values wait"));
        batch.flush().await.unwrap();
        assert!(batch.is_empty());
        let sent = ids(&script);
        assert_eq!((sent[0].len(), sent[1].len(), sent.len()), (11_250, 750, 3));
        assert_eq!(sent[1], sent[2]);
        let all: BTreeSet<&String> = sent[..2].iter().flat_map(BTreeMap::values).collect();
        assert_eq!(all.len(), 12_000);
    }

    #[tokio::test]
    async fn dropped_values_are_missed_once() {
        let script = Arc::new(Script::default().then("history/events-post"));
        let run = run(&script);
        let mut batch = run.batch();
        batch.log("loss", 0.5, 0).unwrap();
        drop(batch);
        let err = run.finish().await.unwrap_err();
        insta::assert_snapshot!(err, @"metrics.batch failed: 1 values were in a batch that was dropped without a flush, and are lost; end the run again to end it without them");
        run.finish().await.unwrap();
    }

    #[tokio::test]
    async fn a_full_batch_takes_no_more_and_a_failed_flush_keeps_all() {
        let script = Arc::new(Script::default());
        let run = run(&script);
        let mut batch = run.batch().with_most(2);
        batch.log("a", 1.0, 0).unwrap();
        batch.log("a", 2.0, 1).unwrap();
        assert_eq!(batch.log("a", 3.0, 2).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert!(batch.log("", 3.0, 2).is_err());
        tokio::time::pause();
        batch.flush().await.unwrap_err();
        assert_eq!(batch.len(), 2);
    }
}
