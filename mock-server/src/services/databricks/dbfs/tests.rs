use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, post_form},
};

#[tokio::test]
async fn a_stream_of_blocks_is_a_file_once_it_is_closed() {
    let cloud = MockCloud::new();
    let (_, made) = post(&cloud, "/api/2.0/dbfs/create", json!({ "path": "dbfs:/d/a.csv" })).await;
    let handle = &made["handle"];
    for block in ["one,", "two"] {
        let body = json!({ "handle": handle, "data": BASE64.encode(block) });
        assert_eq!(post(&cloud, "/api/2.0/dbfs/add-block", body).await.0, 200);
    }
    assert_eq!(get(&cloud, "/api/2.0/dbfs/get-status?path=/d/a.csv").await.0, 404);
    assert_eq!(post(&cloud, "/api/2.0/dbfs/close", json!({ "handle": handle })).await.0, 200);
    let (_, read) = get(&cloud, "/api/2.0/dbfs/read?path=/d/a.csv&offset=4&length=10").await;
    assert_eq!(read, json!({ "bytes_read": 3, "data": BASE64.encode("two") }));
    let (_, listed) = get(&cloud, "/api/2.0/dbfs/list?path=dbfs:/d").await;
    assert_eq!(listed["files"][0]["path"], "/d/a.csv");
    assert_eq!(listed["files"][0]["file_size"], 7);

    let (status, again) = post(&cloud, "/api/2.0/dbfs/create", json!({ "path": "/d/a.csv" })).await;
    assert_eq!((status, &again["error_code"]), (400, &json!("RESOURCE_ALREADY_EXISTS")));
    assert_eq!(post(&cloud, "/api/2.0/dbfs/close", json!({ "handle": handle })).await.0, 404);
}

#[tokio::test]
async fn limits_and_states_are_refused_in_the_words_of_the_service() {
    let cloud = MockCloud::new();
    let code = async |path: &str, body| post(&cloud, path, body).await.1["error_code"].clone();
    let large = BASE64.encode(vec![0; 1024 * 1024 + 1]);
    let put = json!({ "path": "/big", "contents": large });
    assert_eq!(code("/api/2.0/dbfs/put", put).await, "MAX_BLOCK_SIZE_EXCEEDED");
    post(&cloud, "/api/2.0/dbfs/put", json!({ "path": "/d/a", "contents": BASE64.encode("x") }))
        .await;
    let (_, read) = get(&cloud, "/api/2.0/dbfs/read?path=/d/a&length=1048577").await;
    assert_eq!(read["error_code"], "MAX_READ_SIZE_EXCEEDED");
    assert_eq!(code("/api/2.0/dbfs/delete", json!({ "path": "/d" })).await, "IO_ERROR");
    let moved = json!({ "source_path": "/d/a", "destination_path": "/e/b" });
    assert_eq!(post(&cloud, "/api/2.0/dbfs/move", moved.clone()).await.0, 200);
    assert_eq!(code("/api/2.0/dbfs/move", moved).await, "RESOURCE_DOES_NOT_EXIST");
    let all = json!({ "path": "/e", "recursive": true });
    assert_eq!(post(&cloud, "/api/2.0/dbfs/delete", all.clone()).await.0, 200);
    assert_eq!(post(&cloud, "/api/2.0/dbfs/delete", all).await.0, 200, "what is gone is gone");
    post(&cloud, "/api/2.0/dbfs/mkdirs", json!({ "path": "/empty" })).await;
    assert_eq!(get(&cloud, "/api/2.0/dbfs/list?path=/empty").await.1, json!({}));
}

#[tokio::test]
async fn a_file_in_a_form_may_be_large_and_bear_any_type() {
    let cloud = MockCloud::new();
    let large = "x".repeat(1024 * 1024 + 1);
    for (part, kind) in [("contents", "text/plain"), ("file", "multipart/form-data")] {
        let fields = [("path", "/d/form"), ("overwrite", "True")];
        let file = (part, kind, large.as_str());
        assert_eq!(post_form(&cloud, "/api/2.0/dbfs/put", &fields, file).await, (200, json!({})));
    }
    let (_, status) = get(&cloud, "/api/2.0/dbfs/get-status?path=/d/form").await;
    assert_eq!(status["file_size"], 1024 * 1024 + 1);
    let again = [("path", "/d/form")];
    let (status, refusal) =
        post_form(&cloud, "/api/2.0/dbfs/put", &again, ("contents", "text/plain", "")).await;
    assert_eq!((status, &refusal["error_code"]), (400, &json!("RESOURCE_ALREADY_EXISTS")));
}

#[tokio::test]
async fn very_many_files_are_deleted_a_part_at_a_time() {
    let cloud = MockCloud::new();
    post(&cloud, "/api/2.0/dbfs/put", json!({ "path": "/many/sub/first" })).await;
    let kernel = cloud.kernel();
    let folder = kernel.files.dbfs(crate::services::databricks::DEFAULT_WORKSPACE);
    for it in 0..super::routes::files::DELETED_AT_ONCE {
        std::fs::write(folder.path().join("many").join(it.to_string()), "").unwrap();
    }
    let body = json!({ "path": "/many", "recursive": true });
    let (status, refusal) = post(&cloud, "/api/2.0/dbfs/delete", body.clone()).await;
    assert_eq!((status, &refusal["error_code"]), (503, &json!("PARTIAL_DELETE")));
    assert_eq!(post(&cloud, "/api/2.0/dbfs/delete", body).await, (200, json!({})));
    assert_eq!(get(&cloud, "/api/2.0/dbfs/get-status?path=/many").await.0, 404);
}
