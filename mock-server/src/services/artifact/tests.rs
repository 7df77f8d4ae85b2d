use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::state::{Folder, paths};
use crate::{
    MockCloud,
    services::{arm::ACCOUNT, azure::ML_AUDIENCE, blob::ARTIFACTS},
    tests::{WORKSPACE, assert_replays, send, token_for},
};

fn at(rest: &str) -> String {
    format!("https://eastus.api.azureml.ms/artifact/v2.0{WORKSPACE}/artifacts{rest}")
}

async fn register(cloud: &MockCloud, container: &str, paths: &[&str]) -> Value {
    let paths: Vec<Value> = paths.iter().map(|it| json!({"path": it})).collect();
    let body = json!({"paths": paths}).to_string();
    let path = at(&format!("/batch/metadata/ExperimentRun/{container}"));
    let (status, answer) = send(cloud, "POST", &path, &body).await;
    assert_eq!(status, 200);
    answer
}

async fn touch(cloud: &MockCloud, method: &str, url: &str, text: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(url).header("x-ms-blob-type", "BlockBlob");
    let request = request.body(Body::from(text.to_owned())).unwrap();
    let answer = cloud.router().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn artifacts_are_described_as_recorded() {
    let cloud = MockCloud::new();
    let token = token_for(ML_AUDIENCE);
    let container = "dcid.3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";
    register(&cloud, container, &["outputs/dir/a.txt"]).await;
    for name in ["batch-metadata", "content-info", "list", "prefix-content-info"] {
        assert_replays(&cloud, &format!("artifact/{name}"), &token).await;
    }
}

#[tokio::test]
async fn the_address_of_an_artifact_takes_its_bytes_and_gives_them_back() {
    let cloud = MockCloud::new();
    let answer = register(&cloud, "dcid.r", &["outputs/a b.txt"]).await;
    let url = answer["artifactContentInformation"]["outputs/a b.txt"]["contentUri"].as_str();
    assert_eq!(touch(&cloud, "PUT", url.unwrap(), "hello").await.0, 201);

    let path = at("/contentinfo/ExperimentRun/dcid.r/outputs/a%20b.txt");
    let (_, info) = send(&cloud, "GET", &path, "").await;
    let url = info["contentUri"].as_str().unwrap();
    assert_eq!(touch(&cloud, "GET", url, "").await, (200, "hello".into()));
    assert_eq!(touch(&cloud, "PUT", url, "other").await.0, 403, "it was made for reading");
}

#[tokio::test]
async fn what_somebody_else_wrote_is_an_artifact_too() {
    let cloud = MockCloud::new();
    register(&cloud, "dcid.r", &["outputs/registered.txt"]).await;
    let kernel = cloud.kernel();
    let folder = kernel.files.container(ACCOUNT, ARTIFACTS);
    for name in ["outputs/part-0", "logs/out.txt"] {
        let path = folder.locate(&format!("ExperimentRun/dcid.r/{name}"));
        kernel.files.write(&path, b"x").unwrap();
    }
    let found = paths(
        &kernel,
        Folder { account: ACCOUNT, origin: "ExperimentRun", container: "dcid.r" },
        "",
    )
    .unwrap();
    assert_eq!(found, ["logs/out.txt", "outputs/part-0", "outputs/registered.txt"]);

    let (_, below) =
        send(&cloud, "GET", &at("/prefix/contentinfo/ExperimentRun/dcid.r/outputs/"), "").await;
    let below: Vec<&Value> =
        below["value"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert_eq!(below, ["outputs/part-0", "outputs/registered.txt"]);
    let (status, _) =
        send(&cloud, "GET", &at("/contentinfo/ExperimentRun/dcid.r/outputs"), "").await;
    assert_eq!(status, 404, "a folder is no artifact");
}

#[tokio::test]
async fn run_history_describes_the_artifacts_of_a_run_as_recorded() {
    let cloud = MockCloud::new();
    let (experiment, run) =
        ("3264aef6-c7df-40d3-bb26-8597b7264e1c", "b3e600e0-f82b-4302-943a-9a8780f4c910");
    let history = format!("/history/v1.0{WORKSPACE}/experiments/{experiment}");
    send(&cloud, "POST", &history, "").await;
    let body = json!({"runId": run}).to_string();
    send(&cloud, "PATCH", &format!("{history}/runs/{run}"), &body).await;
    let token = token_for(ML_AUDIENCE);
    let paths = json!({"paths": [{"path": "sub/art.txt"}]}).to_string();
    let path = format!("{history}/runs/{run}/artifacts/batch/metadata");
    send(&cloud, "POST", &path, &paths).await;
    for name in ["batch-metadata", "list", "content-info"] {
        assert_replays(&cloud, &format!("history/artifacts-{name}"), &token).await;
    }
}
