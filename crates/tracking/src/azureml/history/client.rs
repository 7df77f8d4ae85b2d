use std::collections::BTreeMap;

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, PageToken, Result, stream_pages};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{filter::filter, life, ops, wire};
use crate::{
    AzureMlTracking, ExperimentInfo, NewRun, RunDetails, RunEnd, RunId, RunInfo, RunQuery, RunRef,
    Runs, azureml::files::blob_url,
};

/// Runs in one batch.
const MOST_RUNS: usize = 100;

#[async_trait]
impl Runs for AzureMlTracking {
    async fn start(&self, experiment: &ExperimentInfo, run: &NewRun) -> Result<RunInfo> {
        // The id is ours to choose, so that a second start is the same run.
        let id = run.local_id.unwrap_or_else(Uuid::new_v4).to_string();
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
        let started_at = run.started_at.unwrap_or_else(|| self.endpoint.clock().now());
        self.post(&reference, Event::Start, started_at).await?;
        Ok(info)
    }

    async fn find_started(&self, _: &ExperimentInfo, local_id: Uuid) -> Result<Option<RunInfo>> {
        match Runs::get(self, &RunId::new(local_id.to_string())).await {
            Ok(info) => Ok(Some(info)),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
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
        let (this, experiment, top) = (self.clone(), experiment.name.clone(), query.page_size);
        stream_pages(move |token: Option<PageToken>| {
            let (this, experiment, filter) = (this.clone(), experiment.clone(), filter.clone());
            async move {
                let query = ops::QueryRuns {
                    workspace: &this.workspace,
                    experiment: &experiment,
                    filter: filter.as_deref(),
                    top,
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

    async fn start_children(&self, parent: &RunRef, children: &[NewRun]) -> Result<Vec<RunInfo>> {
        let (workspace, experiment) = (&*self.workspace, &parent.experiment.name);
        let mut started = Vec::with_capacity(children.len());
        let mut number = 0_usize;
        for children in children.chunks(MOST_RUNS) {
            let new = |it| {
                let child = new_child(parent, it, number);
                number += 1;
                child
            };
            let runs = children.iter().map(new).collect();
            let infos =
                self.endpoint.call(&life::CreateRuns { workspace, experiment, runs }).await?;
            let now = self.endpoint.clock().now();
            let events: Vec<_> =
                infos.iter().map(|it| at_time(&it.id, &Event::Start, now)).collect();
            let post = life::PostEvents { workspace, experiment, events: &events };
            self.endpoint.call(&post).await?;
            started.extend(infos);
        }
        Ok(started)
    }

    async fn details(&self, run: &RunRef) -> Result<RunDetails> {
        self.endpoint.call(&life::GetDetails { workspace: &self.workspace, run }).await
    }

    async fn read_log(&self, run: &RunRef, name: &str) -> Result<Bytes> {
        let details = Runs::details(self, run).await?;
        let Some(address) = details.log_files.get(name) else {
            let names: Vec<_> = details.log_files.keys().map(String::as_str).collect();
            let reason = format!("run {} has no log {name:?}; it has {}", run.id, names.join(", "));
            return Err(Error::explained("history.runs.details", ErrorKind::NotFound, reason));
        };
        let url = blob_url("history.runs.details", address.expose_secret())?;
        self.blobs.get(&url, None).await
    }

    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()> {
        let tags = tags.iter().map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect();
        self.set_texts(run, tags).await
    }

    async fn set_bare_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        self.set_texts(run, keys.iter().map(|it| (it.as_str(), None)).collect()).await
    }

    async fn remove_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        self.endpoint.call(&life::DeleteTags { workspace: &self.workspace, run, keys }).await
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

    async fn end(&self, run: &RunRef, end: &RunEnd, ended_at: OffsetDateTime) -> Result<()> {
        // Whoever wants to read the metrics at once asks for a flush first.
        match end {
            RunEnd::Finished => self.post(run, Event::Completed, ended_at).await,
            RunEnd::Canceled => self.post(run, Event::Canceled, ended_at).await,
            RunEnd::Failed(reason) => {
                let error =
                    wire::Reason { code: reason.code.as_str(), message: reason.message.as_str() };
                self.post(run, Event::Error(error), ended_at).await?;
                self.post(run, Event::Failed, ended_at).await
            }
        }
    }

    async fn warn(&self, run: &RunRef, message: &str) -> Result<()> {
        self.post(run, Event::Warning(message), self.endpoint.clock().now()).await
    }

    async fn delete(&self, run: &RunRef) -> Result<()> {
        self.mlflow()?.delete(run).await
    }

    async fn restore(&self, run: &RunRef) -> Result<()> {
        self.mlflow()?.restore(run).await
    }
}

enum Event<'a> {
    Start,
    Completed,
    Canceled,
    Warning(&'a str),
    Error(wire::Reason<'a>),
    Failed,
}

impl AzureMlTracking {
    async fn set_texts(&self, run: &RunRef, tags: BTreeMap<&str, Option<&str>>) -> Result<()> {
        let run_id = run.id.as_str();
        self.update(run, wire::UpdateRun { run_id, tags: Some(tags), properties: None }).await
    }

    async fn update(&self, run: &RunRef, body: wire::UpdateRun<'_>) -> Result<()> {
        let update = ops::UpdateRun { workspace: &self.workspace, run, body };
        self.endpoint.call(&update).await.map(drop)
    }

    async fn post(&self, run: &RunRef, event: Event<'_>, at: OffsetDateTime) -> Result<()> {
        let event = at_time(&run.id, &event, at);
        let workspace = &self.workspace;
        self.endpoint.call(&life::PostEvent { workspace, run, event: &event }).await
    }

    /// Whether everything that was logged can be read.
    pub(in crate::azureml) async fn are_metrics_there(&self, run: &RunRef) -> Result<bool> {
        self.endpoint.call(&life::WaitForMetrics { workspace: &self.workspace, run }).await
    }
}

/// An event as it is written.
fn at_time<'a>(run: &'a RunId, event: &Event<'a>, timestamp: OffsetDateTime) -> wire::Event<'a> {
    let (start, end) = match event {
        Event::Start => (Some(timestamp), None),
        Event::Completed | Event::Canceled | Event::Failed => (None, Some(timestamp)),
        Event::Warning(_) | Event::Error(_) => (None, None),
    };
    let mut data = wire::EventData {
        run_id: run.as_str(),
        start_time: start,
        end_time: end,
        error_response: None,
        message: None,
    };
    let name = match event {
        Event::Start => "Microsoft.MachineLearning.Run.Start",
        Event::Completed => "Microsoft.MachineLearning.Run.Completed",
        Event::Canceled => "Microsoft.MachineLearning.Run.Canceled",
        Event::Failed => "Microsoft.MachineLearning.Run.Failed",
        Event::Warning(message) => {
            data.message = Some(message);
            "Microsoft.MachineLearning.Run.Warning"
        }
        Event::Error(error) => {
            data.error_response = Some(wire::ErrorResponse { error: *error });
            "Microsoft.MachineLearning.Run.Error"
        }
    };
    wire::Event { timestamp, name, data }
}

fn new_child<'a>(parent: &'a RunRef, child: &'a NewRun, number: usize) -> wire::NewChild<'a> {
    let mut tags = child.tags.clone();
    tags.insert("azureml.batch_child_number".to_owned(), number.to_string());
    wire::NewChild {
        run_id: Uuid::new_v4().to_string(),
        parent_run_id: parent.id.as_str(),
        status: "NotStarted",
        display_name: child.name.as_deref(),
        tags,
        properties: &child.properties,
    }
}
