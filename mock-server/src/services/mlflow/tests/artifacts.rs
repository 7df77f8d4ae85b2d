use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Mount, refusal, text};

const FILES: &str = "^/api/2.0/mlflow-artifacts";

async fn put(mount: &Mount, path: &str, bytes: &str) {
    let answer = mount.ask("PUT", &format!("{FILES}/artifacts/{path}"), bytes).await;
    assert_eq!(answer, (200, Value::Null), "nothing is said");
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
    for path in ["..", "/etc", "a/%2e%2e/b", "a%23b", "file:/x", "file:///etc"] {
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
async fn a_large_artifact_comes_in_parts_into_the_folder_under_its_own_name() {
    let mount = Mount::plain();
    let create = format!("{FILES}/mpu/create/1/out");
    let local = "/somewhere/big.bin";
    let made = mount.post(&create, json!({"path": local, "num_parts": 2})).await.1;
    let id = text(&made["upload_id"]);
    assert_eq!(made["credentials"].as_array().unwrap().len(), 2);
    for (number, bytes) in [(2, "world"), (1, "hello ")] {
        let url = text(&made["credentials"][number - 1]["url"]);
        let at = url.find("/mlflow/").unwrap();
        let (status, _) =
            mount.ask("PUT", &format!("^{}", &url[at + "/mlflow".len()..]), bytes).await;
        assert_eq!(status, 200);
    }
    let complete = format!("{FILES}/mpu/complete/1/out");
    let parts = json!([{"part_number": 1, "etag": "\"1\""}, {"part_number": 2, "etag": "\"2\""}]);
    let missing = json!({"path": local, "upload_id": id, "parts": [{"part_number": 3}]});
    assert_eq!(mount.post(&complete, missing).await.0, 400);
    assert_eq!(
        mount.post(&complete, json!({"path": local, "upload_id": id, "parts": parts})).await,
        (200, json!({}))
    );
    let path = "/api/2.0/mlflow-artifacts/artifacts/1/out/big.bin";
    assert_eq!(fetch(&mount, path).await.3, "hello world");
    let abort = format!("{FILES}/mpu/abort/1/out");
    let body = |id: &Value| json!({"path": local, "upload_id": id});
    assert_eq!(mount.post(&abort, body(&id.into())).await.0, 404, "it is over");
    let made = mount.post(&create, json!({"path": local, "num_parts": 1})).await.1;
    assert_eq!(mount.post(&abort, body(&made["upload_id"])).await, (200, json!({})));
    assert_eq!(mount.post(&create, json!({"path": local, "num_parts": 0})).await.0, 400);
    let refused = mount.refused(&create, json!({"num_parts": 1})).await;
    assert!(refused.2.starts_with("Missing value for required parameter 'path'."), "{refused:?}");
}

#[tokio::test]
async fn a_browser_takes_and_gives_files_by_run() {
    let (mount, run) = Mount::with_run().await;
    let path = format!("^/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a%20b.html");
    assert_eq!(mount.ask("POST", &path, "<p>").await.0, 200);
    let refused = refusal(mount.ask("POST", &path, "").await);
    assert_eq!((refused.0, refused.2.as_str()), (400, "Request must specify data."));
    let (status, kind, disposition, bytes) =
        fetch(&mount, &format!("/get-artifact?path=a%20b.html&run_uuid={run}")).await;
    assert_eq!((status, kind.as_str(), bytes.as_str()), (200, "text/html", "<p>"));
    assert_eq!(disposition, "attachment; filename=\"a b.html\"");
    let missing = fetch(&mount, &format!("/get-artifact?path=nope&run_uuid={run}")).await;
    assert_eq!(missing.0, 404);
    assert!(missing.3.contains(&format!("No such artifact: '1/{run}/artifacts/nope'")));
    let nowhere = fetch(&mount, &format!("/get-artifact?run_uuid={run}")).await;
    assert_eq!((nowhere.0, nowhere.1.as_str()), (400, "text/html; charset=utf-8"));
    mount.did("/registered-models/create", json!({"name": "wine"})).await;
    let version = json!({"name": "wine", "source": format!("runs:/{run}/"), "run_id": run});
    mount.did("/model-versions/create", version).await;
    let path = "/model-versions/get-artifact?name=wine&version=1&path=a%20b.html";
    assert_eq!(fetch(&mount, path).await.3, "<p>");
    assert_eq!(fetch(&mount, &format!("/{path}")).await.3, "<p>", "two slashes are one");
}

#[tokio::test]
async fn a_file_of_a_logged_model_is_sent() {
    let mount = Mount::plain();
    let made = mount.did("/logged-models", json!({"experiment_id": "0", "name": "m"})).await;
    let id = text(&made["model"]["info"]["model_id"]);
    put(&mount, &format!("0/models/{id}/artifacts/MLmodel"), "flavors").await;
    put(&mount, &format!("0/models/{id}/artifacts/empty"), "").await;
    let path = format!("/ajax-api/2.0/mlflow/logged-models/{id}/artifacts/files");
    let file = |name: &str| format!("{path}?artifact_file_path={name}");
    let (status, kind, _, bytes) = fetch(&mount, &file("MLmodel")).await;
    assert_eq!((status, kind.as_str(), bytes.as_str()), (200, "text/plain", "flavors"));
    let said = |answer: (u16, String, String, String)| {
        let body: Value = serde_json::from_str(&answer.3).unwrap();
        (answer.0, text(&body["message"]))
    };
    let wanted = "Request must include the \"artifact_file_path\" query parameter.".to_owned();
    assert_eq!(said(fetch(&mount, &path).await), (400, wanted));
    assert_eq!(said(fetch(&mount, &file("../x")).await), (400, "Invalid path".to_owned()));
    let wanted = format!("No such artifact: '0/models/{id}/artifacts/nope'");
    assert_eq!(said(fetch(&mount, &file("nope")).await), (404, wanted));
    let other = path.replace(&id, "m-1") + "?artifact_file_path=a";
    let wanted = "Logged model with ID 'm-1' not found.".to_owned();
    assert_eq!(said(fetch(&mount, &other).await), (404, wanted));
    let (_, list) = mount.get(&format!("/logged-models/{id}/artifacts/directories")).await;
    assert_eq!(list["files"][1], json!({"path": "empty", "is_dir": false}), "0 is left out");
}

#[tokio::test]
async fn a_part_of_a_file_is_sent() {
    let mount = Mount::plain();
    put(&mount, "1/a.txt", "hello").await;
    let uri = format!("{}/api/2.0/mlflow-artifacts/artifacts/1/a.txt", mount.prefix);
    let request = Request::get(uri).header("range", "bytes=1-2").body(Body::empty()).unwrap();
    let answer = mount.cloud.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-range"], "bytes 1-2/5");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "el");
}

#[tokio::test]
async fn artifacts_can_lie_in_a_folder_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("file://{}", folder.path().display());
    let mount = Mount::plain();
    let switches = crate::TrackingOptions::default().with_artifact_root(&root);
    mount.cloud.set_tracking(switches);
    let experiment = mount.experiment("wine").await;
    let run = mount.run(&experiment).await;
    let uri = text(&mount.shown(&run).await["info"]["artifact_uri"]);
    assert_eq!(uri, format!("{root}/{experiment}/{run}/artifacts"));
    let path = format!("{experiment}/{run}/artifacts");
    let files = folder.path().join(&path);
    std::fs::create_dir_all(files.join("d")).unwrap();
    std::fs::write(files.join("d/a.txt"), "hi").unwrap();
    let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}&path=d")).await;
    assert_eq!(list["files"], json!([{"path": "d/a.txt", "is_dir": false, "file_size": 2}]));
    assert_eq!(fetch(&mount, &format!("/get-artifact?path=d/a.txt&run_id={run}")).await.3, "hi");
    let upload = format!("^/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=up.txt");
    assert_eq!(mount.ask("POST", &upload, "up").await.0, 200);
    assert_eq!(std::fs::read_to_string(files.join("up.txt")).unwrap(), "up");

    mount.did("/registered-models/create", json!({"name": "m"})).await;
    let version = |source: String| json!({"name": "m", "source": source, "run_id": run});
    mount.did("/model-versions/create", version(format!("{uri}/d"))).await;
    mount.did("/model-versions/create", version(files.display().to_string())).await;
    for bad in [format!("{uri}/../x"), "/tmp".to_owned(), "./m".to_owned()] {
        let refused = mount.refused("/model-versions/create", version(bad)).await;
        assert!(refused.2.starts_with("Invalid model version source:"), "{refused:?}");
    }
    let elsewhere = mount.refused("/model-versions/create", version("file://host/a".into())).await;
    assert_eq!((elsewhere.0, elsewhere.1.as_str()), (500, "INTERNAL_ERROR"));
    let made = mount.did("/experiments/create", json!({"name": "x", "artifact_location": "/etc"}));
    let other = mount.run(made.await["experiment_id"].as_str().unwrap()).await;
    assert_eq!(mount.get(&format!("/artifacts/list?run_id={other}")).await.0, 501, "not ours");
}
