use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::{Mount, refusal, text};

const FILES: &str = "^/api/2.0/mlflow-artifacts";

async fn put(mount: &Mount, path: &str, bytes: &str) {
    let (status, answer) = mount.ask("PUT", &format!("{FILES}/artifacts/{path}"), bytes).await;
    assert_eq!((status, answer), (200, json!({})));
}

/// Status, headers of interest and the bytes.
async fn fetch(mount: &Mount, path: &str) -> (u16, String, String, String) {
    let uri = format!("{}{path}", mount.prefix);
    let request = Request::get(uri).header("authorization", format!("Bearer {}", mount.token));
    let answer = mount.cloud.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (kind, disposition) = (header("content-type"), header("content-disposition"));
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, kind, disposition, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn proxied_artifacts_go_up_and_come_down() {
    for mount in [Mount::plain(), Mount::databricks()] {
        let experiment = mount.experiment("wine").await;
        let run = mount.run(&experiment).await;
        let root = format!("{experiment}/{run}/artifacts");
        assert_eq!(
            mount.shown(&run).await["info"]["artifact_uri"],
            format!("mlflow-artifacts:/{root}")
        );
        for (name, bytes) in [("out/a.txt", "hello"), ("out/d/b.bin", "x"), ("top.json", "{}")] {
            put(&mount, &format!("{root}/{name}"), bytes).await;
        }
        let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}")).await;
        assert_eq!(list["root_uri"], format!("mlflow-artifacts:/{root}"));
        assert_eq!(
            list["files"],
            json!([{"path": "out", "is_dir": true}, {"path": "top.json", "is_dir": false, "file_size": 2}])
        );
        let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}&path=out")).await;
        assert_eq!(list["files"][0]["path"], "out/a.txt");
        let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}&path=out/a.txt")).await;
        assert_eq!(list.get("files"), None, "a file has nothing below it");
        let (_, list) = mount.get(&format!("{FILES}/artifacts?path={root}/out")).await;
        assert_eq!(list["files"][1], json!({"path": "d", "is_dir": true}));

        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{root}/out/a.txt");
        let wanted = (
            200,
            "text/plain".to_owned(),
            "attachment; filename=a.txt".to_owned(),
            "hello".to_owned(),
        );
        assert_eq!(fetch(&mount, &path).await, wanted);
        assert_eq!(
            fetch(&mount, &format!("/api/2.0/mlflow-artifacts/artifacts/{root}/out")).await.0,
            400
        );
        assert_eq!(mount.ask("DELETE", &format!("^{path}"), "").await.0, 200);
        assert_eq!(fetch(&mount, &path).await.0, 404);
        assert_eq!(mount.ask("DELETE", &format!("^{path}"), "").await.0, 200, "it may be gone");
        let whole = format!("{FILES}/artifacts/{root}");
        assert_eq!(mount.ask("DELETE", &whole, "").await.0, 200);
        let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}")).await;
        assert_eq!(list.get("files"), None);
    }
}

#[tokio::test]
async fn paths_that_leave_their_root_are_refused() {
    let (mount, run) = Mount::with_run().await;
    for path in ["..", "/etc", "a/%2e%2e/b", "a%23b"] {
        let (status, code, text) =
            refusal(mount.get(&format!("/artifacts/list?run_id={run}&path={path}")).await);
        assert_eq!(
            (status, code.as_str(), text.as_str()),
            (400, "INVALID_PARAMETER_VALUE", "Invalid path"),
            "{path}"
        );
    }
    assert_eq!(mount.ask("PUT", &format!("{FILES}/artifacts/a/%2e%2e/%2e%2e/b"), "x").await.0, 400);
    assert_eq!(mount.get("/artifacts/list?run_id=none").await.0, 404);
}

#[tokio::test]
async fn a_large_artifact_comes_in_parts() {
    let mount = Mount::plain();
    let create = format!("{FILES}/mpu/create/1/big.bin");
    let made = mount.post(&create, json!({"path": "big.bin", "num_parts": 2})).await.1;
    let id = text(&made["upload_id"]);
    assert_eq!(made["credentials"].as_array().unwrap().len(), 2);
    for (number, bytes) in [(2, "world"), (1, "hello ")] {
        let url = text(&made["credentials"][number - 1]["url"]);
        let at = url.find("/mlflow/").unwrap();
        let (status, _) =
            mount.ask("PUT", &format!("^{}", &url[at + "/mlflow".len()..]), bytes).await;
        assert_eq!(status, 200);
    }
    let complete = format!("{FILES}/mpu/complete/1/big.bin");
    let parts = json!([{"part_number": 1, "etag": "\"1\""}, {"part_number": 2, "etag": "\"2\""}]);
    let missing = json!({"upload_id": id, "parts": [{"part_number": 3}]});
    assert_eq!(mount.post(&complete, missing).await.0, 400);
    assert_eq!(
        mount.post(&complete, json!({"upload_id": id, "parts": parts})).await,
        (200, json!({}))
    );
    let path = "/api/2.0/mlflow-artifacts/artifacts/1/big.bin";
    assert_eq!(fetch(&mount, path).await.3, "hello world");
    let abort = format!("{FILES}/mpu/abort/1/big.bin");
    assert_eq!(mount.post(&abort, json!({"upload_id": id})).await.0, 404, "it is over");
    let made = mount.post(&create, json!({"num_parts": 1})).await.1;
    assert_eq!(mount.post(&abort, json!({"upload_id": made["upload_id"]})).await, (200, json!({})));
    assert_eq!(mount.post(&create, json!({"num_parts": 0})).await.0, 400);
}

#[tokio::test]
async fn a_browser_takes_and_gives_files_by_run() {
    let (mount, run) = Mount::with_run().await;
    let path = format!("^/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a%20b.html");
    assert_eq!(mount.ask("POST", &path, "<p>").await.0, 200);
    let (status, kind, disposition, bytes) =
        fetch(&mount, &format!("/get-artifact?path=a%20b.html&run_uuid={run}")).await;
    assert_eq!((status, kind.as_str(), bytes.as_str()), (200, "text/html", "<p>"));
    assert!(disposition.starts_with("attachment; filename=\"a b.html\""), "{disposition}");
    mount.did("/registered-models/create", json!({"name": "wine"})).await;
    let version = json!({"name": "wine", "source": format!("runs:/{run}/"), "run_id": run});
    mount.did("/model-versions/create", version).await;
    let path = "/model-versions/get-artifact?name=wine&version=1&path=a%20b.html";
    assert_eq!(fetch(&mount, path).await.3, "<p>");
}
