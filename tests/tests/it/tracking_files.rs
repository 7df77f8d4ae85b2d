//! Files up and down, also when the way breaks off.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use azml::{
    core::ErrorKind,
    tracking::{RemoteRun, TransferOptions, TransferProgress},
};
use azml_mock::Fault;
use azml_testkit::TestContext;
use futures_util::TryStreamExt;
use http::StatusCode;
use serde_json::json;

use crate::lakehouse::{open, remote_run};

const MIB: usize = 1024 * 1024;

async fn run(ctx: &TestContext, project: &Path) -> RemoteRun {
    let client = open(ctx, project).await;
    remote_run(client.tracking(), "files").await
}

fn write(path: PathBuf, bytes: impl AsRef<[u8]>) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Bytes of which no two blocks are equal.
fn bytes(len: usize) -> Vec<u8> {
    (0..len / 8).flat_map(|it| (it as u64).to_le_bytes()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_folder_goes_up_and_comes_back_whatever_its_names() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let run = run(&ctx, project.path()).await;
    let names = [
        "a.txt",
        "A.txt",
        "with space.txt",
        "ünïcode/日本.txt",
        "hash#1.txt",
        "100%.txt",
        "a%20b.txt",
        "plus+and&.txt",
        "sub/deep/er.bin",
        "query?.txt",
    ];
    let source = project.path().join("source");
    for name in names {
        write(source.join(name), name);
    }
    let seen: Arc<Mutex<Vec<TransferProgress>>> = Arc::default();
    let kept = seen.clone();
    let options =
        TransferOptions::new().with_progress(move |it| kept.lock().unwrap().push(it.clone()));
    run.upload_folder("outputs/dir", &source, &options).await.unwrap();
    let last = seen.lock().unwrap().last().unwrap().clone();
    assert_eq!((last.files_done, last.files_total), (names.len(), names.len()));
    assert_eq!(last.bytes_done, last.bytes_total);

    let listed: Vec<_> = run.artifacts().try_collect().await.unwrap();
    assert_eq!(listed.len(), names.len());
    let (down, files) = (project.path().join("down"), project.path().join("files"));
    let options = TransferOptions::new();
    let folder = run.download_folder("outputs/dir", &down, &options).await.unwrap();
    let all = run.download_files("outputs/", &files, &options).await.unwrap();
    assert_eq!((folder.len(), all.len()), (names.len(), names.len()));
    for name in names {
        assert_eq!(std::fs::read(down.join(name)).unwrap(), name.as_bytes(), "{name}");
        let whole = files.join("outputs/dir").join(name);
        assert_eq!(std::fs::read(whole).unwrap(), name.as_bytes(), "{name}");
    }
    let one = project.path().join("one.txt");
    run.download_file("outputs/dir/hash#1.txt", &one).await.unwrap();
    assert_eq!(std::fs::read(one).unwrap(), b"hash#1.txt");
    let missing = run.download_folder("outputs/di", &down, &options).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn bad_files_are_all_named_before_anything_is_sent() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let run = run(&ctx, project.path()).await;
    let good = write(project.path().join("good"), "good");
    let nowhere = project.path().join("nowhere");
    let options = TransferOptions::new();
    let files =
        [("ok", &good), ("../up", &good), ("/abs", &good), ("ok", &good), ("gone", &nowhere)];
    let err = run.upload_files(files, &options).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    let text = err.to_string();
    for part in ["../up", "/abs", "ok is given twice", "nowhere"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(run.upload_folder("outputs", &good, &options).await.is_err(), "a file is no folder");
    assert!(run.artifacts().try_collect::<Vec<_>>().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_that_broke_off_sends_only_what_is_missing() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let run = run(&ctx, project.path()).await;
    let large = write(project.path().join("large.bin"), bytes(22 * MIB));
    // Three of six blocks arrive, then the connection breaks for good.
    ctx.cloud.inject(Fault::reset("storage.blob.put_block").with_nth(4).with_times(12));
    let one = TransferOptions::new().with_parallel(1);
    let upload = || run.upload_files([("outputs/large.bin", &large)], &one);
    let mut tries = 0;
    while let Err(err) = upload().await {
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        tries += 1;
        assert!(tries < 9);
    }
    assert!(tries > 0);
    let copy = project.path().join("copy.bin");
    run.download_file("outputs/large.bin", &copy).await.unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), std::fs::read(&large).unwrap());

    // It is there: not one block is sent again.
    ctx.cloud.inject(Fault::operation("storage.blob.put_block", StatusCode::FORBIDDEN));
    upload().await.unwrap();
    std::fs::write(&large, vec![1; 22 * MIB]).unwrap();
    let refused = upload().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_download_that_broke_off_goes_on_and_cut_answers_are_asked_for_again() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let run = run(&ctx, project.path()).await;
    let large = write(project.path().join("large.bin"), bytes(22 * MIB));
    run.upload_file("outputs/large.bin", &large).await.unwrap();
    let down = project.path().join("down");
    let one = TransferOptions::new().with_parallel(1);
    ctx.cloud.inject(Fault::reset("storage.blob.get").with_nth(4).with_times(4));
    let err = run.download_files("outputs/", &down, &one).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    let left: Vec<_> = std::fs::read_dir(down.join("outputs")).unwrap().collect();
    let left = left[0].as_ref().unwrap();
    assert_eq!(left.metadata().unwrap().len(), 12 * MIB as u64);

    let cut = json!({"match": {"operation": "storage.blob.get"}, "effect": {"truncate": 1000}});
    ctx.cloud.inject(serde_json::from_value(cut).unwrap());
    ctx.cloud.inject(Fault::operation("storage.blob.get", StatusCode::SERVICE_UNAVAILABLE));
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let kept = seen.clone();
    let one = one.with_progress(move |it| kept.lock().unwrap().push(it.bytes_done));
    let saved = run.download_files("outputs/", &down, &one).await.unwrap();
    assert_eq!(std::fs::read(&saved[0]).unwrap(), std::fs::read(&large).unwrap());
    let mib = |it: &u64| *it / MIB as u64;
    assert_eq!(seen.lock().unwrap().iter().map(mib).collect::<Vec<_>>(), [16, 20, 22]);

    // A complete file is not read again.
    ctx.cloud.inject(Fault::operation("storage.blob.get", StatusCode::FORBIDDEN));
    run.download_files("outputs/", &down, &one).await.unwrap();
    std::fs::write(&saved[0], b"something else").unwrap();
    let refused = run.download_files("outputs/", &down, &one).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}
