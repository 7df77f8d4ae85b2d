use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use azml_core::{PageToken, Poller, Progress, Result, WaitOptions, stream_pages};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::{ops, wire};
use crate::{
    AzureMlTracking, ExperimentId, ExperimentInfo, ExperimentName, Experiments, NewRun, RunEnd,
    RunId, RunInfo, RunQuery, RunRef, Runs, azureml::quoted,
};

#[async_trait]
impl Experiments for AzureMlTracking {
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::CreateExperiment { workspace: &self.workspace, name }).await
    }

    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::GetExperiment { workspace: &self.workspace, id }).await
    }
}

#[async_trait]
impl Runs for AzureMlTracking {
    async fn start(&self, experiment: &ExperimentInfo, run: &NewRun) -> Result<RunInfo> {
        let id = Uuid::new_v4().to_string();
        let reference = RunRef::new(experiment.clone(), RunId::new(&*id));
        let body = wire::CreateRun {
            run_id: &id,
            parent_run_id: run.parent_id.as_ref().map(RunId::as_str),
            name: format!("run_{id}"),
            display_name: run.name.as_deref(),
            run_type_v2: wire::RunType::default(),
            properties: &run.properties,
            tags: &run.tags,
            target: "local",
        };
        let create = ops::CreateRun { workspace: &self.workspace, run: &reference, body };
        let info = self.endpoint.call(&create).await?;
        self.post(&reference, Event::Start).await?;
        Ok(info)
    }

    async fn get(&self, id: &RunId) -> Result<RunInfo> {
        self.endpoint.call(&ops::GetRun { workspace: &self.workspace, id }).await
    }

    fn list(
        &self,
        experiment: &ExperimentInfo,
        query: &RunQuery,
    ) -> BoxStream<'static, Result<RunInfo>> {
        let filter = match filter(query) {
            Ok(filter) => filter,
            Err(err) => return stream::iter([Err(err)]).boxed(),
        };
        let (this, experiment) = (self.clone(), experiment.name.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (this, experiment, filter) = (this.clone(), experiment.clone(), filter.clone());
            async move {
                let query = ops::QueryRuns {
                    workspace: &this.workspace,
                    experiment: &experiment,
                    filter: filter.as_deref(),
                    token: token.as_ref(),
                };
                this.endpoint.call(&query).await
            }
        })
    }

    fn children(&self, run: &RunRef) -> BoxStream<'static, Result<RunInfo>> {
        let (this, run) = (self.clone(), run.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (this, run) = (this.clone(), run.clone());
            async move {
                let (workspace, token) = (&*this.workspace, token.as_ref());
                this.endpoint.call(&ops::ListChildren { workspace, run: &run, token }).await
            }
        })
    }

    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()> {
        let run_id = run.id.as_str();
        self.update(run, wire::UpdateRun { run_id, tags: Some(tags), properties: None }).await
    }

    async fn set_properties(
        &self,
        run: &RunRef,
        properties: &BTreeMap<String, String>,
    ) -> Result<()> {
        let (run_id, properties) = (run.id.as_str(), Some(properties));
        self.update(run, wire::UpdateRun { run_id, tags: None, properties }).await
    }

    async fn log_params(&self, run: &RunRef, params: &BTreeMap<String, String>) -> Result<()> {
        // Run history has no call for params; the same store has one at its MLflow address.
        self.mlflow()?.log_params(run, params).await
    }

    async fn end(&self, run: &RunRef, end: &RunEnd) -> Result<()> {
        self.wait_for_metrics(run).await?;
        match end {
            RunEnd::Finished => self.post(run, Event::Completed).await,
            RunEnd::Canceled => self.post(run, Event::Canceled).await,
            RunEnd::Failed(reason) => {
                let error =
                    wire::Reason { code: reason.code.as_str(), message: reason.message.as_str() };
                self.post(run, Event::Error(error)).await?;
                self.post(run, Event::Failed).await
            }
        }
    }
}

enum Event<'a> {
    Start,
    Completed,
    Canceled,
    Error(wire::Reason<'a>),
    Failed,
}

