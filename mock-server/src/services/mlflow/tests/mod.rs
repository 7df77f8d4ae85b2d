use serde_json::{Value, json};

use crate::{
    MockCloud,
    tests::{WORKSPACE, send},
};

const ROOT: &str = "/mlflow/api/2.0/mlflow";

async fn post(cloud: &MockCloud, path: &str, body: Value) -> (u16, Value) {
    send(cloud, "POST", &format!("{ROOT}{path}"), &body.to_string()).await
}

async fn with_run() -> (MockCloud, String) {
    let cloud = MockCloud::new();
    let (status, made) = post(&cloud, "/experiments/create", json!({"name": "wine"})).await;
    assert_eq!((status, &made["experiment_id"]), (200, &"1".into()), "0 is Default");
    let (_, made) = post(&cloud, "/runs/create", json!({"experiment_id": "1"})).await;
    (cloud, made["run"]["info"]["run_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_logged_point_is_there_once_however_often_it_is_sent() {
    let (cloud, run) = with_run().await;
    let point = json!({"run_id": run, "key": "loss", "value": "NaN", "timestamp": "5", "step": 1});
    for _ in 0..2 {
        assert_eq!(post(&cloud, "/runs/log-metric", point.clone()).await, (200, json!({})));
    }
    let path = format!("{ROOT}/metrics/get-history?run_id={run}&metric_key=loss");
    let (_, history) = send(&cloud, "GET", &path, "").await;
    let wanted = json!([{"key": "loss", "value": "NaN", "timestamp": 5, "step": 1}]);
    assert_eq!(history["metrics"], wanted);
}

#[tokio::test]
async fn a_batch_is_logged_whole_or_not_at_all() {
    let (cloud, run) = with_run().await;
    let param = json!({"run_id": run, "key": "depth", "value": "3"});
    assert_eq!(post(&cloud, "/runs/log-parameter", param).await.0, 200);
    let batch = json!({"run_id": run, "params": [{"key": "depth", "value": "4"}],
        "metrics": [{"key": "m", "value": 1.0, "timestamp": 1}]});
    let (status, error) = post(&cloud, "/runs/log-batch", batch).await;
    assert_eq!((status, &error["error_code"]), (400, &"INVALID_PARAMETER_VALUE".into()));
    let (_, it) = send(&cloud, "GET", &format!("{ROOT}/runs/get?run_id={run}"), "").await;
    assert_eq!(it["run"]["data"]["metrics"], Value::Null);

    let many: Vec<Value> =
        (0..1001).map(|it| json!({"key": "m", "value": it, "timestamp": it})).collect();
    let batch = json!({"run_id": run, "metrics": many});
    assert_eq!(post(&cloud, "/runs/log-batch", batch).await.0, 400);
}

#[tokio::test]
async fn a_deleted_run_takes_nothing_until_it_is_restored() {
    let (cloud, run) = with_run().await;
    let key = json!({"run_id": run});
    post(&cloud, "/runs/delete", key.clone()).await;
    let tag = json!({"run_id": run, "key": "k", "value": "v"});
    assert_eq!(post(&cloud, "/runs/set-tag", tag.clone()).await.0, 400);
    post(&cloud, "/runs/restore", key).await;
    assert_eq!(post(&cloud, "/runs/set-tag", tag).await.0, 200);
}

#[tokio::test]
async fn an_experiment_that_exists_is_a_400_and_an_unknown_one_a_404() {
    let (cloud, _) = with_run().await;
    let (status, error) = post(&cloud, "/experiments/create", json!({"name": "wine"})).await;
    assert_eq!((status, &error["error_code"]), (400, &"RESOURCE_ALREADY_EXISTS".into()));
    let (status, error) = post(&cloud, "/experiments/create", json!({})).await;
    assert_eq!((status, &error["error_code"]), (400, &"INVALID_PARAMETER_VALUE".into()));
    let path = format!("{ROOT}/experiments/get-by-name?experiment_name=beer");
    assert_eq!(send(&cloud, "GET", &path, "").await.0, 404);
}

#[tokio::test]
async fn what_mlflow_logs_run_history_shows() {
    let cloud = MockCloud::new();
    let history = format!("/history/v1.0{WORKSPACE}/experiments/wine");
    send(&cloud, "POST", &history, "").await;
    send(&cloud, "PATCH", &format!("{history}/runs/r1"), r#"{"runId":"r1"}"#).await;
    let mlflow = format!("/mlflow/v2.0{WORKSPACE}/api/2.0/mlflow");
    let batch = json!({"run_id": "r1", "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 2}],
        "tags": [{"key": "stage", "value": "test"}]});
    let path = format!("{mlflow}/runs/log-batch");
    assert_eq!(send(&cloud, "POST", &path, &batch.to_string()).await.0, 200);
    let update = json!({"run_id": "r1", "status": "FINISHED"}).to_string();
    send(&cloud, "POST", &format!("{mlflow}/runs/update"), &update).await;

    let (_, run) = send(&cloud, "GET", &format!("{history}/runs/r1"), "").await;
    assert_eq!((&run["status"], &run["tags"]["stage"]), (&"Completed".into(), &"test".into()));
    let full = format!("/metric/v2.0{WORKSPACE}/runs/r1/full");
    let (_, metric) = send(&cloud, "POST", &full, r#"{"metricName":"loss"}"#).await;
    assert_eq!(metric["value"][0]["data"]["loss"], 0.5);
}
