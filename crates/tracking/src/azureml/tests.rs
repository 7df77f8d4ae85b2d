//! Files on their way: the services name them, blob storage holds them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use azml_core::{
    Endpoint, ErrorKind, Request, Response, Scope, StaticToken, Transport, TransportError,
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    ArtifactPath, AzureMlTracking, ModelVersionNumber, NewModel, RemoteRun, RunId, RunRef,
    Tracking, TrackingBackend, TransferOptions, testing,
};

const STORAGE: &str = "acct.blob.storage.test";
const ORIGIN: &str = "ExperimentRun/box";

/// Blob storage, and as much of the services as hands out its addresses.
#[derive(Debug, Default)]
struct Files {
    blobs: Mutex<BTreeMap<String, Bytes>>,
    /// The path that the service claims for the files that it lists.
    claimed: Option<&'static str>,
}

impl Files {
    fn storage(&self, request: Request) -> Response {
        assert!(!request.headers().contains_key("authorization"), "a signature needs no token");
        let path = request.uri().path().to_owned();
        let mut blobs = self.blobs.lock().unwrap();
        let answer = http::Response::builder().header("etag", "\"1\"");
        match (request.method().as_str(), blobs.get(&path)) {
            ("PUT", _) => {
                blobs.insert(path, request.into_body());
                answer.status(201).body(Bytes::new())
            }
            ("HEAD", Some(it)) => answer.header("content-length", it.len()).body(Bytes::new()),
            ("GET", Some(it)) => {
                let range = format!("bytes 0-{}/{}", it.len().saturating_sub(1), it.len());
                answer.status(206).header("content-range", range).body(it.clone())
            }
            _ => answer.status(404).body(Bytes::new()),
        }
        .unwrap()
    }

    fn service(&self, request: &Request) -> Value {
        let path = request.uri().path();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let address = |path: &str| {
            let path = path.replace(' ', "%20");
            json!({ "contentUri": format!("https://{STORAGE}/{path}?sig=s") })
        };
        if path.ends_with("/artifacts/batch/metadata/ExperimentRun/box") {
            let path = body["paths"][0]["path"].as_str().unwrap();
            return json!({ "artifactContentInformation": { path: address(&format!("{ORIGIN}/{path}")) } });
        }
        if let Some((_, prefix)) = path.split_once("/artifacts/prefix/contentinfo/") {
            let blobs = self.blobs.lock().unwrap();
            let found = blobs.keys().filter_map(|it| it.strip_prefix('/'));
            let found = found.filter(|it| it.starts_with(prefix)).map(|it| {
                let mut info = address(it);
                let path = self.claimed.unwrap_or(&it[ORIGIN.len() + 1..]);
                info["path"] = path.into();
                info["origin"] = "ExperimentRun".into();
                info["container"] = "box".into();
                info
            });
            return json!({ "value": found.collect::<Vec<_>>() });
        }
        if let Some((_, path)) = path.split_once("/artifacts/contentinfo/") {
            return address(path);
        }
        if path.ends_with("/assets") {
            return json!({ "id": "asset1" });
        }
        if path.ends_with("/assets/asset1") {
            return json!({ "artifacts": [{ "prefix": format!("{ORIGIN}/outputs/model.json") }] });
        }
        assert!(path.ends_with("/models"), "{path}");
        json!({ "name": body["name"], "version": 1, "url": body["url"] })
    }
}

#[async_trait]
impl Transport for Files {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.uri().host() == Some(STORAGE) {
            return Ok(self.storage(request));
        }
        assert_eq!(request.headers()["authorization"], "Bearer fake");
        Ok(Response::new(Bytes::from(self.service(&request).to_string())))
    }
}

fn open(files: Files) -> (Tracking, RemoteRun) {
    let token = Arc::new(StaticToken::new("fake"));
    let endpoint = Endpoint::new("https://ml.test", Arc::new(files))
        .with_credential(token, Scope::resource("https://arm.test"));
    let backend: Arc<dyn TrackingBackend> =
        Arc::new(AzureMlTracking::new(endpoint, testing::workspace()));
    let reference = RunRef::new(testing::experiment("wine"), RunId::new("run1"))
        .with_data_container(Some("box".to_owned()));
    (Tracking::from_arc(backend.clone()), RemoteRun::new(backend, reference))
}

fn model(path: &str) -> NewModel {
    NewModel::new("wine", ArtifactPath::parse(path).unwrap())
}

#[tokio::test]
async fn a_model_comes_back_byte_for_byte() {
    let (tracking, run) = open(Files::default());
    run.upload_bytes("outputs/model.json", "{\"weights\": []}").await.unwrap();
    run.upload_bytes("outputs/model.json.bak", "old").await.unwrap();

    let version = run.register_model(&model("outputs/model.json")).await.unwrap();
    assert_eq!(version.version, ModelVersionNumber::new(1));

    let folder = tempfile::tempdir().unwrap();
    let files = tracking.download_model(&version, folder.path()).await.unwrap();
    assert_eq!(files, [folder.path().join("model.json")]);
    assert_eq!(std::fs::read(&files[0]).unwrap(), b"{\"weights\": []}");
}

#[tokio::test]
async fn artifacts_are_read_and_saved_under_their_paths() {
    let (_, run) = open(Files::default());
    run.upload_bytes("outputs/a b.txt", "a").await.unwrap();
    run.upload_bytes("outputs/dir/c.txt", "c").await.unwrap();
    assert_eq!(run.read_artifact("outputs/a b.txt").await.unwrap(), "a");

    let folder = tempfile::tempdir().unwrap();
    let files =
        run.download_files("outputs/dir/", folder.path(), &TransferOptions::new()).await.unwrap();
    assert_eq!(files, [folder.path().join("outputs/dir/c.txt")]);
    let file = folder.path().join("new/a.txt");
    run.download_file("outputs/a b.txt", &file).await.unwrap();
    assert_eq!(std::fs::read(file).unwrap(), b"a");
}

#[tokio::test]
async fn a_model_without_a_file_is_not_registered() {
    let (_, run) = open(Files::default());
    run.upload_bytes("outputs/model.json.bak", "old").await.unwrap();
    let err = run.register_model(&model("outputs/model.json")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    insta::assert_snapshot!(err, @r#"models.register failed: run run1 has no artifact "outputs/model.json"; upload it first, or list the artifacts to see their paths"#);
}

#[tokio::test]
async fn a_service_cannot_name_a_file_outside_the_folder() {
    let files = Files { claimed: Some("../../evil"), ..Files::default() };
    let (_, run) = open(files);
    run.upload_bytes("outputs/a", "a").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let err =
        run.download_files("outputs/", folder.path(), &TransferOptions::new()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_missing_local_file_is_named_before_anything_is_sent() {
    let (_, run) = open(Files::default());
    let err = run.upload_file("outputs/a", "nowhere.bin").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert!(err.to_string().starts_with("artifact.upload failed: nowhere.bin: "));
}
