use crate::{
    MockCloud,
    services::azure::ML_AUDIENCE,
    tests::{WORKSPACE, assert_replays, send, token_for},
};

#[tokio::test]
async fn datastores_are_described_as_recorded() {
    let cloud = MockCloud::new();
    for fixture in ["datastore/default", "datastore/get", "datastore/list"] {
        assert_replays(&cloud, fixture, &token_for(ML_AUDIENCE)).await;
    }
}

#[tokio::test]
async fn the_default_is_the_workspaces_own_container() {
    let cloud = MockCloud::new();
    let path = format!("https://eastus.api.azureml.ms/datastore/v1.0{WORKSPACE}");
    let (_, default) = send(&cloud, "GET", &format!("{path}/default"), "").await;
    let section = &default["azureStorageSection"];
    assert_eq!(section["accountName"], "mockstorage1");
    assert_eq!(section["endpoint"], "core.windows.net");
    let container = section["containerName"].as_str().unwrap();
    assert!(container.starts_with("azureml-blobstore-"));
    let (_, found) =
        send(&cloud, "GET", &format!("{path}/datastores/workspaceartifactstore"), "").await;
    assert_eq!(found["azureStorageSection"]["containerName"], "azureml");
    let (status, _) = send(&cloud, "GET", &format!("{path}/datastores/other"), "").await;
    assert_eq!(status, 404);
}
