use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use azml_core::{
    Cloud, ErrorKind, Operation, Request, ResourceId, Response, Session, StaticToken, Transport,
    TransportError,
};
use azml_fixtures::Exchange;
use azml_workspace::{Workspace, WorkspaceRef};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{ops, *};

const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

fn workspace() -> ResourceId {
    WorkspaceRef::new(SUBSCRIPTION, "rg1", "ws1").resource_id().unwrap()
}

fn assert_encodes(operation: &impl Operation, exchange: &Exchange) {
    let request = operation.encode("https://a.test").unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    assert_eq!(request.uri().path_and_query().unwrap().as_str(), exchange.request.path);
    let body = (!request.body().is_empty())
        .then(|| serde_json::from_slice::<Value>(request.body()).unwrap());
    assert_eq!(body, exchange.request.body);
}

fn response(exchange: &Exchange) -> Response {
    let body = match &exchange.response.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    http::Response::builder().status(exchange.response.status).body(body).unwrap()
}

#[test]
fn attach_sends_the_token_and_the_id() {
    let exchange = azml_fixtures::load("arm/computes-attach");
    let body = exchange.request.body.as_ref().unwrap();
    let resource_id = body["properties"]["resourceId"].as_str().unwrap();
    let attach = ops::Attach {
        workspace: &workspace(),
        name: &ComputeName::new("mydbricks"),
        location: "eastus",
        resource_id: &ResourceId::parse(resource_id).unwrap(),
        access_token: &SecretString::from("dapi-fake-token"),
    };
    assert_encodes(&attach, &exchange);
    assert!(attach.decode(response(&exchange)).unwrap().is_none());
}

#[test]
fn a_target_says_what_it_is() {
    let exchange = azml_fixtures::load("rp/computes-get");
    let (workspace, name) = (workspace(), ComputeName::new("mydbricks"));
    let get = ops::Get { workspace: &workspace, name: &name };
    assert_encodes(&get, &exchange);
    let target = get.decode(response(&exchange)).unwrap();
    assert_eq!(target.name, name);
    assert_eq!(target.compute_type, ComputeType::Databricks);
    assert_eq!(target.provisioning_state, ProvisioningState::Creating);
    assert_eq!(target.resource_id.unwrap().name(), "dbx-ws");
    assert_eq!(target.databricks_workspace_url.as_deref(), Some("https://ml.test"));
    assert!(target.is_attached);
}

#[test]
fn a_failed_target_says_why() {
    let exchange = azml_fixtures::load("rp/computes-get-failed");
    let (workspace, name) = (workspace(), ComputeName::new("badone"));
    let get = ops::Get { workspace: &workspace, name: &name };
    assert_encodes(&get, &exchange);
    let target = get.decode(response(&exchange)).unwrap();
    assert_eq!(target.provisioning_state, ProvisioningState::Failed);
    assert_eq!(target.provisioning_errors[0].message, "Databricks token is not valid.");
}

#[test]
fn a_missing_target_is_not_found() {
    let exchange = azml_fixtures::load("rp/computes-get-missing");
    let (workspace, name) = (workspace(), ComputeName::new("mydbricks"));
    let get = ops::Get { workspace: &workspace, name: &name };
    assert_encodes(&get, &exchange);
    assert_eq!(get.decode(response(&exchange)).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn targets_are_listed() {
    let exchange = azml_fixtures::load("rp/computes-list");
    let workspace = workspace();
    let list = ops::List { workspace: &workspace, next: None };
    assert_encodes(&list, &exchange);
    let page = list.decode(response(&exchange)).unwrap();
    assert_eq!(page.items[0].provisioning_state, ProvisioningState::Succeeded);
    assert_eq!(page.next, None);
}

#[test]
fn credentials_are_told_but_never_printed() {
    let exchange = azml_fixtures::load("arm/computes-list-keys");
    let (workspace, name) = (workspace(), ComputeName::new("mydbricks"));
    let list_keys = ops::ListKeys { workspace: &workspace, name: &name };
    assert_encodes(&list_keys, &exchange);
    let credentials = list_keys.decode(response(&exchange)).unwrap();
    assert_eq!(credentials.access_token.expose_secret(), "dapi-fake-token");
    assert!(!format!("{credentials:?}").contains("dapi"));
}

#[test]
fn detach_leaves_the_resource() {
    let exchange = azml_fixtures::load("arm/computes-detach");
    let (workspace, name) = (workspace(), ComputeName::new("mydbricks"));
    assert_encodes(&ops::Detach { workspace: &workspace, name: &name }, &exchange);
}

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
        .then("rp/computes-get");
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
