use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::{arm::ACCOUNT, azure::ML_AUDIENCE, blob::ARTIFACTS},
    tests::{WORKSPACE, assert_replays, send, token_for},
};

fn at(version: &str, rest: &str) -> String {
    format!("/content/{version}{WORKSPACE}/snapshots{rest}")
}

fn tree(names: &[&str]) -> Value {
    let files = names.iter().map(|it| ((*it).to_owned(), json!({"type": "File", "children": {}})));
    let files: serde_json::Map<String, Value> = files.collect();
    json!({"name": "", "type": "Directory", "children": {"src": {"type": "Directory", "children": files}}})
}

/// The file of the blob at an address.
fn file_of(cloud: &MockCloud, url: &str) -> std::path::PathBuf {
    let (_, name) = url.split('?').next().unwrap().split_once("/azureml/").unwrap();
    let name = percent_encoding::percent_decode_str(name).decode_utf8().unwrap();
    cloud.kernel().files.container(ACCOUNT, ARTIFACTS).locate(&name)
}

/// Writes the name of each file to its place.
fn upload(cloud: &MockCloud, places: &Value) {
    for it in places["fileNodes"].as_array().unwrap() {
        let path = file_of(cloud, it["blobUri"].as_str().unwrap());
        let name = it["fullName"].as_str().unwrap();
        cloud.kernel().files.write(&path, name.as_bytes()).unwrap();
    }
}

/// Makes a snapshot of which `sent` are the new files.
async fn create(cloud: &MockCloud, id: &str, parent: &str, all: &[&str], sent: &[&str]) -> u16 {
    let names: Vec<String> = sent.iter().map(|it| format!("src/{it}")).collect();
    let body = json!({"FileNames": names}).to_string();
    let (_, places) = send(cloud, "POST", &at("v2.0", "/getblob"), &body).await;
    upload(cloud, &places);
    let nodes = places["fileNodes"].as_array().unwrap().iter();
    let nodes: Vec<Value> = nodes
        .map(|it| json!({"FullName": it["fullName"], "BlobUri": it["blobUri"], "FileSize": 1}))
        .collect();
    let body = json!({
        "ParentSnapshotId": parent, "Tags": null, "Properties": {}, "DirTreeNode": tree(all),
        "FileRevisionList": {"FileNodes": nodes},
    });
    send(cloud, "POST", &at("v2.0", &format!("/{id}")), &body.to_string()).await.0
}

#[tokio::test]
async fn the_first_latest_snapshot_is_empty_and_found() {
    let (status, latest) =
        send(&MockCloud::new(), "GET", &at("v1.0", "/latest/metadata"), "").await;
    assert_eq!((status, &latest["root"]["children"]), (200, &json!({})));
}

#[tokio::test]
async fn blanks_and_other_letters_stand_for_themselves_in_an_address() {
    let cloud = MockCloud::new();
    let body = json!({ "FileNames": ["my file/grün 100%.txt"] }).to_string();
    let (_, places) = send(&cloud, "POST", &at("v2.0", "/getblob"), &body).await;
    let uri = places["fileNodes"][0]["blobUri"].as_str().unwrap();
    assert!(uri.split('?').next().unwrap().ends_with("/my file/grün 100%25.txt"), "{uri}");
    assert_eq!(create(&cloud, "named", "", &["b c.py"], &["b c.py"]).await, 200);
}

#[tokio::test]
async fn places_for_files_are_given_as_recorded() {
    let cloud = MockCloud::new();
    assert_replays(&cloud, "content/snapshots-get-blob", &token_for(ML_AUDIENCE)).await;
}

#[tokio::test]
async fn a_snapshot_has_what_was_sent_and_the_rest_from_its_parent() {
    let cloud = MockCloud::new();
    assert_eq!(create(&cloud, "s1", "none", &["a.py", "b c.py"], &["a.py", "b c.py"]).await, 200);
    assert_eq!(create(&cloud, "s2", "s1", &["a.py", "b c.py"], &["a.py"]).await, 200);
    cloud.kernel().inspect(|world| {
        let workspace = world.arm.workspaces().find(|it| it.name == "ws1").unwrap();
        let workspace = workspace.workspace_id.as_str();
        let (first, second) = (
            world.content.files(workspace, "s1").unwrap(),
            world.content.files(workspace, "s2").unwrap(),
        );
        assert!(first["src/b c.py"].starts_with("snapshots/"));
        assert!(first["src/b c.py"].ends_with("/src/b c.py"));
        assert_eq!(first["src/b c.py"], second["src/b c.py"]);
        assert_ne!(first["src/a.py"], second["src/a.py"]);
        assert_eq!(world.content.files(workspace, "s3"), None);
    });
    assert_eq!(create(&cloud, "s3", "none", &["a.py", "b.py"], &["a.py"]).await, 400);
}

