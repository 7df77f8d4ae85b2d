use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azml_core::{
    Cloud, ErrorKind, Progress, Request, Response, Session, StaticToken, Transport, TransportError,
    WaitOptions,
};
use azml_workspace::{Workspace, WorkspaceRef};
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::time::Instant;

use super::{super::*, SUBSCRIPTION, response, workspace};

/// Gives the answers one after the other and keeps what was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Response>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| TransportError::Connect("the script is over".into()))
    }
}

impl Script {
    fn then(self, fixture: &str) -> Self {
        self.then_response(response(&azml_fixtures::load(fixture)))
    }

    fn then_response(self, response: Response) -> Self {
        self.answers.lock().unwrap().push_back(response);
        self
    }
}

/// The answer to an attach as ARM gives it, header and all.
fn accepted() -> Response {
    let mut response = response(&azml_fixtures::load("arm/computes-attach"));
    let url = "https://arm.test/subscriptions/s/operation/1?api-version=2021-01-01";
    response.headers_mut().insert("Azure-AsyncOperation", url.parse().unwrap());
    response
}

/// A target that is ready.
fn usable() -> Response {
    let mut exchange = azml_fixtures::load("rp/computes-get");
    exchange.response.body["properties"]["provisioningState"] = "Succeeded".into();
    response(&exchange)
}

async fn open(script: Arc<Script>) -> ComputesClient {
    let cloud = Cloud::at_origin("https://arm.test");
    let session = Session::new(cloud, script, Arc::new(StaticToken::new("fake")));
    let reference = WorkspaceRef::new(SUBSCRIPTION, "rg1", "ws1");
    ComputesClient::new(&Workspace::get(&session, reference).await.unwrap())
}

fn attach() -> AttachDatabricks {
    AttachDatabricks::by_name("dbx-rg", "dbx-ws", "dapi-fake-token")
}

