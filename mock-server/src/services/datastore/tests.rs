use serde_json::{Value, json};

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

fn at(rest: &str) -> String {
    format!("https://eastus.api.azureml.ms/datastore/v1.0{WORKSPACE}{rest}")
}

async fn names(cloud: &MockCloud, query: &str) -> Vec<String> {
    let (_, page) = send(cloud, "GET", &at(&format!("/datastores{query}")), "").await;
    let all = page["value"].as_array().unwrap().iter();
    all.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_datastore_is_registered_changed_made_the_default_and_deleted_as_the_sdk_does() {
    let cloud = MockCloud::new();
    let token = token_for(ML_AUDIENCE);
    for name in ["create", "create-existing", "update", "set-default", "get-missing"] {
        assert_replays(&cloud, &format!("datastore/{name}"), &token).await;
    }
    let (_, default) = send(&cloud, "GET", &at("/default"), "").await;
    assert_eq!((&default["name"], &default["isDefault"]), (&json!("extra"), &json!(true)));
    assert_eq!(default["azureStorageSection"]["credential"], "MDAwMA==");

    let (status, answer) = send(&cloud, "DELETE", &at("/datastores/extra"), "").await;
    let message =
        "Datastore 'extra' is the default one; make another the default before you delete it";
    assert_eq!((status, &answer["error"]["message"]), (409, &json!(message)));
    let own = at("/default/workspaceblobstore");
    assert_eq!(send(&cloud, "PUT", &own, "").await.0, 200);
    assert_replays(&cloud, "datastore/delete", &token).await;
    assert_eq!(names(&cloud, "").await, ["workspaceblobstore", "workspaceartifactstore"]);
    assert_eq!(send(&cloud, "DELETE", &at("/datastores/extra"), "").await.0, 404);
    assert_eq!(send(&cloud, "PUT", &at("/default/extra"), "").await.0, 404);
}

#[tokio::test]
async fn what_names_no_container_is_refused_with_its_reason() {
    let cloud = MockCloud::new();
    let full = |account: &str, container: &str| json!({ "accountName": account, "containerName": container });
    let blob = |name: &str, section: Value| json!({ "name": name, "dataStoreType": "AzureBlob", "azureStorageSection": section });
    let mut keyless = full("mockstorage1", "azureml");
    keyless["credentialType"] = json!("AccountKey");
    let cases = [
        (blob("", full("a", "c")), 400, "name is missing"),
        (
            blob("a-b", full("a", "c")),
            400,
            "\"a-b\" is no name for a datastore: it may have letters, digits and _ alone",
        ),
        (blob("x", full("", "c")), 400, "azureStorageSection.accountName is missing"),
        (blob("x", full("a", "")), 400, "azureStorageSection.containerName is missing"),
        (blob("x", keyless), 400, "azureStorageSection.credential is missing; AccountKey needs it"),
        (
            blob("x", full("mockstorage1", "nowhere")),
            400,
            "The container 'nowhere' of storage account 'mockstorage1' was not found; create it, or register the datastore with createIfNotExists",
        ),
        (
            json!({ "name": "x", "dataStoreType": "AzureBlob" }),
            400,
            "azureStorageSection is missing",
        ),
        (json!({ "name": "x" }), 400, "dataStoreType is missing"),
        (
            json!({ "name": "x", "dataStoreType": "AzureFile" }),
            501,
            "azml-mock does not emulate datastores of type AzureFile",
        ),
        (
            blob("WorkspaceBlobStore", full("mockstorage1", "azureml")),
            400,
            "Another datastore with the same name already exists: workspaceblobstore",
        ),
    ];
    for (body, expected, message) in cases {
        let (status, answer) = send(&cloud, "POST", &at("/datastores"), &body.to_string()).await;
        assert_eq!((status, &answer["error"]["message"]), (expected, &json!(message)));
    }
    let body = blob("", full("mockstorage1", "azureml")).to_string();
    let own = at("/datastores/workspaceblobstore");
    assert_eq!(send(&cloud, "PUT", &own, &body).await.0, 400);
    assert_eq!(send(&cloud, "PUT", &at("/datastores/other"), &body).await.0, 404);
}

#[tokio::test]
async fn a_listing_has_pages_names_and_no_secrets_unless_asked_to() {
    let cloud = MockCloud::new();
    let (_, page) = send(&cloud, "GET", &at("/datastores?count=1"), "").await;
    assert_eq!(page["value"][0]["azureStorageSection"]["credential"], Value::Null);
    let token = page["continuationToken"].as_str().unwrap();
    let rest = names(&cloud, &format!("?count=1&continuationToken={token}")).await;
    assert_eq!(rest, ["workspaceartifactstore"]);
    let wanted = names(&cloud, "?dataStoreNames=WorkspaceArtifactStore,other").await;
    assert_eq!(wanted, ["workspaceartifactstore"]);
    let (_, page) = send(&cloud, "GET", &at("/datastores?includeSecret=true"), "").await;
    assert!(page["value"][0]["azureStorageSection"]["credential"].is_string());
}

#[tokio::test]
async fn a_registered_secret_is_never_shown_by_the_world() {
    let cloud = MockCloud::new();
    assert_replays(&cloud, "datastore/create", &token_for(ML_AUDIENCE)).await;
    let shown = cloud.kernel().inspect(|world| format!("{:?}", world.datastores));
    assert!(shown.contains("extra") && !shown.contains("MDAwMA=="), "{shown}");
}
