use std::time::Duration;

use serde_json::json;
use tokio::time::advance;

use crate::{
    MockCloud,
    services::databricks::{
        clusters::tests::create,
        tests::{get, post},
    },
};

#[tokio::test(start_paused = true)]
async fn a_library_is_installed_when_the_cluster_runs_and_again_after_a_restart() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let body = json!({ "cluster_id": id, "libraries": [{ "pypi": { "package": "six" } }] });
    assert_eq!(post(&cloud, "/api/2.0/libraries/install", body.clone()).await, (200, json!({})));
    let status = async || {
        let path = format!("/api/2.0/libraries/cluster-status?cluster_id={id}");
        get(&cloud, &path).await.1["library_statuses"][0]["status"].clone()
    };
    assert_eq!(status().await, "PENDING");
    advance(Duration::from_secs(241)).await;
    assert_eq!(status().await, "INSTALLING");
    advance(Duration::from_secs(30)).await;
    assert_eq!(status().await, "INSTALLED");
    post(&cloud, "/api/2.0/libraries/uninstall", body).await;
    assert_eq!(status().await, "UNINSTALL_ON_RESTART");
    post(&cloud, "/api/2.1/clusters/restart", json!({ "cluster_id": id })).await;
    assert_eq!(status().await, json!(null));
}
