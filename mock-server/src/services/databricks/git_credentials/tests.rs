use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, send},
};

const ROOT: &str = "/api/2.0/git-credentials";

#[tokio::test]
async fn a_credential_lives_without_showing_its_token() {
    let cloud = MockCloud::new();
    let body = json!({
        "git_provider": "gitHub", "git_username": "bob", "personal_access_token": "not-shown",
    });
    let (status, made) = post(&cloud, ROOT, body.clone()).await;
    assert_eq!((status, &made["is_default_for_provider"]), (200, &json!(true)));
    assert!(!made.to_string().contains("not-shown"));
    assert_eq!(post(&cloud, ROOT, body).await.0, 400, "there is one for each provider");
    let path = format!("{ROOT}/{}", made["credential_id"]);
    let change = json!({ "git_provider": "gitHub", "git_username": "alice" });
    assert_eq!(send(&cloud, "PATCH", &path, change).await, (200, json!({})));
    assert_eq!(get(&cloud, &path).await.1["git_username"], "alice");
    assert_eq!(get(&cloud, ROOT).await.1["credentials"].as_array().unwrap().len(), 1);
    assert_eq!(send(&cloud, "DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(get(&cloud, &path).await.1["error_code"], "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(post(&cloud, ROOT, json!({ "git_provider": "cvs" })).await.0, 400);
}
