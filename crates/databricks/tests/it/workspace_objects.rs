use azml_core::ErrorKind;
use azml_databricks::workspace_objects::{
    ExportFormat, ImportOptions, Language, ObjectKind, WorkspaceObjects, WorkspacePath,
};
use azml_testkit::TestContext;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};

use crate::databricks;

const SOURCE: &str = "# Databricks notebook source\nprint(1)";

fn path(text: &str) -> WorkspacePath {
    text.parse().unwrap()
}

/// What every implementation keeps.
async fn objects_contract(objects: &dyn WorkspaceObjects) {
    let (folder, notebook) = (path("/Shared/a"), path("/Shared/a/train"));
    objects.mkdirs(&folder).await.unwrap();
    objects.mkdirs(&folder).await.unwrap();
    assert_eq!(objects.list(&folder).count().await, 0);
    let python = ImportOptions::source(Language::Python);
    objects.import(&notebook, Bytes::from(SOURCE), &python).await.unwrap();
    let err = objects.import(&notebook, Bytes::from(SOURCE), &python).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    objects.import(&notebook, SOURCE.into(), &python.with_overwrite(true)).await.unwrap();
    assert_eq!(objects.export(&notebook, &ExportFormat::Source).await.unwrap(), SOURCE);

    let status = objects.get_status(&notebook).await.unwrap();
    assert_eq!((&status.kind, &status.language), (&ObjectKind::Notebook, &Some(Language::Python)));
    let found: Vec<_> = objects.list(&folder).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| it.object_id).collect::<Vec<_>>(), [status.object_id]);

    let err = objects.delete(&folder, false).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    objects.delete(&folder, true).await.unwrap();
    for err in [
        objects.get_status(&notebook).await.unwrap_err(),
        objects.export(&notebook, &ExportFormat::Auto).await.unwrap_err(),
        objects.delete(&folder, true).await.unwrap_err(),
        objects.list(&folder).next().await.unwrap().unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    objects_contract(&databricks(&ctx).workspace_objects()).await;
}

#[tokio::test(start_paused = true)]
async fn a_notebook_is_exported_in_every_form() {
    let ctx = TestContext::new();
    let objects = databricks(&ctx).workspace_objects();
    let notebook = path("/Shared/train");
    let python = ImportOptions::source(Language::Python);
    objects.import(&notebook, SOURCE.into(), &python).await.unwrap();

    let jupyter = objects.export(&notebook, &ExportFormat::Jupyter).await.unwrap();
    let read: serde_json::Value = serde_json::from_slice(&jupyter).unwrap();
    assert_eq!(read["cells"][0]["cell_type"], "code");
    let html = objects.export(&notebook, &ExportFormat::Html).await.unwrap();
    assert!(html.starts_with(b"<!DOCTYPE html>"));
    // What was exported can be imported again.
    let again = path("/Shared/again");
    objects.import(&again, jupyter, &ImportOptions::jupyter()).await.unwrap();
    assert_eq!(objects.get_status(&again).await.unwrap().kind, ObjectKind::Notebook);
}

#[tokio::test(start_paused = true)]
async fn what_the_content_shows_is_what_it_becomes() {
    let ctx = TestContext::new();
    let objects = databricks(&ctx).workspace_objects();
    let auto = ImportOptions::auto();
    objects.import(&path("/Shared/nb.py"), SOURCE.into(), &auto).await.unwrap();
    objects.import(&path("/Shared/lib.py"), Bytes::from("x = 1\n"), &auto).await.unwrap();
    let raw = ImportOptions::new(ExportFormat::Raw);
    objects.import(&path("/Shared/raw.py"), SOURCE.into(), &raw).await.unwrap();

    let mut found: Vec<_> = objects
        .list(&path("/Shared"))
        .map_ok(|it| (it.path.to_string(), it.kind, it.len))
        .try_collect()
        .await
        .unwrap();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let paths: Vec<_> = found.iter().map(|it| (it.0.as_str(), &it.1)).collect();
    assert_eq!(
        paths,
        [
            ("/Shared/lib.py", &ObjectKind::File),
            ("/Shared/nb", &ObjectKind::Notebook),
            ("/Shared/raw.py", &ObjectKind::File),
        ]
    );
    assert_eq!(found[0].2, Some(6));
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_walked_folders_first() {
    let ctx = TestContext::new();
    let objects = databricks(&ctx).workspace_objects();
    for folder in ["/Shared/t/a/b", "/Shared/t/c"] {
        objects.mkdirs(&path(folder)).await.unwrap();
    }
    for file in ["/Shared/t/a/b/x.txt", "/Shared/t/c/y.txt", "/Shared/t/z.txt"] {
        objects.import(&path(file), Bytes::from("x"), &ImportOptions::auto()).await.unwrap();
    }
    let seen: Vec<String> = objects
        .walk(&path("/Shared/t"))
        .map_ok(|it| it.path.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        seen,
        [
            "/Shared/t/a",
            "/Shared/t/c",
            "/Shared/t/z.txt",
            "/Shared/t/a/b",
            "/Shared/t/a/b/x.txt",
            "/Shared/t/c/y.txt",
        ]
    );
    assert!(objects.exists(&path("/Shared/t")).await.unwrap());
    assert!(!objects.exists(&path("/Shared/u")).await.unwrap());
    let err = objects.walk(&path("/Shared/u")).next().await.unwrap().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}
