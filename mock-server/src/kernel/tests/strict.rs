use serde_json::json;

use crate::{kernel::MockCloud, tests::send};

const CREATE: &str = "/mlflow/api/2.0/mlflow/experiments/create";

#[tokio::test]
async fn unknown_fields_are_ignored_and_noted() {
    let cloud = MockCloud::new();
    let body = json!({"name": "wine", "colour": "red"}).to_string();
    assert_eq!(send(&cloud, "POST", CREATE, &body).await.0, 200);
    let path = "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=1&view=FULL&api-version=1";
    assert_eq!(send(&cloud, "GET", path, "").await.0, 200);
    let (_, journal) = send(&cloud, "GET", "/_mock/journal", "").await;
    let unknown = |index: usize| journal["exchanges"][index]["unknown"].clone();
    assert_eq!((unknown(0), unknown(1)), (json!(["colour"]), json!(["view"])));
}

#[tokio::test]
async fn a_strict_cloud_refuses_unknown_fields() {
    let cloud = MockCloud::builder().with_strict(true).build().unwrap();
    let body = json!({"name": "wine", "colour": "red", "tags": []}).to_string();
    let (status, error) = send(&cloud, "POST", CREATE, &body).await;
    let wanted = json!({
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "azml-mock --strict does not know: colour",
    });
    assert_eq!((status, error), (400, wanted));
    assert_eq!(send(&cloud, "POST", CREATE, r#"{"name": "wine"}"#).await.0, 200);
}

#[tokio::test]
async fn a_body_beyond_all_measure_is_refused() {
    let cloud = MockCloud::new();
    let body = " ".repeat((32 << 20) + 1);
    assert_eq!(send(&cloud, "POST", CREATE, &body).await.0, 413);
}

#[tokio::test]
async fn a_strict_cloud_refuses_unknown_fields_of_metrics() {
    let cloud = MockCloud::builder().with_strict(true).build().unwrap();
    let root = "/mlflow/api/2.0/mlflow/runs";
    let (_, made) =
        send(&cloud, "POST", &format!("{root}/create"), r#"{"experiment_id":"0"}"#).await;
    let run = made["run"]["info"]["run_id"].as_str().unwrap();
    let point = json!({"key": "m", "value": 1, "timestamp": 1, "step": 1});
    let odd = json!({"key": "m", "value": 1, "timestamp": 1, "colour": "red"});
    let mut one = point.clone();
    one["run_id"] = run.into();
    let mut odd_one = odd.clone();
    odd_one["run_id"] = run.into();
    let batch = |point: &serde_json::Value| json!({"run_id": run, "metrics": [point]});
    for (call, body, status) in [
        ("log-metric", &one, 200),
        ("log-metric", &odd_one, 400),
        ("log-batch", &batch(&point), 200),
        ("log-batch", &batch(&odd), 400),
    ] {
        let answer = send(&cloud, "POST", &format!("{root}/{call}"), &body.to_string()).await;
        assert_eq!(answer.0, status, "{call} {body}: {}", answer.1);
    }
}
