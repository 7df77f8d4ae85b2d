use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{ARM, begin, call};
use crate::{
    MockCloud,
    tests::{WORKSPACE, send},
};

const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1";

fn at(name: &str) -> String {
    format!(
        "{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{name}?api-version=2022-05-01"
    )
}

fn body() -> Value {
    let of_group = |it: &str| format!("{GROUP}/providers/{it}");
    json!({
        "location": "eastus", "tags": {"team": "a"}, "identity": {"type": "SystemAssigned"},
        "properties": {
            "friendlyName": "Second", "storageAccount": of_group("Microsoft.Storage/storageAccounts/other"),
            "keyVault": of_group("Microsoft.KeyVault/vaults/kv"),
        },
    })
}

#[tokio::test(start_paused = true)]
async fn a_new_workspace_is_there_when_its_operation_has_ended() {
    let cloud = MockCloud::new();
    let (status, operation) = begin(&cloud, "PUT", &at("ws2"), &body().to_string()).await;
    assert_eq!(status, 201);
    let (_, shown) = call(&cloud, "GET", &at("ws2"), "").await;
    assert_eq!(shown["properties"]["provisioningState"], "Creating");
    let (_, going_on) = call(&cloud, "GET", &operation, "").await;
    assert_eq!(going_on["status"], "InProgress");
    assert_eq!(call(&cloud, "PUT", &at("ws2"), &body().to_string()).await.0, 409);

    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
    let (_, shown) = call(&cloud, "GET", &at("ws2"), "").await;
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    assert_eq!(shown["properties"]["friendlyName"], "Second");
    assert_eq!(shown["tags"], json!({"team": "a"}));

    // Its data plane is there, too.
    let path = format!("/history/v1.0{}/experiments/e", WORKSPACE.replace("ws1", "ws2"));
    assert_eq!(send(&cloud, "POST", &path, "{}").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_put_again_replaces_and_what_is_patched_adds() {
    let cloud = MockCloud::new();
    let patch = json!({"properties": {"description": "d"}, "tags": {"b": "2"}}).to_string();
    let (status, patched) = call(&cloud, "PATCH", &at("ws1"), &patch).await;
    assert_eq!((status, &patched["properties"]["description"]), (200, &json!("d")));
    assert_eq!(patched["tags"], json!({"b": "2"}));
    let (_, again) =
        call(&cloud, "PATCH", &at("ws1"), r#"{"properties":{"friendlyName":"n"}}"#).await;
    assert_eq!(again["properties"]["description"], "d");
    assert_eq!(again["tags"], json!({"b": "2"}));

    let (status, _) = begin(&cloud, "PUT", &at("ws1"), &body().to_string()).await;
    assert_eq!(status, 200);
    let (_, shown) = call(&cloud, "GET", &at("ws1"), "").await;
    assert_eq!(shown["properties"]["provisioningState"], "Updating");
    assert_eq!(shown["properties"]["description"], "");
    assert_eq!(shown["tags"], json!({"team": "a"}));
    assert_eq!(shown["properties"]["workspaceId"], patched["properties"]["workspaceId"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_workspace_is_gone_when_its_operation_has_ended() {
    let cloud = MockCloud::new();
    let (status, operation) = begin(&cloud, "DELETE", &at("ws1"), "").await;
    assert_eq!(status, 202);
    let (_, shown) = call(&cloud, "GET", &at("ws1"), "").await;
    assert_eq!(shown["properties"]["provisioningState"], "Deleting");
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
    assert_eq!(call(&cloud, "GET", &at("ws1"), "").await.0, 404);
    assert_eq!(call(&cloud, "DELETE", &at("ws1"), "").await.0, 204);
}

#[tokio::test]
async fn what_lacks_something_or_moves_is_refused() {
    let cloud = MockCloud::new();
    let without = |pointer: &str, field: &str| {
        let mut body = body();
        body.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    let (status, error) = call(&cloud, "PUT", &at("ws2"), &without("", "location")).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("InvalidRequestContent")));
    let (status, error) =
        call(&cloud, "PUT", &at("ws2"), &without("/properties", "keyVault")).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("ValidationError")));
    assert_eq!(call(&cloud, "PUT", &at("-2"), &body().to_string()).await.0, 400);
    let elsewhere = body().to_string().replace("eastus", "westus");
    let (status, error) = call(&cloud, "PUT", &at("ws1"), &elsewhere).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("InvalidResourceLocation")));
    let nowhere = at("ws2").replace("rg1", "rg9");
    let (status, error) = call(&cloud, "PUT", &nowhere, &body().to_string()).await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("ResourceGroupNotFound")));
}

#[tokio::test]
async fn the_keys_of_a_workspace_open_its_storage() {
    let path = at("ws1").replace('?', "/listKeys?");
    let (status, keys) = call(&MockCloud::new(), "POST", &path, "").await;
    assert_eq!(status, 200);
    assert_eq!(keys["userStorageKey"], crate::services::blob::account_key());
}

#[tokio::test]
async fn listings_come_in_pages_that_lead_to_each_other() {
    let cloud = MockCloud::builder().with_delay(0.0).build().unwrap();
    for name in ["ws2", "ws3"] {
        begin(&cloud, "PUT", &at(name), &body().to_string()).await;
    }
    let mut path = at("?$top=2").replacen("/?$top=2?", "?$top=2&", 1);
    let mut names = Vec::new();
    loop {
        let (status, page) = call(&cloud, "GET", &path, "").await;
        assert_eq!(status, 200, "{page}");
        names.extend(page["value"].as_array().unwrap().iter().map(|it| it["name"].clone()));
        let Some(next) = page.get("nextLink") else { break };
        path = next.as_str().unwrap().strip_prefix(ARM).unwrap().to_owned();
    }
    assert_eq!(names.len(), 7);
    assert_eq!(names[4..], [json!("ws1"), json!("ws2"), json!("ws3")]);
}
