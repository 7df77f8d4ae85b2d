use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, send},
};

const ROOT: &str = "/api/2.0/repos";

#[tokio::test]
async fn a_git_folder_lives_in_the_workspace() {
    let cloud = MockCloud::new();
    assert_eq!(get(&cloud, ROOT).await, (200, json!({})));
    let body = json!({ "url": "https://github.com/team/code.git", "provider": "gitHub" });
    let (status, made) = post(&cloud, ROOT, body.clone()).await;
    assert_eq!((status, &made["path"]), (200, &json!("/Repos/tester@example.com/code")));
    assert_eq!(
        (&made["branch"], made["head_commit_id"].as_str().unwrap().len()),
        (&json!("main"), 40)
    );
    assert_eq!(post(&cloud, ROOT, body).await.1["error_code"], "RESOURCE_ALREADY_EXISTS");
    let folder = "/api/2.0/workspace/get-status?path=/Repos/tester@example.com/code";
    assert_eq!(get(&cloud, folder).await.0, 200);

    let path = format!("{ROOT}/{}", made["id"]);
    assert_eq!(send(&cloud, "PATCH", &path, json!({ "branch": "dev" })).await, (200, json!({})));
    assert_eq!(get(&cloud, &path).await.1["branch"], "dev");
    assert_eq!(send(&cloud, "PATCH", &path, json!({})).await.0, 400);
    let prefix = format!("{ROOT}?path_prefix=/Repos/tester@example.com");
    assert_eq!(get(&cloud, &prefix).await.1["repos"].as_array().unwrap().len(), 1);
    assert_eq!(get(&cloud, &format!("{ROOT}?path_prefix=/Repos/x")).await.1, json!({}));
    assert_eq!(send(&cloud, "DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(get(&cloud, &path).await.0, 404);
    assert_eq!(get(&cloud, folder).await.0, 404);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let cloud = MockCloud::new();
    for url in ["git@github.com:a/b.git", "https://github.com", "https://git.example.com/a/b"] {
        assert_eq!(post(&cloud, ROOT, json!({ "url": url })).await.0, 400, "{url}");
    }
}
