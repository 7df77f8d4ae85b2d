use serde_json::{Value, json};

use crate::{
    MockCloud,
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
