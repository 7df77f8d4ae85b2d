use serde_json::json;

use crate::{MockCloud, tests::send_text};

const ARM: &str = "https://management.azure.com";

/// Without a token, as clients ask before they have one.
async fn ask(path: &str) -> serde_json::Value {
    let cloud = MockCloud::new();
    let (status, text) = send_text(&cloud, "GET", &format!("{ARM}{path}"), "", "").await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn old_versions_answer_with_a_list_of_clouds_and_later_ones_with_one() {
    let one = ask("/metadata/endpoints?api-version=2019-10-01").await;
    assert_eq!((&one["name"], &one["resourceManager"]), (&json!("AzureCloud"), &json!(ARM)));
    assert_eq!(ask("/metadata/endpoints?api-version=2019-05-01").await, json!([one]));
    assert_eq!(ask("/metadata/endpoints").await, json!([one]));
}

#[tokio::test]
async fn the_document_of_a_workspace_names_the_data_plane() {
    let found = ask("/discovery").await;
    assert_eq!(found["history"], found["pipelines"]);
    assert!(found["history"].as_str().unwrap().starts_with("https://"), "{found}");
}

#[tokio::test]
async fn each_cloud_of_microsoft_describes_itself() {
    let cloud = MockCloud::new();
    let url = "https://management.usgovcloudapi.net/metadata/endpoints?api-version=2022-09-01";
    let (_, text) = send_text(&cloud, "GET", url, "", "").await;
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["name"], "AzureUSGovernment");
    assert_eq!(found["authentication"]["loginEndpoint"], "https://login.microsoftonline.us");
    assert_eq!(found["suffixes"]["storage"], "core.usgovcloudapi.net");
}
