use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{MockCloud, services::databricks::tests::HOST};

const VOLUME: &str = "/Volumes/main/default/v";

/// A cloud with a volume.
fn cloud() -> MockCloud {
    let cloud = MockCloud::new();
    let volumes = cloud.kernel().files.volumes(crate::services::databricks::DEFAULT_WORKSPACE);
    std::fs::create_dir_all(volumes.path().join("main/default/v")).unwrap();
    cloud
}

/// Status, headers and bytes of the answer.
async fn ask(
    cloud: &MockCloud,
    method: &str,
    path: &str,
    header: Option<(&str, &str)>,
    body: &str,
) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{HOST}/api/2.0/fs/{path}"))
        .header("authorization", "Bearer dapi-fake-token");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = cloud.router().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

async fn json_of(cloud: &MockCloud, method: &str, path: &str) -> (u16, Value) {
    let (status, _, bytes) = ask(cloud, method, path, None, "").await;
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_file_comes_back_whole_and_in_parts() {
    let cloud = cloud();
    let file = format!("files{VOLUME}/d/x%20y.bin");
    assert_eq!(ask(&cloud, "PUT", &file, None, "0123456789").await.0, 204);
    let (status, headers, bytes) = ask(&cloud, "GET", &file, None, "").await;
    assert_eq!((status, bytes.as_slice()), (200, b"0123456789".as_slice()));
    assert_eq!(headers["content-length"], "10");
    for (range, part, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let (status, headers, bytes) = ask(&cloud, "GET", &file, Some(("range", range)), "").await;
        assert_eq!((status, bytes.as_slice()), (206, part.as_bytes()), "{range}");
        assert_eq!(headers["content-range"], shown);
    }
    assert_eq!(ask(&cloud, "GET", &file, Some(("range", "bytes=10-")), "").await.0, 416);
    let (status, headers, bytes) = ask(&cloud, "HEAD", &file, None, "").await;
    assert_eq!((status, bytes.len()), (200, 0));
    assert_eq!(headers["content-length"], "10");
    let modified = headers["last-modified"].to_str().unwrap().to_owned();
    let since = |date: &str| ("if-unmodified-since", date.to_owned());
    for (date, wanted) in [(modified.as_str(), 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 412)] {
        let (name, value) = since(date);
        assert_eq!(ask(&cloud, "GET", &file, Some((name, &value)), "").await.0, wanted);
    }
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_the_client_says_so() {
    let cloud = cloud();
    let file = format!("files{VOLUME}/a");
    assert_eq!(ask(&cloud, "PUT", &file, None, "1").await.0, 204);
    let (status, refusal) = json_of(&cloud, "PUT", &file).await;
    assert_eq!((status, &refusal["error_code"]), (409, &json!("ALREADY_EXISTS")));
    assert_eq!(ask(&cloud, "PUT", &format!("{file}?overwrite=true"), None, "2").await.0, 204);
    assert_eq!(ask(&cloud, "GET", &file, None, "").await.2, b"2");
    assert_eq!(ask(&cloud, "PUT", &format!("{file}/below"), None, "").await.0, 409);
    assert_eq!(ask(&cloud, "PUT", &format!("directories{VOLUME}/a"), None, "").await.0, 409);
    assert_eq!(ask(&cloud, "DELETE", &file, None, "").await.0, 204);
    let (status, refusal) = json_of(&cloud, "DELETE", &file).await;
    assert_eq!((status, &refusal["error_code"]), (404, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn a_folder_is_listed_page_by_page() {
    let cloud = cloud();
    let folder = format!("directories{VOLUME}");
    assert_eq!(json_of(&cloud, "GET", &folder).await, (200, json!({})));
    assert_eq!(ask(&cloud, "HEAD", &folder, None, "").await.0, 200);
    for name in ["b", "a"] {
        ask(&cloud, "PUT", &format!("files{VOLUME}/{name}"), None, "12").await;
    }
    assert_eq!(ask(&cloud, "PUT", &format!("{folder}/c"), None, "").await.0, 204);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("{folder}?page_size=2&page_token={token}");
        let (_, page) = json_of(&cloud, "GET", &path).await;
        let contents = page["contents"].as_array().unwrap();
        names.extend(contents.iter().map(|it| {
            assert_eq!(it["path"], json!(format!("{VOLUME}/{}", it["name"].as_str().unwrap())));
            (
                it["name"].as_str().unwrap().to_owned(),
                it["is_directory"].clone(),
                it["file_size"].clone(),
            )
        }));
        let Some(next) = page["next_page_token"].as_str() else { break };
        token = next.to_owned();
    }
    let file = |it: &str| (it.to_owned(), json!(false), json!(2));
    assert_eq!(names, [file("a"), file("b"), ("c".to_owned(), json!(true), Value::Null)]);
    let (status, refusal) = json_of(&cloud, "GET", &format!("{folder}?page_token=%21")).await;
    assert_eq!((status, &refusal["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
}

#[tokio::test]
async fn a_folder_that_is_not_empty_stays() {
    let cloud = cloud();
    let folder = format!("directories{VOLUME}/d");
    assert_eq!(json_of(&cloud, "DELETE", &folder).await.0, 404);
    for _ in 0..2 {
        assert_eq!(ask(&cloud, "PUT", &folder, None, "").await.0, 204);
    }
    ask(&cloud, "PUT", &format!("files{VOLUME}/d/x"), None, "").await;
    let (status, refusal) = json_of(&cloud, "DELETE", &folder).await;
    assert_eq!((status, &refusal["error_code"]), (400, &json!("DIRECTORY_NOT_EMPTY")));
    ask(&cloud, "DELETE", &format!("files{VOLUME}/d/x"), None, "").await;
    assert_eq!(ask(&cloud, "DELETE", &folder, None, "").await.0, 204);
    assert_eq!(json_of(&cloud, "DELETE", &format!("directories{VOLUME}")).await.0, 400);
}

#[tokio::test]
async fn the_names_of_a_volume_are_compared_without_case_and_those_of_files_with_it() {
    let cloud = cloud();
    let volume = "/api/2.1/unity-catalog/volumes";
    let body = json!({
        "catalog_name": "main", "schema_name": "default", "name": "IT-Abc", "volume_type": "MANAGED",
    });
    let (_, made) = crate::services::databricks::tests::post(&cloud, volume, body).await;
    assert_eq!(made["full_name"], "main.default.it-abc");
    let file = |volume: &str, name: &str| format!("files/Volumes/{volume}/{name}");
    assert_eq!(ask(&cloud, "PUT", &file("main/default/IT-Abc", "A"), None, "1").await.0, 204);
    for (volume, name, wanted) in [
        ("MAIN/Default/it-abc", "A", 200),
        ("main/default/it-abc", "A", 200),
        ("main/default/it-abc", "a", 404),
    ] {
        assert_eq!(ask(&cloud, "GET", &file(volume, name), None, "").await.0, wanted, "{volume}");
    }
}

#[tokio::test]
async fn artifacts_of_a_run_are_where_dbfs_has_them() {
    let cloud = cloud();
    let run = "/WorkspaceInternal/Mlflow/Artifacts/7/Runs/abc";
    assert_eq!(json_of(&cloud, "GET", &format!("directories{run}/artifacts")).await.0, 404);
    let file = format!("files{run}/artifacts/d/a.txt");
    assert_eq!(ask(&cloud, "PUT", &file, None, "hello").await.0, 204);
    let (_, page) = json_of(&cloud, "GET", &format!("directories{run}/artifacts/d")).await;
    assert_eq!(page["contents"][0]["path"], format!("{run}/artifacts/d/a.txt"));
    let path = "/api/2.0/dbfs/get-status?path=/databricks/mlflow-tracking/7/abc/artifacts/d/a.txt";
    let (_, status) = crate::services::databricks::tests::get(&cloud, path).await;
    assert_eq!(status["file_size"], 5);
}

#[tokio::test]
async fn other_paths_are_refused_and_what_is_not_emulated_is_not_there() {
    let cloud = cloud();
    for path in ["files/Volumes/main/default", "files/Workspace/a", "directories/tmp"] {
        let (status, refusal) = json_of(&cloud, "GET", path).await;
        assert_eq!((status, &refusal["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    }
    for path in ["files/Volumes/main/default/none/a", "directories/Volumes/main/default/none"] {
        let (status, refusal) = json_of(&cloud, "PUT", path).await;
        assert_eq!((status, &refusal["error_code"]), (404, &json!("NOT_FOUND")));
    }
    // Clients take this for "use the files themselves".
    for path in ["create-download-url", "files/Volumes/main/default/v/a?action=initiate-upload"] {
        let (status, refusal) = json_of(&cloud, "POST", path).await;
        assert_eq!((status, &refusal["error_code"]), (404, &json!("ENDPOINT_NOT_FOUND")));
    }
}
