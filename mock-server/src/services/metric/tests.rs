use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    Fault, MockCloud,
    services::azure::ML_AUDIENCE,
    tests::{WORKSPACE, send, send_text, token_for},
};

fn at(rest: &str) -> String {
    format!("/metric/v2.0{WORKSPACE}/runs/r1{rest}")
}

async fn with_run() -> MockCloud {
    let cloud = MockCloud::new();
    let history = format!("/history/v1.0{WORKSPACE}/experiments/wine");
    send(&cloud, "POST", &history, "").await;
    send(&cloud, "PATCH", &format!("{history}/runs/r1"), r#"{"runId":"r1"}"#).await;
    cloud
}

fn scalar(name: &str, values: &str) -> String {
    format!(
        r#"{{"name":"{name}","columns":{{"{name}":"double"}},"value":[{values}],"properties":{{"uxMetricType":"azureml.v1.scalar"}}}}"#
    )
}

async fn log(cloud: &MockCloud, metrics: &[String]) -> Value {
    let body = format!(r#"{{"values":[{}],"reportErrors":true}}"#, metrics.join(","));
    let (status, answer) = send(cloud, "POST", &at("/batch"), &body).await;
    assert_eq!(status, 200);
    answer
}

#[tokio::test]
async fn values_come_back_in_the_order_of_their_times_and_not_finite_ones_bare() {
    let cloud = with_run().await;
    let value = |second: u32, value: &str| {
        format!(r#"{{"createdUtc":"2026-01-01T00:00:{second:02}Z","data":{{"loss":{value}}}}}"#)
    };
    log(&cloud, &[scalar("loss", &value(2, "NaN"))]).await;
    log(&cloud, &[scalar("loss", &[value(1, "0.5"), value(3, "-Infinity")].join(","))]).await;

    let token = token_for(ML_AUDIENCE);
    let (_, text) =
        send_text(&cloud, "POST", &at("/full"), &token, r#"{"metricName":"loss"}"#).await;
    let values: Vec<&str> =
        text.split("\"loss\":").skip(2).map(|it| &it[..it.find('}').unwrap()]).collect();
    assert_eq!(values, ["0.5", "NaN", "-Infinity"], "{text}");
}

#[tokio::test]
async fn large_integers_and_numbers_of_a_table_come_back_as_they_were_sent() {
    let cloud = with_run().await;
    let large = r#"{"name":"n","columns":{"n":"int"},"value":[{"data":{"n":1180591620717411303425}},
        {"data":{"n":9007199254740993}}],"properties":{"uxMetricType":"azureml.v1.scalar"}}"#;
    let table = r#"{"name":"t","columns":{"a":"double","b":"string"},"value":[{"data":{"a":NaN,
        "b":"NaN"}}],"properties":{"uxMetricType":"azureml.v1.table"}}"#;
    log(&cloud, &[large.to_owned(), table.to_owned()]).await;
    let token = token_for(ML_AUDIENCE);
    for (name, wanted) in [
        ("n", [r#"{"n":1180591620717411303425}"#, r#"{"n":9007199254740993}"#]),
        ("t", [r#""a":NaN"#, r#""b":"NaN""#]),
    ] {
        let body = format!(r#"{{"metricName":"{name}"}}"#);
        let (_, text) = send_text(&cloud, "POST", &at("/full"), &token, &body).await;
        assert!(wanted.iter().all(|it| text.contains(it)), "{text}");
    }
}

#[tokio::test]
async fn a_metric_keeps_its_columns() {
    let cloud = with_run().await;
    let table = |columns: Value, row: Value| {
        json!({"name": "t", "columns": columns, "value": [{"data": row}],
               "properties": {"uxMetricType": "azureml.v1.table"}})
        .to_string()
    };
    let first = table(json!({"a": "int", "b": "string"}), json!({"a": 1, "b": "x"}));
    assert_eq!(log(&cloud, &[first]).await["errors"], json!([]));
    let second = table(json!({"a": "int"}), json!({"a": 1}));
    assert_eq!(log(&cloud, &[second]).await["errors"][0]["metric"], "t");

    let (_, names) = send(&cloud, "POST", &at("/list"), "{}").await;
    assert_eq!(names["value"][0]["columns"], json!({"a": "int", "b": "string"}));
    let (_, full) = send(&cloud, "POST", &at("/full"), r#"{"metricName":"t"}"#).await;
    assert_eq!(full["value"][0]["data"], json!({"a": 1, "b": "x"}));
}

#[tokio::test]
async fn a_metric_that_is_not_there_is_not_found() {
    let cloud = with_run().await;
    let (status, _) = send(&cloud, "POST", &at("/full"), r#"{"metricName":"none"}"#).await;
    assert_eq!(status, 404);
}

const LARGE: &str = "1180591620717411303425";

/// Batches of a number, a text, a list and a large integer, all with an id.
fn of_all_kinds(id: &str) -> Vec<String> {
    let of = |name: &str, kind: &str, shown_as: &str, cell: &str| {
        format!(
            r#"{{"name":"{name}","columns":{{"{name}":"{kind}"}},"properties":{{"uxMetricType":"azureml.v1.{shown_as}"}},
            "value":[{{"metricId":"{id}","createdUtc":"2026-01-01T00:00:00Z","data":{{"{name}":{cell}}}}}]}}"#
        )
    };
    vec![
        of("number", "double", "scalar", "0.5"),
        of("text", "string", "scalar", r#""x""#),
        of("list", "double", "list", "1"),
        of("large", "int", "scalar", LARGE),
    ]
}

async fn count(cloud: &MockCloud, name: &str) -> usize {
    let body = json!({ "metricName": name }).to_string();
    let (_, text) = send_text(cloud, "POST", &at("/full"), &token_for(ML_AUDIENCE), &body).await;
    text.matches("\"createdUtc\"").count()
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_stored_once() {
    let cloud = with_run().await;
    cloud.inject(Fault::reset("metric.batch").after_handler());
    let body = format!(r#"{{"values":[{}],"reportErrors":true}}"#, of_all_kinds("a").join(","));
    let request = Request::post(at("/batch"))
        .header(AUTHORIZATION, format!("Bearer {}", token_for(ML_AUDIENCE)))
        .body(Body::from(body))
        .unwrap();
    drop(cloud.router().oneshot(request).await);
    log(&cloud, &of_all_kinds("a")).await;
    for name in ["number", "text", "list", "large"] {
        assert_eq!(count(&cloud, name).await, 1, "{name}");
    }
}

#[tokio::test]
async fn equal_values_of_different_ids_are_two() {
    let cloud = with_run().await;
    for id in ["a", "b"] {
        log(&cloud, &of_all_kinds(id)).await;
    }
    for name in ["number", "text", "list", "large"] {
        assert_eq!(count(&cloud, name).await, 2, "{name}");
    }
}

#[tokio::test]
async fn a_strict_cloud_takes_what_the_official_client_sends() {
    let cloud = MockCloud::builder().with_strict(true).build().unwrap();
    let history = format!("/history/v1.0{WORKSPACE}/experiments/wine");
    send(&cloud, "POST", &history, "").await;
    send(&cloud, "PATCH", &format!("{history}/runs/r1"), r#"{"runId":"r1"}"#).await;
    assert_eq!(log(&cloud, &of_all_kinds("a")).await["errors"], json!([]));
    let odd = r#"{"values":[],"colour":1}"#;
    assert_eq!(send(&cloud, "POST", &at("/batch"), odd).await.0, 400);
}

#[tokio::test]
async fn pages_do_not_shift_when_an_older_value_arrives() {
    let cloud = with_run().await;
    let values = |steps: std::ops::Range<i64>| {
        let value = |step| {
            format!(
                r#"{{"createdUtc":"2026-01-01T00:00:00Z","step":{step},"data":{{"m":{step}}}}}"#
            )
        };
        steps.map(value).collect::<Vec<_>>().join(",")
    };
    log(&cloud, &[scalar("m", &values(1..10_003))]).await;
    let (_, first) = send(&cloud, "POST", &at("/full"), r#"{"metricName":"m"}"#).await;
    assert_eq!(first["value"][9_999]["step"], 10_000);
    log(&cloud, &[scalar("m", &values(0..1))]).await;
    let body = json!({"metricName": "m", "continuationToken": first["continuationToken"]});
    let (_, last) = send(&cloud, "POST", &at("/full"), &body.to_string()).await;
    let steps: Vec<&Value> =
        last["value"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, [10_001, 10_002]);
    assert_eq!(last["continuationToken"], Value::Null);
    let body = r#"{"metricName":"m","continuationToken":"7"}"#;
    assert_eq!(send(&cloud, "POST", &at("/full"), body).await.0, 400);
}

#[tokio::test]
async fn mlflow_sees_integers_that_are_kept_whole_as_floats() {
    let cloud = with_run().await;
    log(&cloud, &of_all_kinds("a")).await;
    let root = format!("/mlflow/v2.0{WORKSPACE}/api/2.0/mlflow");
    let (_, run) = send(&cloud, "GET", &format!("{root}/runs/get?run_id=r1"), "").await;
    let metrics = run["run"]["data"]["metrics"].as_array().unwrap();
    let latest = metrics.iter().find(|it| it["key"] == "large").expect("the integer is shown");
    assert_eq!(latest["value"].as_f64(), Some(LARGE.parse().unwrap()));
    let path = format!("{root}/metrics/get-history?run_id=r1&metric_key=large");
    let (_, history) = send(&cloud, "GET", &path, "").await;
    assert_eq!(history["metrics"][0]["value"].as_f64(), Some(LARGE.parse().unwrap()));
}