#[tokio::test]
async fn the_latest_snapshot_is_the_last_one_made_with_its_tree() {
    let cloud = MockCloud::new();
    create(&cloud, "s1", "none", &["a.py"], &["a.py"]).await;
    create(&cloud, "s2", "s1", &["a.py", "b.py"], &["b.py"]).await;
    let (_, latest) = send(&cloud, "GET", &at("v1.0", "/latest/metadata"), "").await;
    let (_, by_id) = send(&cloud, "GET", &at("v1.0", "/s2/metadata"), "").await;
    assert_eq!((&latest["id"], &latest), (&json!("s2"), &by_id));
    let files = &latest["root"]["children"]["src"]["children"];
    let kept = ["a.py", "b.py"].map(|it| (&files[it]["type"], &files[it]["sizeBytes"]));
    assert_eq!(kept, [(&json!("File"), &json!(8)); 2]);
    assert_eq!(latest["root"]["sizeBytes"], 16);
    assert_eq!(send(&cloud, "GET", &at("v1.0", "/none/metadata"), "").await.0, 404);
}

#[tokio::test]
async fn a_snapshot_comes_back_in_one_archive() {
    let cloud = MockCloud::new();
    create(&cloud, "s1", "none", &["a.py", "b c.py"], &["a.py", "b c.py"]).await;
    let mut archives = Vec::new();
    for _ in 0..2 {
        let (status, answer) = send(&cloud, "POST", &at("v2.0", "/s1/zip"), "").await;
        assert_eq!(status, 200, "{answer}");
        archives.push(std::fs::read(file_of(&cloud, answer["zipSasUri"].as_str().unwrap())));
    }
    let [first, second] = archives.try_into().unwrap();
    let first = first.unwrap();
    assert_eq!(first, second.unwrap());
    let text = String::from_utf8_lossy(&first);
    assert_eq!(text.matches("src/b c.pysrc/b c.py").count(), 1, "the name, then the bytes");
    assert_eq!(send(&cloud, "POST", &at("v2.0", "/none/zip"), "").await.0, 404);
}

#[tokio::test]
async fn a_file_that_was_never_uploaded_is_in_no_snapshot() {
    let cloud = MockCloud::new();
    let body = json!({"FileRevisionList": {"FileNodes": [
        {"FullName": "a.py", "BlobUri": "https://a.test/azureml/snapshots/x/a.py"},
    ]}});
    let (status, answer) = send(&cloud, "POST", &at("v2.0", "/s1"), &body.to_string()).await;
    let message = "the file \"a.py\" was not uploaded to its address";
    assert_eq!((status, &answer["error"]["message"]), (400, &json!(message)));
}

#[tokio::test]
async fn more_than_300_mib_are_refused() {
    let cloud = MockCloud::new();
    let (_, places) =
        send(&cloud, "POST", &at("v2.0", "/getblob"), r#"{"FileNames":["big"]}"#).await;
    upload(&cloud, &places);
    let url = places["fileNodes"][0]["blobUri"].as_str().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file_of(&cloud, url)).unwrap();
    let nodes = json!([{"FullName": "big", "BlobUri": url, "FileSize": 1}]);
    let body = json!({"FileRevisionList": {"FileNodes": nodes}}).to_string();
    for (len, expected) in [((300 << 20) + 1, 400), (300 << 20, 200)] {
        file.set_len(len).unwrap();
        let (status, answer) = send(&cloud, "POST", &at("v2.0", "/s1"), &body).await;
        assert_eq!(status, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_snapshot_is_made_once_and_may_be_sent_twice() {
    let cloud = MockCloud::new();
    assert_eq!(create(&cloud, "s1", "none", &["a.py"], &["a.py"]).await, 200);
    assert_eq!(create(&cloud, "s1", "s1", &["a.py"], &[]).await, 200);
    assert_eq!(create(&cloud, "s1", "none", &["b.py"], &["b.py"]).await, 409);
}

#[tokio::test]
async fn a_workspace_sees_no_snapshot_of_another() {
    let cloud = MockCloud::new();
    assert_eq!(create(&cloud, "s1", "none", &["a.py"], &["a.py"]).await, 200);
    let elsewhere = |version: &str, rest: &str| at(version, rest).replace("/ws1/", "/w-plain/");
    let metadata = elsewhere("v1.0", "/s1/metadata");
    assert_eq!(send(&cloud, "GET", &metadata, "").await.0, 404);
    assert_eq!(send(&cloud, "POST", &elsewhere("v2.0", "/s1/zip"), "").await.0, 404);
    let body = json!({
        "ParentSnapshotId": "s1", "DirTreeNode": tree(&["a.py"]),
        "FileRevisionList": {"FileNodes": []},
    });
    let create = elsewhere("v2.0", "/s2");
    let (status, refused) = send(&cloud, "POST", &create, &body.to_string()).await;
    let message = "the file \"src/a.py\" was not sent and is not in the parent snapshot";
    assert_eq!((status, &refused["error"]["message"]), (400, &json!(message)));
}
