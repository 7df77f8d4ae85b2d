use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

pub(in crate::services::databricks) async fn create(cloud: &MockCloud, more: Value) -> String {
    let mut body = json!({
        "cluster_name": "c", "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2", "num_workers": 1,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = post(cloud, "/api/2.1/clusters/create", body).await;
    assert_eq!(status, 200, "{made}");
    made["cluster_id"].as_str().unwrap().to_owned()
}

async fn state(cloud: &MockCloud, id: &str) -> Value {
    get(cloud, &format!("/api/2.0/clusters/get?cluster_id={id}")).await.1["state"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_lives_as_long_as_it_is_wanted() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let by_id = json!({ "cluster_id": id });
    assert_eq!(state(&cloud, &id).await, "PENDING");
    advance(Duration::from_secs(240)).await;
    assert_eq!(state(&cloud, &id).await, "RUNNING");
    post(&cloud, "/api/2.1/clusters/restart", by_id.clone()).await;
    assert_eq!(state(&cloud, &id).await, "RESTARTING");
    advance(Duration::from_secs(120)).await;
    post(&cloud, "/api/2.1/clusters/resize", json!({ "cluster_id": id, "num_workers": 3 })).await;
    assert_eq!(state(&cloud, &id).await, "RESIZING");
    advance(Duration::from_secs(60)).await;
    assert_eq!(
        post(&cloud, "/api/2.1/clusters/start", by_id.clone()).await.1["error_code"],
        "INVALID_STATE"
    );
    post(&cloud, "/api/2.1/clusters/delete", by_id.clone()).await;
    assert_eq!(state(&cloud, &id).await, "TERMINATING");
    advance(Duration::from_secs(20)).await;
    let (_, it) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!((&it["state"], &it["num_workers"]), (&json!("TERMINATED"), &json!(3)));
    assert_eq!(it["termination_reason"]["parameters"]["username"], "tester@example.com");
    assert_eq!(post(&cloud, "/api/2.1/clusters/start", by_id.clone()).await.0, 200);
    assert_eq!(state(&cloud, &id).await, "PENDING");
    let (_, events) = post(&cloud, "/api/2.1/clusters/events", by_id.clone()).await;
    assert_eq!(events["events"][0]["type"], "STARTING");

    post(&cloud, "/api/2.1/clusters/permanent-delete", by_id).await;
    let (status, gone) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!((status, &gone["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_nobody_uses_ends_by_itself() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({ "autotermination_minutes": 10 })).await;
    advance(Duration::from_secs(240 + 599)).await;
    assert_eq!(state(&cloud, &id).await, "RUNNING");
    advance(Duration::from_secs(30)).await;
    let (_, it) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!(it["termination_reason"]["code"], "INACTIVITY");
}

#[tokio::test]
async fn a_description_without_what_is_needed_names_the_field() {
    let cloud = MockCloud::new();
    let (status, answer) =
        post(&cloud, "/api/2.1/clusters/create", json!({ "node_type_id": "n" })).await;
    assert_eq!(
        (status, answer["message"].as_str().unwrap()),
        (400, "Missing required field: spark_version")
    );
}

#[tokio::test]
async fn one_idempotency_token_makes_one_cluster() {
    let cloud = MockCloud::new();
    let first = create(&cloud, json!({ "idempotency_token": "t" })).await;
    assert_eq!(create(&cloud, json!({ "idempotency_token": "t" })).await, first);
    let (_, listed) = get(&cloud, "/api/2.1/clusters/list").await;
    assert_eq!(listed["clusters"].as_array().unwrap().len(), 1);
}
