use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    http::{get, send, soon},
    program::{Program, text},
};

/// How many clients write at once, half of them into a world of their own.
const CLIENTS: usize = 8;

/// After how many acknowledged writes the process is killed.
const WRITES: u64 = 400;

/// Moves a clock by one second as often as it can, and counts how often it was
/// told that it did.
async fn write(url: String, world: &'static str, acknowledged: Arc<AtomicU64>) {
    let path = format!("{world}/_mock/clock");
    let body = json!({ "advance_seconds": 1 }).to_string();
    while let Ok(answer) = send(&url, "POST", &path, &body).await {
        if answer.status != 200 || answer.is_cut {
            break;
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", text(folder.path())];
    let worlds = ["", "/__tenant/other"];
    let program = Program::serve(&arguments).await;
    let counts = worlds.map(|_| Arc::new(AtomicU64::new(0)));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (world, count) = (worlds[number % 2], counts[number % 2].clone());
        clients.spawn(write(program.url().to_owned(), world, count));
    }
    let enough = async {
        while counts.iter().map(|it| it.load(Ordering::Relaxed)).sum::<u64>() < WRITES {
            tokio::task::yield_now().await;
        }
    };
    soon(enough).await;
    program.killed().await;
    soon(async { while clients.join_next().await.is_some() {} }).await;

    let program = Program::serve(&arguments).await;
    for (world, count) in worlds.iter().zip(counts) {
        let clock = get(program.url(), &format!("{world}/_mock/clock")).await;
        let kept = clock["offset_seconds"].as_f64().unwrap();
        let acknowledged = u32::try_from(count.load(Ordering::Relaxed)).unwrap();
        // Each client may have had one write kept whose answer was lost.
        let most = acknowledged + u32::try_from(CLIENTS).unwrap();
        assert!(f64::from(acknowledged) <= kept, "{world}: {kept} of {acknowledged} were kept");
        assert!(kept <= f64::from(most), "{world}: {kept} were kept of {acknowledged}");
    }
}
