use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

const ROOT: &str = "/api/2.0/instance-pools";

async fn create(cloud: &MockCloud, body: Value) -> (u16, Value) {
    post(cloud, &format!("{ROOT}/create"), body).await
}

#[tokio::test]
async fn a_pool_is_made_changed_and_deleted() {
    let cloud = MockCloud::new();
    let body =
        json!({ "instance_pool_name": "p", "node_type_id": "Standard_F4s", "max_capacity": "2" });
    let (_, made) = create(&cloud, body.clone()).await;
    let id = made["instance_pool_id"].as_str().unwrap();
    assert_eq!(create(&cloud, body).await.0, 400, "names are taken once");
    let (_, it) = get(&cloud, &format!("{ROOT}/get?instance_pool_id={id}")).await;
    assert_eq!((&it["state"], &it["max_capacity"]), (&json!("ACTIVE"), &json!(2)));

    let edit = json!({ "instance_pool_id": id, "instance_pool_name": "q", "node_type_id": "Standard_F4s" });
    assert_eq!(post(&cloud, &format!("{ROOT}/edit"), edit.clone()).await, (200, json!({})));
    let (_, listed) = get(&cloud, &format!("{ROOT}/list")).await;
    assert_eq!(listed["instance_pools"][0]["instance_pool_name"], "q");
    let mut other = edit;
    other["node_type_id"] = json!("Standard_DS3_v2");
    assert_eq!(post(&cloud, &format!("{ROOT}/edit"), other).await.0, 400);

    let named = json!({ "instance_pool_id": id });
    assert_eq!(post(&cloud, &format!("{ROOT}/delete"), named.clone()).await.0, 200);
    let (status, gone) = post(&cloud, &format!("{ROOT}/delete"), named).await;
    assert_eq!((status, &gone["error_code"]), (404, &json!("RESOURCE_DOES_NOT_EXIST")));
}

#[tokio::test]
async fn a_cluster_takes_its_machines_from_a_pool() {
    let cloud = MockCloud::new();
    let body = json!({ "instance_pool_name": "p", "node_type_id": "Standard_F4s" });
    let (_, made) = create(&cloud, body).await;
    let id = &made["instance_pool_id"];
    let cluster =
        json!({ "spark_version": "15.4.x-scala2.12", "instance_pool_id": id, "num_workers": 1 });
    let (status, made) = post(&cloud, "/api/2.1/clusters/create", cluster).await;
    assert_eq!(status, 200);
    let path = format!("/api/2.1/clusters/get?cluster_id={}", made["cluster_id"].as_str().unwrap());
    let (_, cluster) = get(&cloud, &path).await;
    assert_eq!(
        (&cluster["node_type_id"], &cluster["instance_pool_id"]),
        (&json!("Standard_F4s"), id)
    );
    let (_, pool) =
        get(&cloud, &format!("{ROOT}/get?instance_pool_id={}", id.as_str().unwrap())).await;
    assert_eq!(pool["stats"]["used_count"], 2);
    let unknown = json!({ "spark_version": "15.4.x-scala2.12", "instance_pool_id": "nope" });
    assert_eq!(post(&cloud, "/api/2.1/clusters/create", unknown).await.0, 400);
}

#[tokio::test]
async fn what_a_pool_needs_is_named() {
    let cloud = MockCloud::new();
    let message = async |body: Value| create(&cloud, body).await.1["message"].clone();
    assert_eq!(message(json!({})).await, "Missing required field: instance_pool_name");
    let wrong = json!({
        "instance_pool_name": "p", "node_type_id": "n", "min_idle_instances": 3, "max_capacity": 2,
    });
    assert_eq!(message(wrong).await, "min_idle_instances must not exceed max_capacity");
}
