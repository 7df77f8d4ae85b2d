//! What `/_mock/tracking` and the builder change: every way in goes by it.

use std::time::Duration;

use serde_json::{Value, json};

use super::Mount;
use crate::{
    MockCloud, TrackingOptions,
    tests::{WORKSPACE, send, send_as},
};

async fn history(mount: &Mount, run: &str) -> usize {
    let path = format!("/metrics/get-history?run_id={run}&metric_key=loss");
    mount.get(&path).await.1["metrics"].as_array().map_or(0, Vec::len)
}

async fn change(cloud: &MockCloud, body: Value) -> (u16, Value) {
    send_as(cloud, "POST", "/_mock/tracking", "", &body.to_string()).await
}

#[tokio::test]
async fn without_dedupe_every_point_that_is_sent_is_kept() {
    for mount in Mount::all() {
        let run = mount.run(&mount.experiment("wine").await).await;
        let point = json!({"key": "loss", "value": 0.5, "timestamp": 1, "step": 2});
        let mut one = point.clone();
        one["run_id"] = json!(run);
        let batch = json!({"run_id": run, "metrics": [point, point]});
        for (dedupe, kept) in [(true, 1), (false, 4), (true, 4)] {
            mount.cloud.set_tracking(TrackingOptions::default().with_dedupe(dedupe));
            mount.did("/runs/log-metric", one.clone()).await;
            mount.did("/runs/log-batch", batch.clone()).await;
            assert_eq!(history(&mount, &run).await, kept, "{} {dedupe}", mount.prefix);
        }
    }
}

