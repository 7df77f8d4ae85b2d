use std::{sync::Arc, time::Duration};

use azml_core::ErrorKind;
use azml_databricks::dbfs::{Dbfs, DbfsHandle, DbfsPath};
use azml_mock::Fault;
use azml_testkit::TestContext;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::StatusCode;
use tokio::time::Instant;

use crate::databricks;

const MIB: usize = 1024 * 1024;

fn path(text: &str) -> DbfsPath {
    text.parse().unwrap()
}

/// Bytes of which no two mebibytes are alike.
fn content(len: usize) -> Bytes {
    (0..len).map(|it| (it / MIB + it % 251).to_le_bytes()[0]).collect::<Vec<u8>>().into()
}

/// What every implementation keeps.
async fn dbfs_contract(dbfs: &dyn Dbfs) {
    let (folder, file, other) = (path("dbfs:/d"), path("dbfs:/d/a b.csv"), path("dbfs:/d/c"));
    dbfs.mkdirs(&folder).await.unwrap();
    dbfs.mkdirs(&folder).await.unwrap();
    assert_eq!(dbfs.list(&folder).count().await, 0);
    dbfs.put(&file, Bytes::from("hello"), false).await.unwrap();
    let err = dbfs.put(&file, Bytes::new(), false).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    let err = dbfs.mkdirs(&file).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    let info = dbfs.get_status(&file).await.unwrap();
    assert_eq!((&info.path, info.len, info.is_dir), (&file, 5, false));
    assert!(dbfs.get_status(&folder).await.unwrap().is_dir);
    let found: Vec<_> = dbfs.list(&folder).try_collect().await.unwrap();
    assert_eq!(found, [info]);
    assert_eq!(dbfs.read(&file, 1, 3).await.unwrap(), "ell");
    assert_eq!(dbfs.read(&file, 5, 3).await.unwrap(), "");

    let handle = dbfs.create(&other, false).await.unwrap();
    dbfs.add_block(handle, Bytes::from("one")).await.unwrap();
    dbfs.add_block(handle, Bytes::from("two")).await.unwrap();
    dbfs.close(handle).await.unwrap();
    assert_eq!(dbfs.read(&other, 0, 100).await.unwrap(), "onetwo");
    let err = dbfs.add_block(DbfsHandle::new(404), Bytes::from("x")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);

    let err = dbfs.rename(&file, &other).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    let moved = path("dbfs:/d/moved");
    dbfs.rename(&file, &moved).await.unwrap();
    assert_eq!(dbfs.get_status(&file).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(dbfs.read(&moved, 0, 9).await.unwrap(), "hello");

    assert!(dbfs.delete(&folder, false).await.is_err(), "it is not empty");
    dbfs.delete(&folder, true).await.unwrap();
    dbfs.delete(&folder, true).await.unwrap();
    let err = dbfs.read(&moved, 0, 9).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    dbfs_contract(&databricks(&ctx).dbfs()).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_of_any_size_goes_up_and_comes_down_as_it_was() {
    let ctx = TestContext::new();
    let (dbfs, file) = (databricks(&ctx).dbfs(), path("dbfs:/large.bin"));
    for len in [0, 1, MIB - 1, MIB, MIB + 1, 7 * MIB + 13] {
        let sent = content(len);
        dbfs.upload(&file, Arc::new(sent.clone())).await.unwrap();
        let blocks: Vec<Bytes> = dbfs.download(&file).try_collect().await.unwrap();
        assert!(blocks.iter().all(|it| it.len() <= MIB));
        assert!(blocks.concat() == sent, "{len} bytes differ");
        assert!(dbfs.read_all(&file).await.unwrap() == sent, "{len} bytes differ");
    }
    let rest: Vec<Bytes> = dbfs.download_from(&file, 3_000_001).try_collect().await.unwrap();
    assert!(rest.concat() == content(7 * MIB + 13)[3_000_001..]);
    assert!(dbfs.exists(&file).await.unwrap());
    assert!(!dbfs.exists(&path("dbfs:/nothing")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_block_that_breaks_off_is_read_again() {
    let ctx = TestContext::new();
    let (dbfs, file) = (databricks(&ctx).dbfs(), path("dbfs:/large.bin"));
    let sent = content(5 * MIB);
    dbfs.upload(&file, Arc::new(sent.clone())).await.unwrap();
    ctx.cloud.inject(Fault::reset("databricks.dbfs.read").with_nth(3));
    ctx.cloud.inject(
        Fault::operation("databricks.dbfs.read", StatusCode::TOO_MANY_REQUESTS)
            .with_retry_after(Duration::from_secs(5))
            .with_nth(5),
    );
    let start = Instant::now();
    assert!(dbfs.read_all(&file).await.unwrap() == sent);
    assert!(5 <= start.elapsed().as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_block_whose_answer_was_lost_is_not_appended_twice() {
    let ctx = TestContext::new();
    let (dbfs, file) = (databricks(&ctx).dbfs(), path("dbfs:/large.bin"));
    ctx.cloud.inject(
        Fault::operation("databricks.dbfs.add_block", StatusCode::BAD_GATEWAY)
            .after_handler()
            .with_nth(2),
    );
    let err = dbfs.upload(&file, Arc::new(content(3 * MIB))).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert!(!dbfs.exists(&file).await.unwrap(), "half a file is no file");
}

#[tokio::test(start_paused = true)]
async fn a_download_of_what_is_not_there_is_not_found() {
    let ctx = TestContext::new();
    let dbfs = databricks(&ctx).dbfs();
    let mut blocks = dbfs.download(&path("dbfs:/nothing"));
    let err = blocks.next().await.unwrap().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    assert!(blocks.next().await.is_none());
}
