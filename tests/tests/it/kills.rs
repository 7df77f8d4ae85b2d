//! `kill -9` at any moment: what was accepted is at the server, each point once.
//!
//! 200 kills; more with the variable `AZML_KILLS`.

use std::{
    env,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use azml::{
    core::{Endpoint, ReqwestTransport},
    tracking::{FolderTracking, MlflowTracking, RunQuery, RunStatus, Spool, Tracking},
};
use futures_util::TryStreamExt;

use crate::program::Program;

/// Kills a child that logs, `after` its first point, and tells how many of its points
/// were accepted.
async fn kill_one(spool: &Path, kind: &str, place: &str, after: Duration) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_log_forever"))
        .arg(spool)
        .args([kind, place])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let first = tokio::task::spawn_blocking(move || {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        out
    });
    let mut out = first.await.unwrap();
    // It has to read on, or the child waits for it.
    let accepted = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        1 + rest.len()
    });
    tokio::time::sleep(after).await;
    child.kill().unwrap();
    child.wait().unwrap();
    accepted.await.unwrap()
}

/// Brings what it has left to the server, and compares.
async fn check(spool: &Path, tracking: &Tracking, accepted: usize) {
    let recovery = Spool::recover(spool, tracking).await.unwrap();
    assert!(recovery.failed.is_empty(), "{:?}", recovery.failed);
    assert_eq!(recovery.ended, 1);
    let experiment = tracking.find_experiment("killed").await.unwrap();
    let runs: Vec<_> = experiment.runs(&RunQuery::new()).try_collect().await.unwrap();
    let [info] = &runs[..] else { panic!("{} runs", runs.len()) };
    assert_eq!(info.status, RunStatus::Killed);
    let run = experiment.run(info.id.clone());
    let mut steps: Vec<i64> = Vec::new();
    for series in run.metrics().await.unwrap().values() {
        steps.extend(series.iter().map(|it| it.step));
    }
    steps.sort_unstable();
    let stored = steps.len();
    // The last call may have come back without being able to say so.
    assert!(stored == accepted || stored == accepted + 1, "{accepted} accepted, {stored} stored");
    assert!(steps.into_iter().eq((0..).take(stored)), "each once");
    run.delete().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_point_is_lost_or_doubled_however_often_the_process_is_killed() {
    let kills: u64 = env::var("AZML_KILLS").map_or(200, |it| it.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let url = format!("{}/mlflow", program.text("url").trim_end_matches('/'));
    let transport = ReqwestTransport::builder().with_proxy_from_env(false).build().unwrap();
    let endpoint = Endpoint::new(url.as_str(), Arc::new(transport));
    let server = Tracking::new(MlflowTracking::new(endpoint));
    let files = folder.path().join("runs");
    let local = Tracking::new(FolderTracking::new(&files));
    let (spool, files) = (folder.path().join("spool"), files.to_str().unwrap());
    for kill in 0..kills {
        // Spread over the first 20 ms, in which it starts, sends and goes from segment to
        // segment.
        let after = Duration::from_micros(kill * 7919 % 20_000);
        let (kind, place, tracking) =
            if kill % 4 == 3 { ("folder", files, &local) } else { ("mlflow", &*url, &server) };
        let accepted = kill_one(&spool, kind, place, after).await;
        check(&spool, tracking, accepted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_azml_brings_what_a_dead_process_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let url = format!("{}/mlflow", program.text("url").trim_end_matches('/'));
    let spool = folder.path().join("spool");
    kill_one(&spool, "mlflow", &url, Duration::from_millis(5)).await;
    let files = folder.path().join("runs");
    kill_one(&spool, "folder", files.to_str().unwrap(), Duration::from_millis(5)).await;
    let sync = |flags: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cli"))
            .args(["tracking", "sync", "--json"])
            .args(flags)
            .arg(&spool)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let lines = lines.as_array().unwrap().clone();
        lines.iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sync(&["--dry-run"]), ["left behind", "left behind"]);
    assert_eq!(sync(&[]), ["ended", "ended"]);
    assert_eq!(sync(&[]), Vec::<String>::new());
    let local = Tracking::new(FolderTracking::new(&files));
    let experiment = local.find_experiment("killed").await.unwrap();
    let runs: Vec<_> = experiment.runs(&RunQuery::new()).try_collect().await.unwrap();
    assert_eq!((runs.len(), &runs[0].status), (1, &RunStatus::Killed));
}
