use serde_json::{Value, json};

use crate::{
    MockCloud,
    tests::{WORKSPACE, send},
};

fn at(rest: &str) -> String {
    format!("/modelmanagement/v1.0{WORKSPACE}{rest}")
}

async fn register(cloud: &MockCloud, name: &str, tag: &str) -> Value {
    let asset = json!({"name": name, "artifacts": [{"prefix": "ExperimentRun/dcid.r/outputs"}]});
    let (_, asset) = send(cloud, "POST", &at("/assets"), &asset.to_string()).await;
    let url = format!("aml://asset/{}", asset["id"].as_str().unwrap());
    let model = json!({"name": name, "url": url, "kvTags": {"a": tag}, "runId": "r"});
    send(cloud, "POST", &at("/models"), &model.to_string()).await.1
}

#[tokio::test]
async fn versions_count_up_and_the_newest_comes_first() {
    let cloud = MockCloud::new();
    assert_eq!(register(&cloud, "wine", "1").await["id"], "wine:1");
    assert_eq!(register(&cloud, "wine", "2").await["id"], "wine:2");
    register(&cloud, "beer", "1").await;

    let ids = |list: &Value| -> Vec<String> {
        let models = list["value"].as_array().unwrap().iter();
        models.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    let (_, list) = send(&cloud, "GET", &at("/models?name=wine&count=1"), "").await;
    assert_eq!(ids(&list), ["wine:2"]);
    assert!(list["nextLink"].is_string());
    let (_, list) = send(&cloud, "GET", &at("/models?latestVersionOnly=true"), "").await;
    assert_eq!(ids(&list), ["beer:1", "wine:2"]);
    let (_, list) = send(&cloud, "GET", &at("/models?tags=a%3D1"), "").await;
    assert_eq!(ids(&list), ["beer:1", "wine:1"]);

    send(&cloud, "DELETE", &at("/models/wine%3A2"), "").await;
    assert_eq!(send(&cloud, "GET", &at("/models/wine%3A2"), "").await.0, 404);
    assert_eq!(register(&cloud, "wine", "3").await["version"], 3, "a number is never used again");
}

#[tokio::test]
async fn a_patch_sets_whole_fields() {
    let cloud = MockCloud::new();
    register(&cloud, "wine", "1").await;
    let steps = json!([{"op": "replace", "path": "/kvTags", "value": {"b": "2"}}]).to_string();
    let (_, model) = send(&cloud, "PATCH", &at("/models/wine%3A1"), &steps).await;
    assert_eq!(model["kvTags"], json!({"b": "2"}));
    let bad = json!([{"op": "replace", "path": "/name", "value": "x"}]).to_string();
    assert_eq!(send(&cloud, "PATCH", &at("/models/wine%3A1"), &bad).await.0, 400);
}

#[tokio::test]
async fn a_bad_name_and_a_missing_asset_are_refused() {
    let cloud = MockCloud::new();
    let model = json!({"name": "-bad", "url": "aml://asset/none"}).to_string();
    assert_eq!(send(&cloud, "POST", &at("/models"), &model).await.0, 400);
    let model = json!({"name": "good", "url": "aml://asset/none"}).to_string();
    assert_eq!(send(&cloud, "POST", &at("/models"), &model).await.0, 404);
}

#[tokio::test]
async fn saved_exchanges_of_changes_are_answered_alike() {
    let cloud = MockCloud::new();
    register(&cloud, "mymodel", "1").await;
    for fixture in ["models/update", "models/delete"] {
        let exchange = azml_fixtures::load(fixture);
        let body = exchange.request.body.map_or_else(String::new, |it| it.to_string());
        let (status, answer) =
            send(&cloud, &exchange.request.method, &exchange.request.path, &body).await;
        assert_eq!(status, exchange.response.status, "{fixture}");
        assert_eq!(answer["kvTags"], exchange.response.body["kvTags"], "{fixture}");
    }
}
