use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    MockCloud,
    tests::{WORKSPACE, assert_replays, send_as, token_for},
};

pub(super) const ARM: &str = "https://management.azure.com";

pub(super) async fn call(cloud: &MockCloud, method: &str, path: &str, body: &str) -> (u16, Value) {
    send_as(cloud, method, &format!("{ARM}{path}"), &token_for(ARM), body).await
}

/// Begins an operation, and returns where to ask how it is doing.
pub(super) async fn begin(
    cloud: &MockCloud,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, String) {
    let request = Request::builder()
        .method(method)
        .uri(format!("{ARM}{path}"))
        .header("authorization", format!("Bearer {}", token_for(ARM)))
        .body(Body::from(body.to_owned()));
    let answer = cloud.router().oneshot(request.unwrap()).await.unwrap();
    for name in ["azure-asyncoperation", "location", "retry-after"] {
        assert!(answer.headers().contains_key(name), "{name}: {answer:?}");
    }
    let url = answer.headers()["azure-asyncoperation"].to_str().unwrap();
    (answer.status().as_u16(), url.strip_prefix(ARM).unwrap().to_owned())
}

async fn get(path: &str) -> (u16, Value) {
    call(&MockCloud::new(), "GET", path, "").await
}

#[tokio::test]
async fn workspaces_are_described_as_recorded() {
    let cloud = MockCloud::new();
    for fixture in ["arm/workspaces-get", "arm/workspaces-get-missing", "arm/workspaces-list"] {
        assert_replays(&cloud, fixture, &token_for(ARM)).await;
    }
    for fixture in ["workspaces-create", "workspaces-list-keys", "resource-groups-list"] {
        assert_replays(&cloud, &format!("arm/{fixture}"), &token_for(ARM)).await;
    }
    assert_replays(&cloud, "discovery/get", "").await;
}

#[tokio::test]
async fn any_version_of_the_api_is_taken_but_there_must_be_one() {
    for version in ["2018-03-01-preview", "2024-10-01"] {
        assert_eq!(get(&format!("{WORKSPACE}?api-version={version}")).await.0, 200);
    }
    let (status, error) = get(WORKSPACE).await;
    assert_eq!((status, &error["error"]["code"]), (400, &"MissingApiVersionParameter".into()));
}

#[tokio::test]
async fn names_are_found_in_any_case() {
    let path = WORKSPACE.to_lowercase();
    let (status, found) = get(&format!("{path}?api-version=2022-05-01")).await;
    assert_eq!((status, &found["name"]), (200, &"ws1".into()));
}

#[tokio::test]
async fn a_token_for_something_else_is_refused() {
    let cloud = MockCloud::new();
    let url = format!("{ARM}/subscriptions?api-version=2022-12-01");
    let (status, error) = send_as(&cloud, "GET", &url, &token_for("https://vault.test"), "").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (401, &"InvalidAuthenticationTokenAudience".into())
    );
    let (status, error) = send_as(&cloud, "GET", &url, "nonsense", "").await;
    assert_eq!((status, &error["error"]["code"]), (401, &"InvalidAuthenticationToken".into()));
}

#[tokio::test]
async fn a_databricks_workspace_shows_its_address_and_number() {
    let path = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg/providers/Microsoft.Databricks/workspaces";
    let (status, found) = get(&format!("{path}/dbx-ws?api-version=2018-04-01")).await;
    assert_eq!(status, 200);
    let properties = &found["properties"];
    assert_eq!(properties["workspaceUrl"], "adb-1234567890123456.7.azuredatabricks.net");
    assert_eq!(properties["workspaceId"], "1234567890123456");
    let (_, all) = get(&format!("{path}?api-version=2018-04-01")).await;
    assert_eq!(all["value"], json!([found]));
    assert_eq!(get(&format!("{path}/other?api-version=2018-04-01")).await.0, 404);
}

#[tokio::test]
async fn listings_are_filtered_by_type_and_unknown_filters_are_refused() {
    let resources = |filter: &str| {
        format!(
            "/subscriptions/11111111-1111-1111-1111-111111111111/resources?api-version=2025-04-01&$filter={filter}"
        )
    };
    let (_, all) = get(&resources("")).await;
    assert_eq!(all["value"].as_array().map(Vec::len), Some(6));
    let (_, some) = get(&resources("resourceType%20eq%20'Microsoft.Databricks/workspaces'")).await;
    assert_eq!(some["value"][0]["name"], "dbx-ws");
    let (_, none) =
        get(&resources("resourceType%20eq%20'Microsoft.Storage/storageAccounts'")).await;
    assert_eq!(none["value"], json!([]));
    let joined =
        "resourceGroup%20eq%20'RG1'%20and%20resourceType%20eq%20'Microsoft.Databricks/workspaces'";
    assert_eq!(get(&resources(joined)).await.1["value"], json!([]));
    let (_, named) = get(&resources("name%20eq%20'WS1'")).await;
    assert_eq!(named["value"][0]["name"], "ws1");
    assert_eq!(get(&resources("tagName%20eq%20'a'")).await.1["value"], json!([]));
    for wrong in ["kind%20eq%20'a'", "name%20ne%20'a'", "name%20eq%20'a'%20or%20name%20eq%20'b'"] {
        let (status, error) = get(&resources(wrong)).await;
        assert_eq!((status, &error["error"]["code"]), (400, &"InvalidFilterInQueryString".into()));
    }
}

#[tokio::test]
async fn old_versions_describe_a_list_of_clouds_and_later_ones_a_cloud() {
    let cloud = MockCloud::new();
    let at =
        |version: &str| format!("http://127.0.0.1:4711/metadata/endpoints?api-version={version}");
    let (_, list) = send_as(&cloud, "GET", &at("2019-05-01"), "", "").await;
    let (_, one) = send_as(&cloud, "GET", &at("2022-09-01"), "", "").await;
    assert_eq!(list, json!([one]));
    assert_eq!(one["authentication"]["loginEndpoint"], "https://127.0.0.1:4711/adfs/adfs");
    assert_eq!(one["suffixes"]["storage"], "mock@127.0.0.1:4711");

    let url = format!("{ARM}/metadata/endpoints?api-version=2022-09-01");
    let (_, azure) = send_as(&cloud, "GET", &url, "", "").await;
    assert_eq!(azure["authentication"]["loginEndpoint"], "https://login.microsoftonline.com");
    assert_eq!(azure["suffixes"]["storage"], "core.windows.net");
}

#[tokio::test]
async fn groups_are_listed_and_made() {
    let cloud = MockCloud::new();
    let at = |rest: &str| {
        format!(
            "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups{rest}api-version=2021-04-01"
        )
    };
    let (_, all) = call(&cloud, "GET", &at("?$top=1&"), "").await;
    assert_eq!(all["value"][0]["name"], "dbx-rg");
    let next = all["nextLink"].as_str().unwrap().strip_prefix(ARM).unwrap();
    let (_, rest) = call(&cloud, "GET", next, "").await;
    assert_eq!((&rest["value"][0]["name"], rest.get("nextLink")), (&json!("rg1"), None));

    let (status, _) = call(&cloud, "PUT", &at("/rg9?"), r#"{"location":"westus"}"#).await;
    assert_eq!(status, 201);
    let (status, _) = call(&cloud, "PUT", &at("/rg9?"), r#"{"location":"eastus"}"#).await;
    assert_eq!(status, 409);
    let (_, group) = call(&cloud, "GET", &at("/RG9?"), "").await;
    assert_eq!(group["location"], "westus");
}
