use axum::http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::kernel::MockCloud;

async fn call(cloud: &MockCloud, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    let Ok(response) = cloud.router().oneshot(request).await;
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn get(cloud: &MockCloud, path: &str) -> Value {
    let (status, body) = call(cloud, "GET", path, &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

async fn post(cloud: &MockCloud, path: &str, body: Value) -> Value {
    let (status, body) = call(cloud, "POST", path, &body).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

async fn refused(cloud: &MockCloud, path: &str, body: Value) -> String {
    let (status, body) = call(cloud, "POST", path, &body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_world_says_that_it_is_well() {
    let cloud = MockCloud::new();
    assert_eq!(get(&cloud, "/_mock/health").await, json!({"status":"ok","world":"default"}));
    let other = get(&cloud, "/__tenant/t1/_mock/health").await;
    assert_eq!(other, json!({"status":"ok","world":"t1"}));
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let (status, body) = call(&MockCloud::new(), "GET", "/_mock/helth", &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(
        body["error"]["message"],
        "there is no GET /_mock/helth; there are health, reset, clock, journal, faults, outcomes, tracking, apps, device_codes, export"
    );
}

#[tokio::test(start_paused = true)]
async fn the_clock_goes_forward_by_a_span_or_to_a_time() {
    let cloud = MockCloud::new();
    let start = json!({"now":"2026-01-01T00:00:00Z","offset_seconds":0.0});
    assert_eq!(get(&cloud, "/_mock/clock").await, start);
    let moved = post(&cloud, "/_mock/clock", json!({"advance_seconds": 90})).await;
    assert_eq!(moved, json!({"now":"2026-01-01T00:01:30Z","offset_seconds":90.0}));
    let moved = post(&cloud, "/_mock/clock", json!({"to": "2026-01-02T00:00:00Z"})).await;
    assert_eq!(moved, json!({"now":"2026-01-02T00:00:00Z","offset_seconds":86400.0}));
}

#[tokio::test(start_paused = true)]
async fn the_clock_refuses_what_is_no_way_forward() {
    let cloud = MockCloud::new();
    let clock = "/_mock/clock";
    let texts = [
        (json!({}), "give either advance_seconds or to"),
        (json!({"advance_seconds": -1}), "advance_seconds must be 0 or more"),
        (json!({"advance_seconds": 1e15}), "the clock cannot be moved beyond the year 9000"),
        (json!({"to": "2025-01-01T00:00:00Z"}), "to lies in the past; the clock only goes forward"),
    ];
    for (body, text) in texts {
        assert_eq!(refused(&cloud, clock, body).await, text);
    }
    assert_eq!(get(&cloud, clock).await["offset_seconds"], 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_state_faults_rules_clock_and_journal() {
    let cloud = MockCloud::new();
    let before = get(&cloud, "/_mock/export").await;
    post(&cloud, "/_mock/outcomes", json!([{"task":"*","result":"SUCCESS"}])).await;
    post(&cloud, "/_mock/faults", json!({"effect":{"status":500}})).await;
    post(&cloud, "/_mock/clock", json!({"advance_seconds": 60})).await;
    call(&cloud, "GET", "/api/2.0/nothing", &Value::Null).await;

    post(&cloud, "/_mock/reset", Value::Null).await;
    assert_eq!(get(&cloud, "/_mock/outcomes").await, json!([]));
    assert_eq!(get(&cloud, "/_mock/faults").await, json!([]));
    assert_eq!(get(&cloud, "/_mock/journal").await, json!({"exchanges":[]}));
    assert_eq!(get(&cloud, "/_mock/clock").await["offset_seconds"], 0.0);
    let after = get(&cloud, "/_mock/export").await;
    assert_ne!(
        before["world"]["arm"], after["world"]["arm"],
        "SDKs cache by the workspace's own id"
    );
}

#[tokio::test]
async fn worlds_do_not_see_each_other() {
    let cloud = MockCloud::new();
    post(&cloud, "/__tenant/t1/_mock/outcomes", json!([{"task":"*","result":"FAILED"}])).await;
    assert_eq!(get(&cloud, "/_mock/outcomes").await, json!([]));
    assert_eq!(get(&cloud, "/__tenant/t1/_mock/outcomes").await[0]["result"], "FAILED");
}

#[tokio::test]
async fn faults_are_appended_one_or_many_and_cleared() {
    let cloud = MockCloud::new();
    let one = json!({"match":{"operation":"databricks.clusters.get"},"effect":{"status":503}});
    assert_eq!(post(&cloud, "/_mock/faults", one.clone()).await, json!({"planned":1}));
    let many = json!([{"nth":2,"times":3,"effect":{"reset":"after"}}, {"effect":{"truncate":3}}]);
    assert_eq!(post(&cloud, "/_mock/faults", many).await, json!({"planned":3}));
    assert_eq!(get(&cloud, "/_mock/faults").await[0]["match"], one["match"]);
    call(&cloud, "DELETE", "/_mock/faults", &Value::Null).await;
    assert_eq!(get(&cloud, "/_mock/faults").await, json!([]));
}

#[tokio::test]
async fn a_fault_that_could_not_work_is_told_what_is_wrong() {
    let cloud = MockCloud::new();
    let texts = [
        (json!({"effect":{}}), "fault 0: effect has nothing in it"),
        (
            json!([{"effect":{"status":503}}, {"effect":{"status":99}}]),
            "fault 1: effect.status must be from 200 to 599",
        ),
        (json!({"times":0,"effect":{"status":503}}), "fault 0: nth and times count from 1"),
        (json!({"effect":{"retry_after":1}}), "fault 0: effect.retry_after needs effect.status"),
    ];
    for (body, text) in texts {
        assert_eq!(refused(&cloud, "/_mock/faults", body).await, text);
    }
    assert_eq!(get(&cloud, "/_mock/faults").await, json!([]), "all or nothing");
}

#[tokio::test]
async fn rules_are_replaced_and_bad_ones_change_nothing() {
    let cloud = MockCloud::new();
    let rules = json!([{"task":"prep*","result":"SUCCESS","metrics":{"a":1.0,"b":[1.0,2.0]}}]);
    post(&cloud, "/_mock/outcomes", rules.clone()).await;
    let text = refused(&cloud, "/_mock/outcomes", json!([{"task":"[","result":"SUCCESS"}])).await;
    assert!(text.starts_with("rule 0: task is no glob"), "{text}");
    assert_eq!(get(&cloud, "/_mock/outcomes").await, rules);
    post(&cloud, "/_mock/outcomes", json!([])).await;
    assert_eq!(get(&cloud, "/_mock/outcomes").await, json!([]));
}

#[tokio::test]
async fn an_export_can_be_read_back() {
    let cloud = MockCloud::new();
    post(&cloud, "/_mock/outcomes", json!([{"task":"*","result":"RUNNING"}])).await;
    let text = cloud.export();
    let world = import(&text).unwrap();
    assert_eq!(cloud.kernel().inspect(World::clone), world);
    assert_eq!(get(&cloud, "/_mock/export").await, serde_json::from_str::<Value>(&text).unwrap());
}

#[tokio::test]
async fn an_export_of_another_version_is_refused() {
    let err = import(r#"{"version":2,"world":{}}"#).unwrap_err();
    assert_eq!(err, "the seed has version 2, this program reads 1");
}

#[tokio::test]
async fn the_journal_tells_what_was_asked_and_answered() {
    let cloud = MockCloud::new();
    call(&cloud, "POST", "/api/2.0/nothing?token=fake", &json!({"password":"fake"})).await;
    let exchange = &get(&cloud, "/_mock/journal").await["exchanges"][0];
    assert_eq!(exchange["method"], "POST");
    assert_eq!(exchange["path"], "/api/2.0/nothing");
    assert_eq!(exchange["query"], "token=***");
    assert_eq!(exchange["request_body"], json!({"password":"***"}));
    assert_eq!(exchange["status"], 404);
    assert!(exchange["at"].as_str().unwrap().starts_with("2026-01-01T"), "{}", exchange["at"]);
}
