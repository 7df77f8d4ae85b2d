use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, send},
};

const ROOT: &str = "/api/2.0/global-init-scripts";

async fn create(cloud: &MockCloud, body: Value) -> String {
    let (status, made) = post(cloud, ROOT, body).await;
    assert_eq!(status, 200, "{made}");
    format!("{ROOT}/{}", made["script_id"].as_str().unwrap())
}

async fn names(cloud: &MockCloud) -> Vec<Value> {
    let (_, listed) = get(cloud, ROOT).await;
    let them = listed["scripts"].as_array().cloned().unwrap_or_default();
    them.iter().map(|it| it["name"].clone()).collect()
}

#[tokio::test]
async fn scripts_keep_their_order_and_their_text() {
    let cloud = MockCloud::new();
    let first = create(&cloud, json!({ "name": "a", "script": "ZWNobw==", "enabled": true })).await;
    let second = create(&cloud, json!({ "name": "b", "script": "", "position": 0 })).await;
    assert_eq!(names(&cloud).await, ["b", "a"]);
    let (_, it) = get(&cloud, &first).await;
    assert_eq!(
        (&it["script"], &it["enabled"], &it["position"]),
        (&json!("ZWNobw=="), &json!(true), &json!(1))
    );
    let change = json!({ "name": "c", "script": "ZWNobw==", "position": 0 });
    assert_eq!(send(&cloud, "PATCH", &first, change).await, (200, json!({})));
    assert_eq!(names(&cloud).await, ["c", "b"]);
    assert_eq!(send(&cloud, "DELETE", &second, Value::Null).await.0, 200);
    assert_eq!(get(&cloud, &second).await.1["error_code"], "RESOURCE_DOES_NOT_EXIST");
}

#[tokio::test]
async fn a_script_that_is_none_is_refused() {
    let cloud = MockCloud::new();
    let status = async |body: Value| post(&cloud, ROOT, body).await.0;
    assert_eq!(status(json!({ "name": "a" })).await, 400);
    assert_eq!(status(json!({ "name": "a", "script": "no base64" })).await, 400);
    create(&cloud, json!({ "name": "a", "script": "" })).await;
    assert_eq!(status(json!({ "name": "a", "script": "" })).await, 400, "names are taken once");
}
