use std::{sync::Arc, time::Duration};

use azml_core::{ErrorKind, Result};
use azml_databricks::files::{FilePath, Files, FilesClient};
use azml_mock::Fault;
use azml_testkit::TestContext;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::StatusCode;
use serde_json::json;
use time::macros::datetime;
use tokio::time::Instant;

use crate::{databricks, post};

const MIB: usize = 1024 * 1024;

fn path(relative: &str) -> FilePath {
    format!("/Volumes/main/default/wine/{relative}").parse().unwrap()
}

/// Files of a cloud that has the volume `wine`.
async fn files(ctx: &TestContext) -> FilesClient {
    let volume = json!({
        "catalog_name": "main", "schema_name": "default", "name": "wine",
        "volume_type": "MANAGED",
    });
    post(ctx, "/api/2.1/unity-catalog/volumes", volume).await;
    databricks(ctx).files()
}

/// Bytes of which no two mebibytes are alike.
fn content(len: usize) -> Bytes {
    (0..len).map(|it| (it / MIB + it % 251).to_le_bytes()[0]).collect::<Vec<u8>>().into()
}

/// What every implementation keeps.
async fn files_contract(files: &dyn Files) {
    let (folder, file) = (path("raw data"), path("raw data/a%20b é.csv"));
    assert!(!files.directory_exists(&folder).await.unwrap());
    files.create_directory(&folder).await.unwrap();
    files.create_directory(&folder).await.unwrap();
    assert!(files.directory_exists(&folder).await.unwrap());

    files.upload(&file, Arc::new(Bytes::from("hello")), false).await.unwrap();
    let err = files.upload(&file, Arc::new(Bytes::from("other")), false).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    files.upload(&file, Arc::new(Bytes::from("hello, you")), true).await.unwrap();
    let described = files.get_metadata(&file).await.unwrap();
    assert_eq!(described.len, 10);

    let part = files.read(&file, 7..100, described.modified_at).await.unwrap();
    assert_eq!((&*part.bytes, part.file), (&b"you"[..], described));
    assert_eq!(files.read(&file, 10..11, None).await.unwrap().bytes.len(), 0);

    let found: Vec<_> = files.list_directory(&folder).try_collect().await.unwrap();
    let [entry] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((&entry.path, entry.len, entry.is_dir), (&file, 10, false));
    let err = files.delete_directory(&folder).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    files.delete(&file).await.unwrap();
    files.delete_directory(&folder).await.unwrap();

    for err in [
        files.get_metadata(&file).await.unwrap_err(),
        files.delete(&file).await.unwrap_err(),
        files.delete_directory(&folder).await.unwrap_err(),
        files.read(&file, 0..1, None).await.unwrap_err(),
        files.list_directory(&folder).next().await.unwrap().unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    files_contract(&files(&ctx).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_of_any_size_goes_up_and_comes_down_as_it_was() {
    let ctx = TestContext::new();
    let files = files(&ctx).await;
    for len in [0, 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 21 * MIB + 7] {
        let (file, sent) = (path("large.bin"), content(len));
        files.upload(&file, Arc::new(sent.clone()), true).await.unwrap();
        let parts: Vec<Bytes> = files.download(&file).try_collect().await.unwrap();
        assert!(parts.iter().all(|it| !it.is_empty() && it.len() <= 4 * MIB));
        assert!(parts.concat() == sent, "{len} bytes differ");
        assert!(files.read_all(&file).await.unwrap() == sent, "{len} bytes differ");
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_goes_on_where_it_ended() {
    let ctx = TestContext::new();
    let files = files(&ctx).await;
    let (file, sent) = (path("large.bin"), content(9 * MIB));
    files.upload(&file, Arc::new(sent.clone()), true).await.unwrap();
    let rest: Vec<Bytes> = files.download_from(&file, 5_000_000).try_collect().await.unwrap();
    assert!(rest.concat() == sent[5_000_000..]);
    let end: Vec<Bytes> = files.download_from(&file, 9 * MIB as u64).try_collect().await.unwrap();
    assert_eq!(end.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_breaks_off_is_asked_for_again() {
    let ctx = TestContext::new();
    let files = files(&ctx).await;
    let (file, sent) = (path("large.bin"), content(9 * MIB));
    ctx.cloud.inject(Fault::reset("databricks.files.upload"));
    files.upload(&file, Arc::new(sent.clone()), true).await.unwrap();
    ctx.cloud.inject(Fault::reset("databricks.files.download").with_nth(2));
    ctx.cloud.inject(
        Fault::operation("databricks.files.download", StatusCode::TOO_MANY_REQUESTS)
            .with_retry_after(Duration::from_secs(3))
            .with_nth(4),
    );
    let start = Instant::now();
    assert!(files.read_all(&file).await.unwrap() == sent);
    assert!(3 <= start.elapsed().as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_written_since_is_not_read_on() {
    let ctx = TestContext::new();
    let files = files(&ctx).await;
    let file = path("a");
    files.upload(&file, Arc::new(Bytes::from("hello")), true).await.unwrap();
    let long_ago = Some(datetime!(2001-01-01 0:00 UTC));
    let err = files.read(&file, 0..1, long_ago).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test(start_paused = true)]
async fn a_long_listing_comes_whole() {
    let ctx = TestContext::new();
    let files = files(&ctx).await;
    for number in 0..1005 {
        let file = path(&format!("many/{number:04}"));
        files.upload(&file, Arc::new(Bytes::new()), false).await.unwrap();
    }
    let found: Result<Vec<_>> = files.list_directory(&path("many")).try_collect().await;
    let names: Vec<String> = found.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, (0..1005).map(|it| format!("{it:04}")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_not_there_is_not_found() {
    let ctx = TestContext::new();
    let files = databricks(&ctx).files();
    let file = "/Volumes/main/default/none/a".parse().unwrap();
    let err = files.upload(&file, Arc::new(Bytes::from("x")), true).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}
