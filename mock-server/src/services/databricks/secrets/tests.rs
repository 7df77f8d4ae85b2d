use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

const ROOT: &str = "/api/2.0/secrets";

async fn call(cloud: &MockCloud, path: &str, body: Value) -> (u16, Value) {
    post(cloud, &format!("{ROOT}{path}"), body).await
}

async fn scope(cloud: &MockCloud, name: &str) {
    let (status, answer) = call(cloud, "/scopes/create", json!({ "scope": name })).await;
    assert_eq!((status, answer), (200, json!({})));
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error_code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_secret_is_given_back_in_base64_and_listed_without_its_value() {
    let cloud = MockCloud::new();
    scope(&cloud, "s").await;
    let text = json!({ "scope": "s", "key": "k", "string_value": "vü" });
    assert_eq!(call(&cloud, "/put", text).await.0, 200);
    let (_, found) = get(&cloud, &format!("{ROOT}/get?scope=s&key=k")).await;
    assert_eq!(found, json!({ "key": "k", "value": "dsO8" }));

    let bytes = json!({ "scope": "s", "key": "k", "bytes_value": "AP8=" });
    assert_eq!(call(&cloud, "/put", bytes).await.0, 200);
    let (_, found) = get(&cloud, &format!("{ROOT}/get?scope=s&key=k")).await;
    assert_eq!(found["value"], "AP8=");
    let (_, listed) = get(&cloud, &format!("{ROOT}/list?scope=s")).await;
    assert_eq!(listed["secrets"][0]["key"], "k");
    assert!(listed["secrets"][0].get("value").is_none());

    let named = json!({ "scope": "s", "key": "k" });
    assert_eq!(call(&cloud, "/delete", named.clone()).await.0, 200);
    let gone = call(&cloud, "/delete", named).await;
    assert_eq!(code(&gone), (404, "RESOURCE_DOES_NOT_EXIST"));
}

#[tokio::test]
async fn scopes_are_made_once_listed_and_deleted_with_what_is_in_them() {
    let cloud = MockCloud::new();
    assert_eq!(get(&cloud, &format!("{ROOT}/scopes/list")).await.1, json!({}));
    scope(&cloud, "s").await;
    let again = call(&cloud, "/scopes/create", json!({ "scope": "s" })).await;
    assert_eq!(code(&again), (400, "RESOURCE_ALREADY_EXISTS"));
    let vault = json!({
        "scope": "v", "scope_backend_type": "AZURE_KEYVAULT",
        "backend_azure_keyvault": { "resource_id": "/r", "dns_name": "https://v.vault.azure.net/" },
    });
    assert_eq!(call(&cloud, "/scopes/create", vault).await.0, 200);
    let (_, listed) = get(&cloud, &format!("{ROOT}/scopes/list")).await;
    let kinds: Vec<&Value> =
        listed["scopes"].as_array().unwrap().iter().map(|it| &it["backend_type"]).collect();
    assert_eq!(kinds, ["DATABRICKS", "AZURE_KEYVAULT"]);

    assert_eq!(call(&cloud, "/scopes/delete", json!({ "scope": "s" })).await.0, 200);
    let gone = get(&cloud, &format!("{ROOT}/list?scope=s")).await;
    assert_eq!(code(&gone), (404, "RESOURCE_DOES_NOT_EXIST"));
}

#[tokio::test]
async fn what_the_service_does_not_take_is_refused_by_name() {
    let cloud = MockCloud::new();
    scope(&cloud, "s").await;
    let put = |field: Value| {
        let mut body = json!({ "scope": "s", "key": "k" });
        body.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        body
    };
    let cases = [
        ("/scopes/create", json!({ "scope": "bad name!" }), "INVALID_PARAMETER_VALUE"),
        ("/scopes/create", json!({}), "INVALID_PARAMETER_VALUE"),
        ("/put", put(json!({})), "INVALID_PARAMETER_VALUE"),
        (
            "/put",
            put(json!({ "string_value": "a", "bytes_value": "YQ==" })),
            "INVALID_PARAMETER_VALUE",
        ),
        (
            "/put",
            put(json!({ "string_value": "x".repeat(128 * 1024 + 1) })),
            "MAX_SECRET_SIZE_EXCEEDED",
        ),
        ("/put", put(json!({ "bytes_value": "no base64" })), "INVALID_PARAMETER_VALUE"),
        (
            "/acls/put",
            json!({ "scope": "s", "principal": "p", "permission": "ALL" }),
            "INVALID_PARAMETER_VALUE",
        ),
    ];
    for (path, body, wanted) in cases {
        assert_eq!(code(&call(&cloud, path, body).await), (400, wanted), "{path}");
    }
}

#[tokio::test]
async fn rights_are_kept_by_principal() {
    let cloud = MockCloud::new();
    scope(&cloud, "s").await;
    let right = json!({ "scope": "s", "principal": "grp", "permission": "READ" });
    assert_eq!(call(&cloud, "/acls/put", right).await.0, 200);
    let (_, found) = get(&cloud, &format!("{ROOT}/acls/get?scope=s&principal=grp")).await;
    assert_eq!(found, json!({ "principal": "grp", "permission": "READ" }));
    let (_, listed) = get(&cloud, &format!("{ROOT}/acls/list?scope=s")).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "whoever made it manages it");
    let named = json!({ "scope": "s", "principal": "grp" });
    assert_eq!(call(&cloud, "/acls/delete", named).await.0, StatusCode::OK.as_u16());
    let gone = get(&cloud, &format!("{ROOT}/acls/get?scope=s&principal=grp")).await;
    assert_eq!(code(&gone), (404, "RESOURCE_DOES_NOT_EXIST"));
}
