//! A large file goes up and down in bounded memory. A test program of its own,
//! because it measures its own process as the client.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and tell figures")]

#[path = "it/program.rs"]
mod program;

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use azml::tracking::NewRun;
use program::Program;

const MIB: usize = 1 << 20;
const SIZE_MIB: usize = 1024;
const LIMIT_MIB: u64 = 96;

/// The most memory that a process ever had, in MiB.
fn peak_mib(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() / 1024
}

/// A piece of the file. No two pieces are alike.
fn piece(number: usize) -> Vec<u8> {
    let mut piece = vec![number.to_le_bytes()[0]; MIB];
    piece[..8].copy_from_slice(&(number as u64).to_le_bytes());
    piece
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    (0..SIZE_MIB).try_for_each(|number| file.write_all(&piece(number)))
}

fn check(path: &Path) {
    let (mut file, mut read) = (File::open(path).unwrap(), vec![0; MIB]);
    for number in 0..SIZE_MIB {
        file.read_exact(&mut read).unwrap();
        assert!(read == piece(number), "MiB {number} differs");
    }
    assert_eq!(file.read(&mut read).unwrap(), 0, "the copy is too long");
}

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
    write(&file).unwrap();

    run.upload_file("outputs/large.bin", &file).await.unwrap();
    fs::remove_file(&file).unwrap();
    run.download_file("outputs/large.bin", &copy).await.unwrap();
    check(&copy);

    let (client, mock) = (peak_mib("self"), peak_mib(&program.ready["pid"].to_string()));
    println!("peak memory: client {client} MiB, mock {mock} MiB, limit {LIMIT_MIB} MiB");
    assert!(client < LIMIT_MIB, "the client took {client} MiB");
    assert!(mock < LIMIT_MIB, "the mock took {mock} MiB");
}
