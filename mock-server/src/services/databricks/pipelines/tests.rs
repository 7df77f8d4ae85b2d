use serde_json::json;

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

#[tokio::test]
async fn a_workspace_has_no_pipelines_and_makes_none() {
    let cloud = MockCloud::new();
    assert_eq!(get(&cloud, "/api/2.0/pipelines?max_results=25").await, (200, json!({})));
    let (status, refusal) = get(&cloud, "/api/2.0/pipelines/p").await;
    assert_eq!((status, &refusal["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")));
    let (status, refusal) = post(&cloud, "/api/2.0/pipelines", json!({ "name": "p" })).await;
    let text = "azml-mock does not emulate databricks.pipelines.create";
    assert_eq!((status, &refusal["message"]), (501, &json!(text)));
}
