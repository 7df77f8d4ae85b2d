mod waits;

use azml_core::{ErrorKind, Operation, ResourceId, Response};
use azml_fixtures::Exchange;
use azml_workspace::WorkspaceRef;
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
fn a_target_of_another_kind_has_no_token() {
    let (workspace, name) = (workspace(), ComputeName::new("cpu"));
    let list_keys = ops::ListKeys { workspace: &workspace, name: &name };
    let body = Bytes::from(r#"{"computeType": "AmlCompute", "adminPassword": "fake"}"#);
    let err = list_keys.decode(http::Response::new(body)).unwrap_err();
    assert_eq!(
        err.to_string(),
        "arm.computes.list_keys failed: compute name \"cpu\": is of type AmlCompute; only a Databricks one has an access token"
    );
}

#[test]
fn detach_leaves_the_resource() {
    let exchange = azml_fixtures::load("arm/computes-detach");
    let (workspace, name) = (workspace(), ComputeName::new("mydbricks"));
    assert_encodes(&ops::Detach { workspace: &workspace, name: &name }, &exchange);
}
