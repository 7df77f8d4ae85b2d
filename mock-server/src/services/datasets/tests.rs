use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::azure::ML_AUDIENCE,
    tests::{WORKSPACE, assert_replays, send, token_for},
};

#[tokio::test]
async fn a_dataset_is_saved_as_recorded() {
    let cloud = MockCloud::new();
    assert_replays(&cloud, "datasets/saved-create", &token_for(ML_AUDIENCE)).await;
}

/// What is said to a data flow with this in its YAML.
async fn save(cloud: &MockCloud, steps: &str) -> (u16, Value) {
    let flow = json!({ "blocks": [], "meta": { "RsDataflow": steps } }).to_string();
    let body = json!({ "datasetType": "file", "properties": {}, "dataflowJson": flow });
    let path = format!("/dataset/v1.0{WORKSPACE}/saveddatasets");
    send(cloud, "POST", &path, &body.to_string()).await
}

#[tokio::test]
async fn a_path_below_a_datastore_is_found_however_it_is_written() {
    let cloud = MockCloud::new();
    let long = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/store/paths";
    for (written, path) in [
        (format!("\"{long}/a/b\""), "a/b"),
        (format!("\"{long}/a \\\"b\\\"\""), "a \"b\""),
        (format!("'{long}/it''s'"), "it's"),
        (format!("{long}/datastores/x/paths/y"), "datastores/x/paths/y"),
        (format!("{long}/"), ""),
        ("azureml://Datastores/store/Paths/a".to_owned(), "a"),
    ] {
        let (status, made) = save(&cloud, &format!("paths:\n  - pattern: {written}\n")).await;
        assert_eq!(status, 200, "{written}: {made}");
        let found = cloud.kernel().inspect(|world| {
            let workspace =
                world.arm.workspace("11111111-1111-1111-1111-111111111111", "rg1", "ws1");
            let id = workspace.unwrap().as_scope().workspace_id;
            world.datasets.path_of(&id, made["id"].as_str().unwrap()).cloned()
        });
        let found = found.unwrap();
        assert_eq!((found.datastore.as_str(), found.path.as_str()), ("store", path), "{written}");
    }
}

#[tokio::test]
async fn a_data_flow_without_a_path_below_a_datastore_is_refused() {
    let cloud = MockCloud::new();
    for (steps, message) in [
        ("type: mltable\n", "dataflowJson.meta.RsDataflow names no path"),
        (
            "paths:\n  - pattern: https://x.test/a\n",
            "dataflowJson names 'https://x.test/a', which is no path below a datastore",
        ),
    ] {
        let (status, refused) = save(&cloud, steps).await;
        assert_eq!((status, &refused["error"]["message"]), (400, &json!(message)));
    }
}
