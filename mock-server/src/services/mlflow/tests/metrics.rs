use serde_json::{Value, json};

use super::{Mount, refusal};

async fn logged(mount: &Mount, run: &str, points: &[(i64, i64, f64)]) {
    let metrics: Vec<Value> = points
        .iter()
        .map(|(timestamp, step, value)| json!({"key": "loss", "value": value, "timestamp": timestamp, "step": step}))
        .collect();
    mount.did("/runs/log-batch", json!({"run_id": run, "metrics": metrics})).await;
}

#[tokio::test]
async fn a_logged_point_is_there_once_however_often_it_is_sent() {
    let (mount, run) = Mount::with_run().await;
    let point = json!({"run_id": run, "key": "loss", "value": "NaN", "timestamp": "5", "step": 1});
    for _ in 0..2 {
        assert_eq!(mount.post("/runs/log-metric", point.clone()).await, (200, json!({})));
    }
    let path = format!("/metrics/get-history?run_id={run}&metric_key=loss");
    let wanted = json!([{"key": "loss", "value": "NaN", "timestamp": 5, "step": 1}]);
    assert_eq!(mount.get(&path).await.1["metrics"], wanted);
    let bare = format!(r#"{{"run_id": "{run}", "key": "bare", "value": NaN, "timestamp": 1}}"#);
    assert_eq!(mount.ask("POST", "/runs/log-metric", &bare).await.0, 200);
    for (value, kept) in [("Infinity", f64::MAX), ("-Infinity", f64::MIN)] {
        let point = json!({"run_id": run, "key": value, "value": value, "timestamp": 1});
        mount.did("/runs/log-metric", point).await;
        let path = format!("/metrics/get-history?run_id={run}&metric_key={value}");
        assert_eq!(mount.get(&path).await.1["metrics"][0]["value"], kept);
    }
}

#[tokio::test]
async fn the_latest_value_is_that_of_the_highest_step() {
    let (mount, run) = Mount::with_run().await;
    logged(&mount, &run, &[(5, 2, 0.2), (9, 1, 0.9)]).await;
    let wanted = json!([{"key": "loss", "value": 0.2, "timestamp": 5, "step": 2}]);
    assert_eq!(mount.shown(&run).await["data"]["metrics"], wanted);
}

#[tokio::test]
async fn a_history_comes_in_order_of_time_and_in_pages() {
    let (mount, run) = Mount::with_run().await;
    logged(&mount, &run, &[(3, 0, 3.0), (1, 5, 1.0), (2, 9, 2.0)]).await;
    let path = format!("/metrics/get-history?run_id={run}&metric_key=loss&max_results=2");
    let (_, first) = mount.get(&path).await;
    let values = |it: &Value| -> Vec<f64> {
        it["metrics"].as_array().unwrap().iter().filter_map(|it| it["value"].as_f64()).collect()
    };
    assert_eq!(values(&first), [1.0, 2.0]);
    let token = first["next_page_token"].as_str().unwrap().replace('=', "%3D");
    let (_, last) = mount.get(&format!("{path}&page_token={token}")).await;
    assert_eq!((values(&last), &last["next_page_token"]), (vec![3.0], &Value::Null));
    let none = format!("/metrics/get-history?run_id={run}&metric_key=other");
    assert_eq!(mount.get(&none).await, (200, json!({})));
    for (rest, wanted) in [
        ("&max_results=0", "Invalid value 0 for parameter 'max_results' supplied. It must be"),
        ("&page_token=!", "Invalid page token, could not base64-decode"),
    ] {
        let path = format!("/metrics/get-history?run_id={run}&metric_key=loss{rest}");
        assert!(refusal(mount.get(&path).await).2.starts_with(wanted));
    }
}

#[tokio::test]
async fn histories_of_several_runs_come_together() {
    let (mount, run) = Mount::with_run().await;
    let other = mount.run("1").await;
    let points: Vec<(i64, i64, f64)> = (0..10).map(|it| (it, it, 1.0)).collect();
    logged(&mount, &run, &points).await;
    logged(&mount, &other, &[(1, 1, 1.0)]).await;
    let bulk = |rest: &str| format!("/metrics/get-history-bulk?run_id={run}&run_id={other}{rest}");
    let (_, all) = mount.get(&bulk("&metric_key=loss")).await;
    assert_eq!(all["metrics"].as_array().unwrap().len(), 11);
    assert!(refusal(mount.get(&bulk("")).await).2.ends_with("must specify a metric_key."));

    let sampled = |rest: &str| {
        format!("/metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss{rest}")
    };
    let (_, found) = mount.get(&sampled("&max_results=3")).await;
    let steps: Vec<i64> =
        found["metrics"].as_array().unwrap().iter().filter_map(|it| it["step"].as_i64()).collect();
    assert_eq!(steps, [0, 4, 9], "the first and the last are kept");
    assert_eq!(found["metrics"][0]["run_id"], json!(run));
    let (_, found) = mount.get(&sampled("&start_step=2&end_step=3")).await;
    assert_eq!(found["metrics"].as_array().unwrap().len(), 2);
    for (rest, wanted) in [
        ("&start_step=2", "If either start step or end step are specified, both must be"),
        ("&start_step=3&end_step=2", "end_step must be greater than start_step."),
        ("&max_results=2501", "max_results must be between 1 and 2500."),
    ] {
        assert!(refusal(mount.get(&sampled(rest)).await).2.starts_with(wanted), "{rest}");
    }
}
