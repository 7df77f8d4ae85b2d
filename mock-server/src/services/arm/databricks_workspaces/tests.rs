use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::super::tests::{ARM, begin, call};
use crate::{
    MockCloud,
    executor::{
        AttemptId, Executor, Installation, Work,
        contexts::{CommandText, ContextId},
    },
    kernel::{Kernel, WorldId},
    services::{azure::DATABRICKS_AUDIENCE, databricks::tests::post},
    tests::{WORKSPACE, assert_replays, token_for},
};

const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg";

fn at(name: &str) -> String {
    format!("{GROUP}/providers/Microsoft.Databricks/workspaces/{name}?api-version=2018-04-01")
}

fn body(parameters: &Value) -> String {
    let managed =
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/databricks-rg-dbx-ws";
    json!({
        "location": "eastus", "sku": {"name": "standard"},
        "properties": {"managedResourceGroupId": managed, "parameters": parameters, "requiredNsgRules": "AllRules"},
    })
    .to_string()
}

fn link(id: &str) -> Value {
    json!({"amlWorkspaceId": {"type": "String", "value": id}})
}

/// The status that a host of Databricks has for a program with Entra's token.
async fn asked(cloud: &MockCloud, host: &str) -> u16 {
    let mut claims = crate::kernel::auth::Claims {
        aud: DATABRICKS_AUDIENCE.to_owned(),
        exp: i64::MAX,
        ..Default::default()
    };
    claims.appid = "55555555-5555-5555-5555-555555555555".to_owned();
    let token = crate::kernel::auth::mint(&claims);
    let request = Request::builder()
        .uri(format!("https://{host}/api/2.0/preview/scim/v2/Me"))
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty());
    cloud.router().oneshot(request.unwrap()).await.unwrap().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_new_workspace_has_a_host_of_its_own_when_its_operation_has_ended() {
    let cloud = MockCloud::new();
    let (status, operation) = begin(&cloud, "PUT", &at("second"), &body(&json!({}))).await;
    assert_eq!(status, 201);
    let (_, shown) = call(&cloud, "GET", &at("second"), "").await;
    assert_eq!(shown["properties"]["provisioningState"], "Creating");
    assert_eq!(shown["properties"].get("workspaceUrl"), None);

    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
    let (_, shown) = call(&cloud, "GET", &at("second"), "").await;
    assert_eq!(shown["sku"]["name"], "standard");
    assert_eq!(shown["properties"]["requiredNsgRules"], "AllRules");
    let host = shown["properties"]["workspaceUrl"].as_str().unwrap().to_owned();
    assert_eq!(asked(&cloud, &host).await, 200);

    let (status, _) = begin(&cloud, "DELETE", &at("second"), "").await;
    assert_eq!(status, 202);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(call(&cloud, "GET", &at("second"), "").await.0, 404);
    assert_ne!(asked(&cloud, &host).await, 200);
    assert_eq!(call(&cloud, "DELETE", &at("second"), "").await.0, 204);
}

/// Writes down what it is told, and never ends anything by itself.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<String>>);

impl Executor for Notes {
    fn executes(&self) -> bool {
        true
    }

    fn start(&self, _: &Arc<Kernel>, work: Work) {
        self.0.lock().push(format!("start {}", work.attempt.workspace));
    }

    fn install(&self, _: &Arc<Kernel>, _: Installation) {}

    fn cancel(&self, attempt: &AttemptId) {
        self.0.lock().push(format!("cancel {}", attempt.workspace));
    }

    fn open_context(&self, _: &Arc<Kernel>, _: ContextId, _: Work) {}

    fn run_command(&self, _: &ContextId, _: CommandText) {}

    fn cancel_command(&self, _: &ContextId, _: &str) {}

    fn close_context(&self, _: &ContextId) {}

    fn end_cluster(&self, _: &WorldId, workspace: u64, _: &str) {
        self.0.lock().push(format!("end cluster of {workspace}"));
    }

    fn end_all(&self, _: Option<&WorldId>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_executed_in_a_workspace_ends_with_it() {
    let notes = Arc::new(Notes::default());
    let cloud = MockCloud::builder().with_executor(notes.clone()).build().unwrap();
    let cluster = json!({
        "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1,
    });
    let task = json!({
        "run_name": "r", "new_cluster": cluster,
        "spark_python_task": { "python_file": "dbfs:/a.py" },
    });
    assert_eq!(post(&cloud, "/api/2.1/jobs/runs/submit", task).await.0, 200);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    begin(&cloud, "DELETE", &at("dbx-ws"), "").await;
    assert_eq!(*notes.0.lock(), ["start 1234567890123456"]);

    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(call(&cloud, "GET", &at("dbx-ws"), "").await.0, 404);
    let told =
        ["start 1234567890123456", "cancel 1234567890123456", "end cluster of 1234567890123456"];
    assert_eq!(*notes.0.lock(), told);
}

#[tokio::test(start_paused = true)]
async fn the_link_to_azure_ml_is_set_replaced_and_cleared_by_what_is_put() {
    let cloud = MockCloud::new();
    for (parameters, shown) in [(link(WORKSPACE), link(WORKSPACE)), (json!({}), json!({}))] {
        let (status, operation) = begin(&cloud, "PUT", &at("dbx-ws"), &body(&parameters)).await;
        assert_eq!(status, 200);
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
        let (_, found) = call(&cloud, "GET", &at("dbx-ws"), "").await;
        assert_eq!(found["properties"]["parameters"], shown);
        assert_eq!(found["properties"]["workspaceId"], "1234567890123456");
    }
}

#[tokio::test(start_paused = true)]
async fn the_result_of_an_operation_is_the_workspace() {
    let cloud = MockCloud::new();
    let (_, operation) = begin(&cloud, "PATCH", &at("dbx-ws"), r#"{"tags":{"a":"1"}}"#).await;
    let result = operation.replace("operationStatuses", "operationResults");
    assert_eq!(call(&cloud, "GET", &result, "").await.0, 202);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (status, found) = call(&cloud, "GET", &result, "").await;
    assert_eq!((status, &found["tags"]), (200, &json!({"a": "1"})));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_link_or_moves_is_refused() {
    let cloud = MockCloud::new();
    let elsewhere = WORKSPACE.replace("ws1", "other");
    for parameters in [link(&elsewhere), link("ws1"), json!({"amlWorkspaceId": {"value": 1}})] {
        let (status, error) = call(&cloud, "PUT", &at("dbx-ws"), &body(&parameters)).await;
        assert_eq!((status, &error["error"]["code"]), (400, &json!("InvalidParameter")));
    }
    let other_group = body(&json!({})).replace("databricks-rg-dbx-ws", "other");
    assert_eq!(call(&cloud, "PUT", &at("dbx-ws"), &other_group).await.0, 400);
    assert_eq!(call(&cloud, "PUT", &at("new"), r#"{"location":"eastus"}"#).await.0, 400);
    let other_place = body(&json!({})).replace("eastus", "westus");
    assert_eq!(call(&cloud, "PUT", &at("dbx-ws"), &other_place).await.0, 409);
    begin(&cloud, "PUT", &at("dbx-ws"), &body(&json!({}))).await;
    assert_eq!(call(&cloud, "PUT", &at("dbx-ws"), &body(&json!({}))).await.0, 409);
}

#[tokio::test]
async fn a_changed_workspace_is_described_as_published() {
    let token = token_for(ARM);
    assert_replays(&MockCloud::new(), "arm/databricks-workspaces-update", &token).await;
}