#[tokio::test(start_paused = true)]
async fn attaching_waits_and_reads_the_target_back() {
    let script = Script::default()
        .then("arm/workspaces-get")
        .then_response(accepted())
        .then("arm/operations-get-running")
        .then("arm/operations-get")
        .then("discovery/get")
        .then("rp/computes-get")
        .then_response(usable());
    let script = Arc::new(script);
    let computes = open(script.clone()).await;

    let name = ComputeName::new("mydbricks");
    let target = computes.attach(&name, &attach()).await.unwrap().until_done().await.unwrap();

    assert_eq!(target.name, name);
    let asked = script.asked.lock().unwrap().clone();
    let workspace = workspace();
    assert_eq!(
        asked,
        [
            format!("GET {workspace}"),
            format!("PUT {workspace}/computes/mydbricks"),
            "GET /subscriptions/s/operation/1".to_owned(),
            "GET /subscriptions/s/operation/1".to_owned(),
            "GET /discovery".to_owned(),
            // It may be behind the operation.
            format!("GET /rp/workspaces{workspace}/computes/mydbricks"),
            format!("GET /rp/workspaces{workspace}/computes/mydbricks"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_fails_the_attach_with_the_services_reason() {
    let script = Script::default()
        .then("arm/workspaces-get")
        .then_response(accepted())
        .then("arm/operations-get-failed");
    let computes = open(Arc::new(script)).await;
    let poller = computes.attach(&ComputeName::new("badone"), &attach()).await.unwrap();
    let err = poller.until_done().await.unwrap_err();
    insta::assert_snapshot!(err, @"arm.computes.attach failed: 400 BadArgument: Databricks token is not valid.");
}

#[tokio::test]
async fn a_bad_name_is_refused_before_anything_is_sent() {
    let script = Arc::new(Script::default().then("arm/workspaces-get"));
    let computes = open(script.clone()).await;
    let err = computes.attach(&ComputeName::new("a_b"), &attach()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_failed_after_its_operation_says_why() {
    let script = Script::default()
        .then("arm/workspaces-get")
        .then("arm/computes-attach")
        .then("discovery/get")
        .then("rp/computes-get-failed");
    let computes = open(Arc::new(script)).await;
    let poller = computes.attach(&ComputeName::new("badone"), &attach()).await.unwrap();
    let err = poller.until_done().await.unwrap_err();
    let fault = err.service_fault().unwrap();
    assert_eq!((&*fault.code, &*fault.message), ("BadArgument", "Databricks token is not valid."));
}

#[tokio::test(start_paused = true)]
async fn a_long_attach_is_waited_for_and_each_state_is_seen() {
    let mut script = Script::default().then("arm/workspaces-get").then_response(accepted());
    for _ in 0..90 {
        script = script.then("arm/operations-get-running");
    }
    let script = script.then("arm/operations-get").then("discovery/get").then_response(usable());
    let computes = open(Arc::new(script)).await;
    let start = Instant::now();
    let poller = computes.attach(&ComputeName::new("mydbricks"), &attach()).await.unwrap();
    let seen: Vec<_> = poller.into_stream().try_collect().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(900));
    assert_eq!(seen.len(), 91);
    assert!(matches!(&seen[0], Progress::Pending(status) if status.status == "InProgress"));
    assert!(matches!(&seen[90], Progress::Done(target) if target.is_attached));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_takes_too_long_names_the_last_state() {
    let mut script = Script::default().then("arm/workspaces-get").then_response(accepted());
    for _ in 0..10 {
        script = script.then("arm/operations-get-running");
    }
    let computes = open(Arc::new(script)).await;
    let options = WaitOptions::default().with_timeout(Duration::from_secs(60));
    let poller = computes.attach(&ComputeName::new("mydbricks"), &attach()).await.unwrap();
    let err = poller.with_options(options).until_done().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    insta::assert_snapshot!(err, @"arm.computes.attach failed: not done after 60s; the last state was InProgress");
}

#[tokio::test(start_paused = true)]
async fn detaching_waits_for_the_operation_and_tells_its_failure() {
    let mut started = response(&azml_fixtures::load("arm/computes-detach"));
    let url = "https://arm.test/subscriptions/s/operation/1?api-version=2021-01-01";
    started.headers_mut().insert("Azure-AsyncOperation", url.parse().unwrap());
    let script = Script::default()
        .then("arm/workspaces-get")
        .then_response(started.clone())
        .then("arm/operations-get-running")
        .then("arm/operations-get")
        .then_response(started)
        .then("arm/operations-get-failed");
    let computes = open(Arc::new(script)).await;
    let name = ComputeName::new("mydbricks");
    let start = Instant::now();
    computes.detach(&name).await.unwrap().until_done().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    let err = computes.detach(&name).await.unwrap().until_done().await.unwrap_err();
    assert_eq!((err.operation(), err.kind()), ("arm.computes.detach", ErrorKind::InvalidArgument));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_not_found() {
    let missing = || response(&azml_fixtures::load("rp/computes-get-missing"));
    let script = Script::default()
        .then("arm/workspaces-get")
        .then_response(missing())
        .then_response(missing())
        .then("discovery/get")
        .then_response(missing());
    let computes = open(Arc::new(script)).await;
    let name = ComputeName::new("nope");
    for err in [
        computes.detach(&name).await.err(),
        computes.credentials(&name).await.err(),
        computes.get(&name).await.err(),
    ] {
        assert_eq!(err.unwrap().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn text_that_is_no_envelope_is_shown_as_it_is() {
    let mut refused = http::Response::new(Bytes::from("<html>The gateway says no</html>"));
    *refused.status_mut() = http::StatusCode::BAD_REQUEST;
    let script = Script::default().then("arm/workspaces-get").then_response(refused);
    let computes = open(Arc::new(script)).await;
    let err = computes.attach(&ComputeName::new("mydbricks"), &attach()).await.unwrap_err();
    insta::assert_snapshot!(err, @"arm.computes.attach failed: 400 BadRequest: <html>The gateway says no</html>");
}
