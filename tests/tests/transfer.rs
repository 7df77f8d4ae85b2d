//! A large file goes up and down in bounded memory. A test program of its own,
//! because it measures its own process as the client.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tell figures")]

#[path = "it/large.rs"]
mod large;
#[path = "it/program.rs"]
mod program;
#[path = "it/served.rs"]
mod served;

use std::fs;

use azml::tracking::NewRun;
use large::{check, peak_mib, write};
use program::Program;

const SIZE_MIB: usize = 1024;
const LIMIT_MIB: u64 = 96;

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_goes_up_and_down_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let client = program.client().await;
    let experiment = client.tracking().experiment("large").await.unwrap();
    let runs = client.tracking().backend().runs();
    let id = runs.start(experiment.info(), &NewRun::new()).await.unwrap().id;
    let run = experiment.run(id);
    let (file, copy) = (folder.path().join("large.bin"), folder.path().join("copy.bin"));
    write(&file, SIZE_MIB).unwrap();

    run.upload_file("outputs/large.bin", &file).await.unwrap();
    fs::remove_file(&file).unwrap();
    run.download_file("outputs/large.bin", &copy).await.unwrap();
    check(&copy, SIZE_MIB);

    let (client, mock) = (peak_mib("self"), peak_mib(&program.ready["pid"].to_string()));
    println!("peak memory: client {client} MiB, mock {mock} MiB, limit {LIMIT_MIB} MiB");
    assert!(client < LIMIT_MIB, "the client took {client} MiB");
    assert!(mock < LIMIT_MIB, "the mock took {mock} MiB");
}