#[tokio::test]
async fn without_dedupe_azure_ml_keeps_a_point_of_the_same_id_twice() {
    let cloud = MockCloud::builder()
        .with_tracking(TrackingOptions::default().with_dedupe(false))
        .build()
        .unwrap();
    let experiment = format!("/history/v1.0{WORKSPACE}/experiments/wine");
    send(&cloud, "POST", &experiment, "").await;
    send(&cloud, "PATCH", &format!("{experiment}/runs/r1"), r#"{"runId":"r1"}"#).await;
    let metric = |name: &str, kind: &str, cell: Value| {
        json!({"name": name, "columns": {name: kind}, "properties": {"uxMetricType": "azureml.v1.scalar"},
            "value": [{"metricId": "a", "createdUtc": "2026-01-01T00:00:00Z", "data": {name: cell}}]})
    };
    let values = json!([metric("n", "double", json!(0.5)), metric("t", "string", json!("x"))]);
    let body = json!({ "values": values, "reportErrors": true }).to_string();
    let root = format!("/metric/v2.0{WORKSPACE}/runs/r1");
    for _ in 0..2 {
        assert_eq!(send(&cloud, "POST", &format!("{root}/batch"), &body).await.0, 200);
    }
    for name in ["n", "t"] {
        let body = json!({ "metricName": name }).to_string();
        let (_, full) = send(&cloud, "POST", &format!("{root}/full"), &body).await;
        assert_eq!(full["value"].as_array().map(Vec::len), Some(2), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_seen_after_the_delay() {
    for mount in Mount::all() {
        let experiment = mount.experiment("wine").await;
        let delay = TrackingOptions::default().with_visibility_delay(Duration::from_secs(10));
        mount.cloud.set_tracking(delay);
        let run = mount.run(&experiment).await;
        let log = json!({"run_id": run, "metrics": [{"key": "loss", "value": 1, "timestamp": 1}]});
        mount.did("/runs/log-batch", log).await;
        let search = json!({"experiment_ids": [experiment]});
        for seen in [false, true] {
            let found = mount.did("/runs/search", search.clone()).await;
            assert_eq!(found["runs"].is_array(), seen, "{} {found}", mount.prefix);
            assert_eq!(history(&mount, &run).await, usize::from(seen));
            assert_eq!(mount.shown(&run).await["data"]["metrics"].is_array(), seen);
            tokio::time::advance(Duration::from_secs(10)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_later_is_in_an_export_and_is_seen_in_its_order() {
    let (mount, run) = Mount::with_run().await;
    for seconds in [20, 10] {
        let delay = Duration::from_secs(seconds);
        mount.cloud.set_tracking(TrackingOptions::default().with_visibility_delay(delay));
        let point = json!({"run_id": run, "key": "loss", "value": seconds, "timestamp": seconds});
        mount.did("/runs/log-metric", point).await;
    }
    let kept: crate::kernel::World =
        mount.cloud.kernel().inspect(|it| serde_json::from_value(json!(it))).unwrap();
    assert_eq!(kept, mount.cloud.kernel().inspect(Clone::clone));
    for points in [1, 2] {
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(history(&mount, &run).await, points);
    }
}

#[tokio::test]
async fn a_test_sets_and_reads_the_switches_and_a_reset_brings_them_back() {
    let cloud = MockCloud::new();
    let (status, shown) = change(&cloud, json!({"dedupe": false})).await;
    assert_eq!(status, 200);
    let wanted = json!({"dedupe": false, "visibility_delay_seconds": 0.0, "artifact_root": null, "faithful": true});
    assert_eq!(shown, wanted);
    change(&cloud, json!({"visibility_delay_seconds": 1.5})).await;
    let wanted = TrackingOptions::default()
        .with_dedupe(false)
        .with_visibility_delay(Duration::from_millis(1500));
    assert_eq!(cloud.tracking(), wanted);
    for bad in [json!({"visibility_delay_seconds": -1}), json!({"dedup": true})] {
        assert_eq!(change(&cloud, bad).await.0, 400);
    }
    send_as(&cloud, "POST", "/_mock/reset", "", "").await;
    assert_eq!(cloud.tracking(), TrackingOptions::default());
}

/// What MLflow's own server keeps of bodies that its parser does not get through.
#[tokio::test]
async fn a_body_of_the_wrong_kind_is_read_as_far_as_mlflow_reads_it_or_refused() {
    let (mount, run) = Mount::with_run().await;
    let strict = TrackingOptions::default().with_faithful(false);
    let metric = |key: &str, value: &str| {
        format!(
            r#"{{"run_id": "{run}", "key": "{key}", "value": {value}, "timestamp": 5, "step": 3}}"#
        )
    };
    for (index, value) in ["NaN", "true", "1e400"].into_iter().enumerate() {
        let key = format!("m{index}");
        let sent = mount.ask("POST", "/runs/log-metric", &metric(&key, value)).await;
        assert_eq!(sent, (200, json!({})), "{value}");
        let path = format!("/metrics/get-history?run_id={run}&metric_key={key}");
        let lost = json!([{"key": key, "value": 0.0, "timestamp": 0, "step": 0}]);
        assert_eq!(mount.get(&path).await.1["metrics"], lost, "{value}: what follows is lost, too");
    }
    let refused = super::refusal(mount.ask("POST", "/runs/log-metric", &metric("m", "[]")).await);
    assert!(
        refused.2.starts_with("Invalid value [] for parameter 'value' supplied"),
        "{refused:?}"
    );

    let tags = json!([{"key": "a", "value": "1"}, {"key": "b", "value": 2}, {"key": "c"}]);
    let made = mount.did("/runs/create", json!({"experiment_id": "1", "tags": tags})).await;
    let kept: Vec<&Value> = made["run"]["data"]["tags"].as_array().unwrap().iter().collect();
    assert_eq!(kept[..2], [&json!({"key": "a", "value": "1"}), &json!({"key": "b", "value": ""})]);
    assert_eq!(kept.len(), 3, "the third is the name of the run");
    // The order of fields counts: the run is told before the parser stops.
    let point = r#"{"key": "x", "value": "x", "timestamp": 1}"#;
    let batch = format!(r#"{{"run_id": "{run}", "metrics": [{point}]}}"#);
    assert_eq!(mount.ask("POST", "/runs/log-batch", &batch).await.0, 200);

    mount.cloud.set_tracking(strict);
    assert_eq!(mount.ask("POST", "/runs/log-batch", &batch).await.0, 400);
    let body = json!({"experiment_id": "1", "tags": tags});
    assert_eq!(mount.refused("/runs/create", body).await.0, 400);
    for (value, status) in [("true", 400), ("1e400", 400), ("NaN", 200)] {
        let sent = mount.ask("POST", "/runs/log-metric", &metric("s", value)).await;
        assert_eq!(sent.0, status, "{value}");
    }
    let path = format!("/metrics/get-history?run_id={run}&metric_key=s");
    assert_eq!(mount.get(&path).await.1["metrics"][0]["value"], "NaN", "and nothing else is lost");
}
