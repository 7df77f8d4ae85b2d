use std::{collections::BTreeMap, future::ready};

use async_trait::async_trait;
use azml_core::{Error, PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{filter::filter, keys, ops, wire};
use crate::{
    ExperimentId, ExperimentInfo, Metric, MetricKey, Metrics, MlflowTracking, NewRun,
    PendingMetric, RunEnd, RunId, RunInfo, RunQuery, RunRef, Runs, TrackingBackend,
};

/// Params or tags in one batch.
const MOST_PAIRS: usize = 100;
const PROPERTIES: &str = "MLflow has no properties; use tags";

#[async_trait]
impl Runs for MlflowTracking {
    async fn start(&self, experiment: &ExperimentInfo, run: &NewRun) -> Result<RunInfo> {
        if !run.properties.is_empty() {
            return Err(Error::invalid("mlflow.runs.create", PROPERTIES));
        }
        let mut tags = wire::pairs(&run.tags);
        if let Some(parent) = &run.parent_id {
            tags.push(wire::Pair { key: wire::PARENT, value: parent.as_str() });
        }
        let local_id = run.local_id.map(|it| it.to_string());
        if let Some(value) = &local_id {
            tags.push(wire::Pair { key: wire::LOCAL_ID, value });
        }
        let started_at = run.started_at.unwrap_or_else(|| self.endpoint.clock().now());
        let create = ops::CreateRun {
            experiment_id: experiment.id.as_str(),
            run_name: run.name.as_deref(),
            start_time: wire::millis(started_at),
            tags,
        };
        self.endpoint.call(&create).await
    }

    async fn find_started(
        &self,
        experiment: &ExperimentInfo,
        local_id: Uuid,
    ) -> Result<Option<RunInfo>> {
        let query = RunQuery::new().with_tag(wire::LOCAL_ID, local_id.to_string());
        self.search(&experiment.id, filter(&query)?, Some(1)).try_next().await
    }

    async fn get(&self, id: &RunId) -> Result<RunInfo> {
        self.endpoint.call(&ops::GetRun(id)).await
    }

    fn list(
        &self,
        experiment: &ExperimentInfo,
        query: &RunQuery,
    ) -> BoxStream<'static, Result<RunInfo>> {
        let runs = match filter(query) {
            Ok(filter) => self.search(&experiment.id, filter, query.page_size),
            Err(err) => return stream::iter([Err(err)]).boxed(),
        };
        if query.has_children {
            return runs;
        }
        // The language of filters cannot say that a tag is missing; older servers refuse IS NULL.
        runs.try_filter(|it| ready(it.parent_id.is_none())).boxed()
    }

    fn children(&self, run: &RunRef) -> BoxStream<'static, Result<RunInfo>> {
        let query = RunQuery::new().with_tag(wire::PARENT, run.id.as_str());
        match filter(&query) {
            Ok(filter) => self.search(&run.experiment.id, filter, None),
            Err(err) => stream::iter([Err(err)]).boxed(),
        }
    }

    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()> {
        let run_id = run.id.as_str();
        let pairs = wire::pairs(tags);
        if let [pair] = &pairs[..] {
            let set = ops::SetTag { run_id, key: pair.key, value: pair.value };
            return self.endpoint.call(&set).await;
        }
        for tags in pairs.chunks(MOST_PAIRS) {
            let batch = ops::LogBatch { run_id, metrics: &[], params: &[], tags };
            self.endpoint.call(&batch).await?;
        }
        Ok(())
    }

    async fn set_properties(&self, _: &RunRef, _: &BTreeMap<String, String>) -> Result<()> {
        Err(Error::invalid("mlflow.runs.set_tag", PROPERTIES))
    }

    async fn remove_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        for key in keys {
            self.endpoint.call(&ops::DeleteTag { run_id: run.id.as_str(), key }).await?;
        }
        Ok(())
    }

    fn check_param(&self, key: &str, value: &str) -> Result<()> {
        keys::check_param("mlflow.runs.log_parameter", key, value)
    }

    fn check_tag(&self, key: &str, value: &str) -> Result<()> {
        keys::check_tag("mlflow.runs.set_tag", key, value)
    }

    async fn log_params(&self, run: &RunRef, params: &BTreeMap<String, String>) -> Result<()> {
        let run_id = run.id.as_str();
        let pairs = wire::pairs(params);
        if let [pair] = &pairs[..] {
            let log = ops::LogParameter { run_id, key: pair.key, value: pair.value };
            return self.endpoint.call(&log).await;
        }
        for params in pairs.chunks(MOST_PAIRS) {
            let batch = ops::LogBatch { run_id, metrics: &[], params, tags: &[] };
            self.endpoint.call(&batch).await?;
        }
        Ok(())
    }

    async fn end(&self, run: &RunRef, end: &RunEnd, ended_at: OffsetDateTime) -> Result<()> {
        let status = match end {
            RunEnd::Finished => "FINISHED",
            RunEnd::Canceled => "KILLED",
            RunEnd::Failed(reason) => {
                // A run has no place for a reason; a tag keeps it.
                let tags = BTreeMap::from([("error".to_owned(), reason.message.clone())]);
                self.set_tags(run, &tags).await?;
                "FAILED"
            }
        };
        let end_time = wire::millis(ended_at);
        self.endpoint.call(&ops::UpdateRun { run_id: run.id.as_str(), status, end_time }).await
    }

    async fn delete(&self, run: &RunRef) -> Result<()> {
        self.endpoint.call(&ops::DeleteRun { run_id: run.id.as_str() }).await
    }

    async fn restore(&self, run: &RunRef) -> Result<()> {
        self.endpoint.call(&ops::RestoreRun { run_id: run.id.as_str() }).await
    }
}

#[async_trait]
impl Metrics for MlflowTracking {
    fn check_key(&self, key: &MetricKey) -> Result<()> {
        keys::check("mlflow.runs.log_batch", "Metric", key.as_str())
    }

    async fn log(&self, run: &RunRef, metrics: &[PendingMetric]) -> Result<()> {
        let run_id = run.id.as_str();
        for part in metrics.chunks(self.limits().metrics) {
            // The server knows a number again by its key, time, step and value.
            let metrics: Vec<_> = part.iter().map(wire::NewMetric::from).collect();
            let batch = ops::LogBatch { run_id, metrics: &metrics, params: &[], tags: &[] };
            self.endpoint.call(&batch).await?;
        }
        Ok(())
    }

    async fn keys(&self, run: &RunRef) -> Result<Vec<MetricKey>> {
        self.endpoint.call(&ops::GetMetricKeys(&run.id)).await
    }

    fn history(&self, run: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>> {
        let (endpoint, run, key) = (self.endpoint.clone(), run.id.clone(), key.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (endpoint, run, key) = (endpoint.clone(), run.clone(), key.clone());
            async move {
                let get = ops::GetHistory { run: &run, key: &key, token: token.as_ref() };
                endpoint.call(&get).await
            }
        })
    }
}

impl MlflowTracking {
    fn search(
        &self,
        experiment: &ExperimentId,
        filter: String,
        page_size: Option<u32>,
    ) -> BoxStream<'static, Result<RunInfo>> {
        let (endpoint, experiment) = (self.endpoint.clone(), experiment.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (endpoint, experiment, filter) =
                (endpoint.clone(), experiment.clone(), filter.clone());
            async move {
                let token = token.as_ref();
                let search = ops::SearchRuns::new(&experiment, &filter, page_size, token);
                endpoint.call(&search).await
            }
        })
    }
}
