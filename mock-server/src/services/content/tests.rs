use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::azure::ML_AUDIENCE,
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

/// Makes a snapshot of which `sent` are the new files.
async fn create(cloud: &MockCloud, id: &str, parent: &str, all: &[&str], sent: &[&str]) -> u16 {
    let names: Vec<String> = sent.iter().map(|it| format!("src/{it}")).collect();
    let body = json!({"FileNames": names}).to_string();
    let (_, places) = send(cloud, "POST", &at("v2.0", "/getblob"), &body).await;
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
async fn the_latest_snapshot_is_empty_and_found() {
    let (status, latest) =
        send(&MockCloud::new(), "GET", &at("v1.0", "/latest/metadata"), "").await;
    assert_eq!((status, &latest["root"]["children"]), (200, &json!({})));
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
        let (first, second) =
            (world.content.files("s1").unwrap(), world.content.files("s2").unwrap());
        assert!(first["src/b c.py"].starts_with("snapshots/"));
        assert!(first["src/b c.py"].ends_with("/src/b c.py"));
        assert_eq!(first["src/b c.py"], second["src/b c.py"]);
        assert_ne!(first["src/a.py"], second["src/a.py"]);
        assert_eq!(world.content.files("s3"), None);
    });
    assert_eq!(create(&cloud, "s3", "none", &["a.py", "b.py"], &["a.py"]).await, 400);
}
