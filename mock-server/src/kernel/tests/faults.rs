use axum::{
    body::Body,
    http::{
        Request, Response,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::kernel::{ConnectionReset, MockCloud};

const ROOT: &str = "/mlflow/api/2.0/mlflow/experiments";

async fn ask(cloud: &MockCloud, method: &str, path: &str, body: Value) -> Response<Body> {
    let request =
        Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string()));
    let Ok(response) = cloud.router().oneshot(request.unwrap()).await;
    response
}

async fn plan(cloud: &MockCloud, fault: Value) {
    assert_eq!(ask(cloud, "POST", "/_mock/faults", fault).await.status(), 200);
}

async fn create(cloud: &MockCloud, name: &str) -> Response<Body> {
    ask(cloud, "POST", &format!("{ROOT}/create"), json!({ "name": name })).await
}

async fn status_of(cloud: &MockCloud, name: &str) -> u16 {
    let path = format!("{ROOT}/get-by-name?experiment_name={name}");
    ask(cloud, "GET", &path, json!({})).await.status().as_u16()
}

fn is_reset(response: &Response<Body>) -> bool {
    response.extensions().get::<ConnectionReset>().is_some()
}

fn on_create(effect: &Value) -> Value {
    json!({ "match": { "operation": "mlflow.experiments.create" }, "effect": effect })
}

#[tokio::test]
async fn a_status_comes_in_the_words_of_the_service_and_the_handler_does_not_act() {
    let cloud = MockCloud::new();
    let effect = json!({"status": 429, "code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down", "retry_after": 7});
    plan(&cloud, on_create(&effect)).await;
    let response = create(&cloud, "wine").await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down"}));
    assert_eq!(status_of(&cloud, "wine").await, 404);
    assert_eq!(create(&cloud, "wine").await.status(), 200, "the fault is used up");
}

#[tokio::test]
async fn a_reset_before_the_handler_changes_nothing() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"reset": "before"}))).await;
    assert!(is_reset(&create(&cloud, "wine").await));
    assert_eq!(status_of(&cloud, "wine").await, 404);
}

#[tokio::test]
async fn a_reset_after_the_handler_loses_the_answer_only() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"reset": "after"}))).await;
    assert!(is_reset(&create(&cloud, "wine").await));
    assert_eq!(status_of(&cloud, "wine").await, 200);
}

#[tokio::test]
async fn a_status_after_the_handler_hides_a_success() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"status": 503, "reset": "after"}))).await;
    assert_eq!(create(&cloud, "wine").await.status(), 503);
    assert_eq!(status_of(&cloud, "wine").await, 200);
}

#[tokio::test]
async fn an_expired_token_is_a_401_and_nothing_happens() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"expire_token": true}))).await;
    assert_eq!(create(&cloud, "wine").await.status(), 401);
    assert_eq!(status_of(&cloud, "wine").await, 404);
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_it_has() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"truncate": 5}))).await;
    let response = create(&cloud, "wine").await;
    assert!(is_reset(&response));
    let promised: usize = response.headers()[CONTENT_LENGTH].to_str().unwrap().parse().unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.len() == 5 && 5 < promised);
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_its_time_and_changes_nothing_else() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"delay_ms": 1500}))).await;
    let began = tokio::time::Instant::now();
    assert_eq!(create(&cloud, "wine").await.status(), 200);
    assert_eq!(began.elapsed().as_millis(), 1500);
}

#[tokio::test]
async fn a_stale_read_shows_the_world_before_the_last_change() {
    let cloud = MockCloud::new();
    let fault = json!({
        "match": {"operation": "mlflow.experiments.get_by_name"}, "effect": {"stale": true},
    });
    plan(&cloud, fault).await;
    create(&cloud, "wine").await;
    assert_eq!(status_of(&cloud, "wine").await, 404);
    assert_eq!(status_of(&cloud, "wine").await, 200);
}

#[tokio::test]
async fn a_fault_meets_the_requests_that_it_counts() {
    let cloud = MockCloud::new();
    let fault = json!({
        "match": {"service": "mlflow", "method": "post", "path": "/mlflow/**/create"},
        "nth": 2, "times": 2, "effect": {"status": 500},
    });
    plan(&cloud, fault).await;
    let mut statuses = Vec::new();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(status_of(&cloud, name).await, 404, "another method is not met");
        statuses.push(create(&cloud, name).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 500, 200]);
    assert!(cloud.unmet_faults().is_empty());
}

#[tokio::test]
async fn each_fault_counts_the_requests_that_it_matches() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({ "status": 500 }))).await;
    let mut second = on_create(&json!({ "status": 502 }));
    second["nth"] = json!(2);
    plan(&cloud, second).await;
    for (name, status) in [("a", 500), ("b", 502), ("c", 200)] {
        assert_eq!(create(&cloud, name).await.status().as_u16(), status);
    }
}

#[tokio::test]
async fn a_fault_of_one_world_leaves_the_others_alone() {
    let cloud = MockCloud::new();
    plan(&cloud, on_create(&json!({"status": 500}))).await;
    let path = format!("/__tenant/t1{ROOT}/create");
    assert_eq!(ask(&cloud, "POST", &path, json!({"name": "wine"})).await.status(), 200);
    assert_eq!(create(&cloud, "wine").await.status(), 500);
}
