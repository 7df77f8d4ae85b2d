//! Compares operations with saved exchanges.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azml_core::{Endpoint, Operation, Request, ResourceId, Response, Transport, TransportError};
use azml_fixtures::Exchange;
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;

use crate::{ExperimentId, ExperimentInfo, ExperimentName, SpoolOptions, Tracking};

/// Asserts that `operation` sends what the exchange says.
pub(crate) fn assert_encodes(operation: &impl Operation, base: &str, exchange: &Exchange) {
    let request = operation.encode(base).unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    assert_eq!(request.uri().path_and_query().unwrap().as_str(), exchange.request.path);
    let body = (!request.body().is_empty())
        .then(|| serde_json::from_slice::<Value>(request.body()).unwrap());
    assert_eq!(body, exchange.request.body);
}

/// The answer of the exchange.
pub(crate) fn response(exchange: &Exchange) -> Response {
    let body = match &exchange.response.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    http::Response::builder().status(exchange.response.status).body(body).unwrap()
}

/// The workspace of the saved exchanges.
pub(crate) fn workspace() -> ResourceId {
    let text = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/ws1";
    ResourceId::parse(text).unwrap()
}

/// An experiment of the saved exchanges.
pub(crate) fn experiment(name: &str) -> ExperimentInfo {
    let id = ExperimentId::new("5fa32699-a9c9-4c7d-9460-ac77978f3417");
    ExperimentInfo::new(id, ExperimentName::new(name))
}

/// More than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3600);

/// Logs to a spool of its own, from which a task of this runtime sends.
pub(crate) fn spooled(tracking: Tracking) -> (TempDir, Tracking) {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new()
        .with_folder(folder.path())
        .with_runtime(tokio::runtime::Handle::current());
    (folder, tracking.with_spool(options))
}

/// Answers the requests one after the other and keeps what was asked.
#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Response>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| TransportError::Connect("the script is over".into()))
    }
}

impl Script {
    /// Then answers what the fixture says.
    pub(crate) fn then(self, fixture: &str) -> Self {
        self.then_response(response(&azml_fixtures::load(fixture)))
    }

    /// Then answers `response`.
    pub(crate) fn then_response(self, response: Response) -> Self {
        self.answers.lock().unwrap().push_back(response);
        self
    }

    /// Then answers 200 with `body`.
    pub(crate) fn then_body(self, body: &'static str) -> Self {
        self.then_response(Response::new(Bytes::from(body)))
    }

    /// Method and last part of each path that was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let last = |it: &Request| it.uri().path().rsplit('/').next().unwrap().to_owned();
        asked.iter().map(|it| format!("{} {}", it.method(), last(it))).collect()
    }

    /// The JSON bodies that were sent.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter_map(|it| serde_json::from_slice(it.body()).ok()).collect()
    }

    /// An endpoint that is answered by this script.
    pub(crate) fn endpoint(self: &Arc<Self>) -> Endpoint {
        Endpoint::new("https://ml.test", self.clone())
    }
}
