use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use azml_core::{
    Cloud, ErrorKind, Operation, Request, Response, Session, StaticToken, Transport,
    TransportError, WaitOptions,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde_json::Value;

use super::{ops, wire::Document, *};
use crate::{WorkspaceRef, testing};

const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

fn databricks() -> ResourceId {
    ResourceId::new(SUBSCRIPTION, "dbx-rg", "Microsoft.Databricks", "workspaces", "dbx-ws").unwrap()
}

fn workspace(name: &str) -> ResourceId {
    WorkspaceRef::new(SUBSCRIPTION, "rg1", name).resource_id().unwrap()
}

#[test]
fn a_databricks_workspace_tells_its_address_and_its_link() {
    let exchange = azml_fixtures::load("arm/databricks-workspaces-get");
    let id = databricks();
    testing::assert_encodes(&ops::Get(&id), "https://arm.test", &exchange);
    let found = ops::Get(&id).decode(testing::response(&exchange)).unwrap().workspace;
    assert_eq!(found.id, id);
    assert_eq!(
        found.workspace_url.as_deref(),
        Some("https://adb-1234567890123456.7.azuredatabricks.net")
    );
    assert_eq!(found.workspace_id.as_deref(), Some("1234567890123456"));
    assert_eq!(found.sku.as_deref(), Some("premium"));
    assert_eq!(found.link, Some(workspace("ws1")));

    let exchange = azml_fixtures::load("arm/databricks-workspaces-get-missing");
    let err = ops::Get(&id).decode(testing::response(&exchange)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[test]
fn databricks_workspaces_are_listed_by_subscription_and_by_group() {
    let exchange = azml_fixtures::load("arm/databricks-workspaces-list");
    let list = ops::List { subscription_id: SUBSCRIPTION, resource_group: None, next: None };
    testing::assert_encodes(&list, "https://arm.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    assert_eq!(page.items[0].link, Some(workspace("ws1")));

    let exchange = azml_fixtures::load("arm/databricks-workspaces-list-in-group");
    let list = ops::List { resource_group: Some("dbx-rg"), ..list };
    testing::assert_encodes(&list, "https://arm.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    assert_eq!((page.items[0].link.as_ref(), page.next), (None, None));
}

/// What was read, with another link.
fn written(fixture: &str, link: Option<&ResourceId>) -> serde_json::Map<String, Value> {
    let exchange = azml_fixtures::load(fixture);
    let id = databricks();
    let found: Document = ops::Get(&id).decode(testing::response(&exchange)).unwrap();
    found.with_link("test", link).unwrap()
}

#[test]
fn only_the_link_changes_and_what_is_not_known_is_kept() {
    let id = databricks();
    let cases = [
        (
            "arm/databricks-workspaces-get-unlinked",
            Some(workspace("ws1")),
            "arm/databricks-workspaces-create-or-update",
        ),
        ("arm/databricks-workspaces-get", None, "arm/databricks-workspaces-create-or-update-clear"),
    ];
    for (read, link, expected) in cases {
        let exchange = azml_fixtures::load(expected);
        let body = written(read, link.as_ref());
        let put = ops::CreateOrUpdate { id: &id, body: &body };
        testing::assert_encodes(&put, "https://arm.test", &exchange);
        assert!(put.decode(testing::response(&exchange)).unwrap().is_none());
    }
}

#[test]
fn a_resource_without_parameters_gets_them() {
    let exchange = azml_fixtures::load("arm/databricks-workspaces-get-unlinked");
    for parameters in [Value::Null, Value::Bool(true)] {
        let mut body = exchange.response.body.clone();
        if parameters.is_null() {
            body["properties"]["parameters"] = Value::Null;
        } else {
            body["properties"].as_object_mut().unwrap().remove("parameters");
        }
        let Value::Object(resource) = body else { panic!("no object") };
        let link = workspace("ws1");
        let written = Document::new("test", resource).unwrap().with_link("test", Some(&link));
        let written = written.unwrap();
        let value = &written["properties"]["parameters"]["amlWorkspaceId"]["value"];
        assert_eq!(value, &link.to_string());
    }
}

/// Gives the answers one after the other and keeps what was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Response>>,
    asked: Mutex<Vec<(String, Bytes)>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let line = format!("{} {}", request.method(), request.uri().path());
        self.asked.lock().unwrap().push((line, request.body().clone()));
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| TransportError::Invalid("the script is over".into()))
    }
}

const OPERATION: &str = "/subscriptions/s/operation/1";

impl Script {
    fn then(self, fixture: &str) -> Self {
        let response = testing::response(&azml_fixtures::load(fixture));
        self.answers.lock().unwrap().push_back(response);
        self
    }

    /// The answer to a change as ARM gives it, header and all.
    fn then_accepted(self) -> Self {
        let exchange = azml_fixtures::load("arm/databricks-workspaces-create-or-update");
        let mut response = testing::response(&exchange);
        let url = format!("https://arm.test{OPERATION}?api-version=2024-05-01");
        response.headers_mut().insert("Azure-AsyncOperation", url.parse().unwrap());
        self.answers.lock().unwrap().push_back(response);
        self
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|it| it.0.clone()).collect()
    }
}

fn open(script: &Arc<Script>) -> DatabricksWorkspacesClient {
    let cloud = Cloud::at_origin("https://arm.test");
    let session = Session::new(cloud, script.clone(), Arc::new(StaticToken::new("fake")));
    DatabricksWorkspacesClient::new(&session)
}

#[tokio::test(start_paused = true)]
async fn setting_a_link_replaces_another_and_waits() {
    let script = Script::default()
        .then("arm/databricks-workspaces-get")
        .then_accepted()
        .then("arm/operations-get-running")
        .then("arm/operations-get")
        .then("arm/databricks-workspaces-get");
    let script = Arc::new(script);
    let client = open(&script);
    let id = databricks();
    let start = tokio::time::Instant::now();
    client.set_link(&id, &workspace("ws2")).await.unwrap().until_done().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
    let (get, poll) = (format!("GET {id}"), format!("GET {OPERATION}"));
    let expected = [get.clone(), format!("PUT {id}"), poll.clone(), poll, get];
    assert_eq!(script.asked(), expected);
    let body: Value = serde_json::from_slice(&script.asked.lock().unwrap()[1].1).unwrap();
    let link = &body["properties"]["parameters"]["amlWorkspaceId"]["value"];
    assert_eq!(link, &workspace("ws2").to_string());
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes() {
    let script = Script::default()
        .then("arm/databricks-workspaces-get")
        .then("arm/databricks-workspaces-get")
        .then("arm/databricks-workspaces-get-unlinked")
        .then("arm/databricks-workspaces-get-unlinked");
    let script = Arc::new(script);
    let client = open(&script);
    let id = databricks();
    client.set_link(&id, &workspace("WS1")).await.unwrap().until_done().await.unwrap();
    client.clear_link(&id).await.unwrap().until_done().await.unwrap();
    assert!(script.asked().iter().all(|it| it.starts_with("GET ")));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_says_why() {
    let script = Script::default()
        .then("arm/databricks-workspaces-get")
        .then_accepted()
        .then("arm/operations-get-failed");
    let client = open(&Arc::new(script));
    let poller = client.clear_link(&databricks()).await.unwrap();
    let err = poller.until_done().await.unwrap_err();
    insta::assert_snapshot!(err, @"arm.databricks_workspaces.create_or_update failed: 400 BadArgument: Databricks token is not valid.");
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_end_ends_and_names_the_state() {
    let mut script = Script::default().then("arm/databricks-workspaces-get").then_accepted();
    for _ in 0..10 {
        script = script.then("arm/operations-get-running");
    }
    let client = open(&Arc::new(script));
    let options = WaitOptions::default().with_timeout(std::time::Duration::from_secs(60));
    let poller = client.clear_link(&databricks()).await.unwrap().with_options(options);
    let err = poller.until_done().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Timeout);
    insta::assert_snapshot!(err, @"arm.databricks_workspaces.create_or_update failed: not done after 60s; the last state was InProgress");
}

#[tokio::test]
async fn ids_of_other_things_are_refused_before_anything_is_sent() {
    let script = Arc::new(Script::default());
    let client = open(&script);
    let (id, ml) = (databricks(), workspace("ws1"));
    let err = client.get(&ml).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "arm.databricks_workspaces.get failed: id: {ml} is no Databricks workspace; \
             give the id of a Microsoft.Databricks/workspaces resource"
        )
    );
    for refused in [
        client.set_link(&ml, &ml).await.err(),
        client.set_link(&id, &id).await.err(),
        client.clear_link(&ml).await.err(),
    ] {
        assert_eq!(refused.unwrap().kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(script.asked(), [""; 0]);
}

#[tokio::test]
async fn a_list_is_a_stream() {
    let script = Arc::new(Script::default().then("arm/databricks-workspaces-list"));
    let found: Vec<_> = open(&script).list(SUBSCRIPTION).try_collect().await.unwrap();
    assert_eq!(found[0].name, "dbx-ws");
}
