use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{ask, get, post, post_form},
};

pub(in crate::services::databricks) async fn import(
    cloud: &MockCloud,
    path: &str,
    source: &str,
) -> (u16, Value) {
    let body = json!({
        "path": path, "format": "SOURCE", "language": "PYTHON", "content": BASE64.encode(source),
    });
    post(cloud, "/api/2.0/workspace/import", body).await
}

#[tokio::test]
async fn a_notebook_comes_back_with_its_header() {
    let cloud = MockCloud::new();
    assert_eq!(import(&cloud, "/Shared/nb", "print(1)").await, (200, json!({})));
    let (_, exported) = get(&cloud, "/api/2.0/workspace/export?path=/Workspace/Shared/nb").await;
    let bytes = BASE64.decode(exported["content"].as_str().unwrap()).unwrap();
    assert_eq!(bytes, b"# Databricks notebook source\nprint(1)");
    let (_, status) = get(&cloud, "/api/2.0/workspace/get-status?path=/Shared/nb").await;
    assert_eq!(
        (&status["object_type"], &status["language"]),
        (&json!("NOTEBOOK"), &json!("PYTHON"))
    );
    let (_, listed) = get(&cloud, "/api/2.0/workspace/list?path=/Shared").await;
    assert_eq!(listed["objects"].as_array().unwrap().len(), 1);
    let (status, again) = import(&cloud, "/Shared/nb", "").await;
    assert_eq!((status, &again["error_code"]), (400, &json!("RESOURCE_ALREADY_EXISTS")));
}

#[tokio::test]
async fn auto_tells_notebooks_from_files() {
    let cloud = MockCloud::new();
    for (name, text) in
        [("a.py", "# Databricks notebook source\n1"), ("b.py", "1"), ("c.ipynb", r#"{"cells":[]}"#)]
    {
        let body = json!({ "path": format!("/Shared/{name}"), "format": "AUTO", "content": BASE64.encode(text) });
        assert_eq!(post(&cloud, "/api/2.0/workspace/import", body).await.0, 200);
    }
    let (_, listed) = get(&cloud, "/api/2.0/workspace/list?path=/Shared").await;
    let shown = |it: &Value| {
        format!("{} {}", it["path"].as_str().unwrap(), it["object_type"].as_str().unwrap())
    };
    let shown: Vec<String> = listed["objects"].as_array().unwrap().iter().map(shown).collect();
    assert_eq!(shown, ["/Shared/a NOTEBOOK", "/Shared/b.py FILE", "/Shared/c NOTEBOOK"]);
}

#[tokio::test]
async fn folders_must_exist_and_be_empty_to_go() {
    let cloud = MockCloud::new();
    let home = "/Users/55555555-5555-5555-5555-555555555555";
    assert_eq!(import(&cloud, "/nowhere/nb", "1").await.0, 404);
    let folder = json!({ "path": format!("{home}/a/b") });
    assert_eq!(post(&cloud, "/api/2.0/workspace/mkdirs", folder).await.0, 200);
    assert_eq!(import(&cloud, &format!("{home}/a/b/nb"), "1").await.0, 200);
    let delete = async |recursive| {
        let body = json!({ "path": format!("{home}/a"), "recursive": recursive });
        post(&cloud, "/api/2.0/workspace/delete", body).await
    };
    assert_eq!(delete(false).await.1["error_code"], "DIRECTORY_NOT_EMPTY");
    assert_eq!(delete(true).await.0, 200);
    assert_eq!(delete(true).await.1["error_code"], "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(get(&cloud, &format!("/api/2.0/workspace/list?path={home}")).await.1, json!({}));
}

#[tokio::test]
async fn a_form_brings_bytes_and_a_download_gives_them_back() {
    let cloud = MockCloud::new();
    let fields = [("path", "/Shared/b.dat"), ("format", "AUTO")];
    let file = ("content", "application/octet-stream", "\u{1}bytes\n");
    let import = "/api/2.0/workspace/import";
    assert_eq!(post_form(&cloud, import, &fields, file).await, (200, json!({})));
    let (status, refusal) = post_form(&cloud, import, &fields, file).await;
    assert_eq!((status, &refusal["error_code"]), (400, &json!("RESOURCE_ALREADY_EXISTS")));
    let path = "/api/2.0/workspace/export?path=/Shared/b.dat&direct_download=true";
    let answer = ask(&cloud, Some("dapi-fake-token"), "GET", path, String::new()).await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename*=UTF-8''b%2Edat");
    let bytes = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert_eq!(bytes, "\u{1}bytes\n");
}

#[tokio::test]
async fn an_exported_page_can_be_imported() {
    let cloud = MockCloud::new();
    import(&cloud, "/Shared/nb", "print(1)\n").await;
    let (_, page) = get(&cloud, "/api/2.0/workspace/export?path=/Shared/nb&format=HTML").await;
    assert_eq!(page["file_type"], "html");
    let body = json!({ "path": "/Shared/again", "format": "HTML", "content": page["content"] });
    assert_eq!(post(&cloud, "/api/2.0/workspace/import", body).await, (200, json!({})));
    let (_, again) = get(&cloud, "/api/2.0/workspace/export?path=/Shared/again").await;
    let text = BASE64.decode(again["content"].as_str().unwrap()).unwrap();
    assert_eq!(text, b"# Databricks notebook source\nprint(1)\n");
    let body = json!({ "path": "/Shared/x", "format": "DBC", "content": "" });
    assert_eq!(post(&cloud, "/api/2.0/workspace/import", body).await.0, 501);
}

#[tokio::test]
async fn a_file_does_not_replace_a_notebook() {
    let cloud = MockCloud::new();
    import(&cloud, "/Shared/nb", "1").await;
    let body = json!({ "path": "/Shared/nb", "format": "RAW", "content": "", "overwrite": true });
    let (status, refusal) = post(&cloud, "/api/2.0/workspace/import", body).await;
    assert_eq!(
        (status, &refusal["message"]),
        (
            400,
            &json!(
                "Cannot overwrite the asset at /Shared/nb due to type mismatch (asked: FILE, actual: NOTEBOOK)"
            )
        )
    );
}

#[tokio::test]
async fn what_a_task_wrote_has_an_id_that_stays() {
    let cloud = MockCloud::new();
    let folder = cloud.kernel().files.workspace(crate::services::databricks::DEFAULT_WORKSPACE);
    std::fs::create_dir_all(folder.path().join("Shared")).unwrap();
    std::fs::write(folder.path().join("Shared/made.txt"), "x").unwrap();
    let path = "/api/2.0/workspace/get-status?path=/Shared/made.txt";
    let (_, once) = get(&cloud, path).await;
    let (_, listed) = get(&cloud, "/api/2.0/workspace/list?path=/Shared").await;
    assert_ne!(once["object_id"], 0);
    assert_eq!(once, listed["objects"][0]);
}
