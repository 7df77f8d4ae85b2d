//! Sends one piece of work until the server has it, or has refused it for good.

use azml_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Uploader, collect::unlike, pause::is_ambiguous, verify};
use crate::{
    ArtifactPath, MetricKind, MetricSeries, MetricValue, PendingMetric, RunBatch, RunRef,
    TransferOptions, spool, transfer,
};

const ARTIFACT: &str = "run.log_artifact";

/// Whether it is what was sent that is at fault.
fn is_refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidArgument | ErrorKind::Conflict)
}

impl Uploader {
    pub(super) async fn send_batch(
        &mut self,
        run: &RunRef,
        batch: RunBatch,
        was_sent: bool,
    ) -> Result<()> {
        // Parts of a batch that was refused as a whole, the next one last.
        let mut parts = vec![batch];
        let mut in_doubt = was_sent && !self.limits.deduplicates;
        let mut is_run_there = false;
        while let Some(mut batch) = parts.pop() {
            while !batch.is_empty() {
                if in_doubt {
                    batch.metrics = self.missing(run, batch.metrics).await?;
                    in_doubt = false;
                    continue;
                }
                let Err(err) = self.backend.log_batch(run, &batch).await else { break };
                if is_refused(err.kind()) {
                    if !is_run_there {
                        self.ensure_taken(run, err).await?;
                        is_run_there = true;
                    } else if batch.len() > 1 {
                        let (one, other) = batch.split();
                        parts.push(other);
                        batch = one;
                    } else {
                        self.refused(run, &batch, &err).await?;
                        break;
                    }
                } else {
                    in_doubt = is_ambiguous(err.kind()) && !self.limits.deduplicates;
                    self.wait_after(err).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits while the run itself is what the server refuses: then no record is at fault.
    async fn ensure_taken(&mut self, run: &RunRef, refused: Error) -> Result<()> {
        let mut refused = Some(refused);
        loop {
            match self.backend.runs().get(&run.id).await {
                Ok(info) if !info.is_deleted => return Ok(()),
                Ok(_) => {
                    let reason = format!("run {} was deleted; restore it to go on", run.id);
                    let kind = ErrorKind::PreconditionFailed;
                    let err = Error::explained(super::NAME, kind, reason);
                    let err = match refused.take() {
                        Some(refused) => err.with_source(refused),
                        None => err,
                    };
                    self.wait_after(err).await?;
                }
                Err(err) => self.wait_after(err).await?,
            }
        }
    }

    /// Those of `sent` that the server does not have, as soon as it tells.
    async fn missing(
        &mut self,
        run: &RunRef,
        sent: Vec<PendingMetric>,
    ) -> Result<Vec<PendingMetric>> {
        if sent.is_empty() {
            return Ok(sent);
        }
        self.pause.sleep(self.limits.settles_within).await;
        loop {
            match verify::missing(&*self.backend, run, &sent).await {
                Ok(missing) => return Ok(missing),
                Err(err) => self.wait_after(err).await?,
            }
        }
    }

    /// One record that the server does not take.
    async fn refused(&mut self, run: &RunRef, batch: &RunBatch, err: &Error) -> Result<()> {
        if !batch.params.is_empty() {
            let stored = loop {
                match self.backend.runs().get(&run.id).await {
                    Ok(info) => break info.params,
                    Err(err) => self.wait_after(err).await?,
                }
            };
            if unlike(&batch.params, &stored).is_empty() {
                return Ok(());
            }
        }
        for PendingMetric { metric, .. } in &batch.metrics {
            let record = json!({
                "metric": metric.key.as_str(), "value": metric.value.to_string(),
                "step": metric.step, "timestamp": spool::millis(metric.logged_at),
            });
            self.reject(record, err);
        }
        for (key, value) in &batch.params {
            self.reject(json!({ "param": key, "value": value }), err);
        }
        for (key, value) in &batch.tags {
            self.reject(json!({ "tag": key, "value": value }), err);
        }
        Ok(())
    }

    /// Keeps what the server has refused for good beside the run, and says so.
    fn reject(&mut self, mut record: Value, err: &Error) {
        record["reason"] = err.to_string().into();
        self.state.rejected += 1;
        if let Err(err) = spool::reject(&self.folder, &record) {
            tracing::error!(error = %err, "cannot keep a refused record");
        }
        let file = spool::rejected_path(&self.folder);
        tracing::error!(record = %record, file = %file.display(), "the server refused a record");
    }

    pub(super) async fn send_series(
        &mut self,
        run: &RunRef,
        series: &MetricSeries,
        id: Uuid,
        was_sent: bool,
    ) -> Result<()> {
        let mut in_doubt = was_sent && !self.limits.deduplicates;
        loop {
            if in_doubt {
                self.pause.sleep(self.limits.settles_within).await;
                match verify::has_series(&*self.backend, run, series).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => (),
                    Err(err) => {
                        self.wait_after(err).await?;
                        continue;
                    }
                }
            }
            let Err(err) = self.log_series(run, series, id).await else { return Ok(()) };
            if is_refused(err.kind()) {
                let values: Vec<_> = series.rows.iter().flat_map(|it| it.cells.values()).collect();
                let values: Vec<_> = values.iter().map(ToString::to_string).collect();
                self.reject(json!({ "series": series.key.as_str(), "values": values }), &err);
                return Ok(());
            }
            in_doubt = is_ambiguous(err.kind()) && !self.limits.deduplicates;
            self.wait_after(err).await?;
        }
    }

    async fn log_series(&self, run: &RunRef, series: &MetricSeries, id: Uuid) -> Result<()> {
        let metrics = self.backend.metrics();
        if series.kind != MetricKind::Image {
            return metrics.log_series(run, series, id).await;
        }
        // A picture is spooled by the path of its artifact.
        let row = series.rows.first();
        let path = row.and_then(|it| it.cells.values().next()).and_then(MetricValue::as_str);
        let path = ArtifactPath::parse(path.unwrap_or_default())?;
        let logged_at = row.and_then(|it| it.logged_at).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        metrics.log_image(run, &series.key, &path, logged_at, id).await
    }

    pub(super) async fn send_artifact(
        &mut self,
        run: &RunRef,
        path: &ArtifactPath,
        file: &str,
    ) -> Result<()> {
        loop {
            let sent = self.upload(run, path, file).await;
            let Err(err) = sent else { break };
            if is_refused(err.kind()) {
                self.reject(json!({ "artifact": path.as_str(), "file": file }), &err);
                return Ok(());
            }
            self.wait_after(err).await?;
        }
        spool::remove_copy(&self.folder, file);
        Ok(())
    }

    async fn upload(&self, run: &RunRef, path: &ArtifactPath, file: &str) -> Result<()> {
        let files = transfer::files(ARTIFACT, vec![(path.to_string(), file.into())]).await?;
        let options = TransferOptions::default();
        // A file that is sent twice is the same file.
        self.patient.artifacts().upload_all(run, files, &options).await
    }
}
