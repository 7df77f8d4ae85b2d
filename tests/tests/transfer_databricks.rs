//! A large file goes to Databricks and back in bounded memory, by both of its file
//! services. A test program of its own, because it measures its own process as the
//! client.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tell figures")]

#[path = "it/large.rs"]
mod large;
#[path = "it/program.rs"]
mod program;
#[path = "it/served.rs"]
mod served;

use std::{fs, io::Write, path::Path, sync::Arc};

use azml::{
    core::{BodySource, FileSource, Result},
    databricks::{
        dbfs::DbfsPath,
        files::{FilePath, Files},
    },
};
use futures_util::{TryStreamExt, stream::BoxStream};
use large::{check, peak_mib, write};
use program::Program;

const SIZE_MIB: usize = 200;
const LIMIT_MIB: u64 = 96;

/// Writes what comes in to `copy` and checks it.
async fn save(mut parts: BoxStream<'static, Result<impl AsRef<[u8]>>>, copy: &Path) {
    let mut file = fs::File::create(copy).unwrap();
    while let Some(part) = parts.try_next().await.unwrap() {
        file.write_all(part.as_ref()).unwrap();
    }
    check(copy, SIZE_MIB);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_mebibytes_go_up_and_down_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let databricks = program.client().await.databricks(program.text("tls_url"));
    let (file, copy) = (folder.path().join("large.bin"), folder.path().join("copy.bin"));
    write(&file, SIZE_MIB).unwrap();
    let source: Arc<dyn BodySource> = Arc::new(FileSource::open(&file).await.unwrap());

    let (dbfs, path) = (databricks.dbfs(), "dbfs:/large.bin".parse::<DbfsPath>().unwrap());
    dbfs.upload(&path, source.clone()).await.unwrap();
    save(dbfs.download(&path), &copy).await;

    // The artifacts of MLflow are where no volume has to be made first.
    let path = "/WorkspaceInternal/Mlflow/Artifacts/1/Runs/a/artifacts/large.bin";
    let (files, path) = (databricks.files(), path.parse::<FilePath>().unwrap());
    files.upload(&path, source, true).await.unwrap();
    save(files.download(&path), &copy).await;

    let (client, mock) = (peak_mib("self"), peak_mib(&program.ready["pid"].to_string()));
    println!("peak memory: client {client} MiB, mock {mock} MiB, limit {LIMIT_MIB} MiB");
    assert!(client < LIMIT_MIB, "the client took {client} MiB");
    assert!(mock < LIMIT_MIB, "the mock took {mock} MiB");
}