impl AzureMlTracking {
    async fn update(&self, run: &RunRef, body: wire::UpdateRun<'_>) -> Result<()> {
        let update = ops::UpdateRun { workspace: &self.workspace, run, body };
        self.endpoint.call(&update).await.map(drop)
    }

    async fn post(&self, run: &RunRef, event: Event<'_>) -> Result<()> {
        let timestamp = self.endpoint.clock().now();
        let run_id = run.id.as_str();
        let mut data =
            wire::EventData { run_id, start_time: None, end_time: None, error_response: None };
        let name = match event {
            Event::Start => {
                data.start_time = Some(timestamp);
                "Microsoft.MachineLearning.Run.Start"
            }
            Event::Error(error) => {
                data.error_response = Some(wire::ErrorResponse { error });
                "Microsoft.MachineLearning.Run.Error"
            }
            Event::Completed => "Microsoft.MachineLearning.Run.Completed",
            Event::Canceled => "Microsoft.MachineLearning.Run.Canceled",
            Event::Failed => "Microsoft.MachineLearning.Run.Failed",
        };
        if data.start_time.is_none() && data.error_response.is_none() {
            data.end_time = Some(timestamp);
        }
        let event = wire::Event { timestamp, name, data };
        let workspace = &self.workspace;
        self.endpoint.call(&ops::PostEvent { workspace, run, event: &event }).await
    }

    /// Waits until what was logged can be read, so that a run that has ended is whole.
    async fn wait_for_metrics(&self, run: &RunRef) -> Result<()> {
        let (pause, patience) = (Duration::from_secs(5), Duration::from_secs(120));
        let options = WaitOptions::default().with_poll_interval(pause).with_timeout(patience);
        let (this, run) = (self.clone(), run.clone());
        let clock = self.endpoint.clock().clone();
        let poller = Poller::new("history.metrics_ingest.wait", options, clock, move || {
            let (this, run) = (this.clone(), run.clone());
            async move {
                let wait = ops::WaitForMetrics { workspace: &this.workspace, run: &run };
                let is_there = this.endpoint.call(&wait).await?;
                let pending = "metrics on the way";
                Ok(if is_there { Progress::Done(()) } else { Progress::Pending(pending) })
            }
        });
        poller.until_done().await
    }
}

/// The service's filter for `query`: conditions joined by `and`, in parentheses.
fn filter(query: &RunQuery) -> Result<Option<String>> {
    let mut conditions = Vec::new();
    for (key, value) in &query.tags {
        let is_plain = |it: char| it.is_alphanumeric() || "._-:".contains(it);
        if key.is_empty() || !key.chars().all(is_plain) {
            let reason = format!("filter: the tag key {key:?} cannot be written in a filter");
            return Err(azml_core::Error::invalid("history.runs.query", reason));
        }
        let value = quoted("history.runs.query", value)?;
        conditions.push(format!("(Tags/{key} eq {value})"));
    }
    if let Some(filter) = &query.filter {
        conditions.push(format!("({filter})"));
    }
    if !query.has_children {
        conditions.push("(ParentRunId eq null)".to_owned());
    }
    Ok(match conditions.len() {
        0 => None,
        1 => conditions.pop(),
        _ => Some(format!("({})", conditions.join(" and "))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_the_official_client_writes_them() {
        let of = |query: RunQuery| filter(&query).unwrap();
        assert_eq!(of(RunQuery::new()).as_deref(), Some("(ParentRunId eq null)"));
        assert_eq!(
            of(RunQuery::new().with_tag("stage", "test")).as_deref(),
            Some(r#"((Tags/stage eq "test") and (ParentRunId eq null))"#)
        );
        assert_eq!(of(RunQuery::new().with_children()), None);
    }

    #[test]
    fn a_value_that_would_end_the_filter_early_is_refused() {
        for (key, value) in [("a", "\" or 1 eq 1"), ("a b", "c"), ("", "c")] {
            assert!(filter(&RunQuery::new().with_tag(key, value)).is_err());
        }
    }
}
