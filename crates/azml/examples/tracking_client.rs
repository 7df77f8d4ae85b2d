//! What tracking costs the code that logs: `cargo xtask bench tracking-client` runs
//! it beside other clients.
//!
//! * `cost URL POINTS` logs to the MLflow server at `URL`, and prints what a call
//!   took, how fast the server was told, and in how many requests.
//! * `down URL CALLS` logs to a server that is not there.
//! * `forever URL` logs until it is killed, some 15,000 points a second, and prints
//!   how many calls came back.
//! * `recover URL` brings what is left in the spool (`AZML_SPOOL_DIR`) to the server,
//!   and prints how many points the runs of the experiment have.
#![expect(clippy::print_stdout, reason = "a program talks to its terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures the time that really passes")]

use std::{
    env,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use azml::{
    core::{Endpoint, Request, ReqwestTransport, Response, Transport, TransportError},
    tracking::{MlflowTracking, Run, RunQuery, Tracking},
};
use futures_util::TryStreamExt;
use serde_json::json;

const EXPERIMENT: &str = "tracking-client";
const PATIENCE: Duration = Duration::from_secs(600);

/// Counts what is sent.
#[derive(Debug)]
struct Counting {
    inner: ReqwestTransport,
    requests: AtomicUsize,
}

#[async_trait::async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.requests.fetch_add(1, Relaxed);
        self.inner.send(request).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["cost", url, points] => cost(url, points.parse()?).await,
        ["down", url, calls] => down(url, calls.parse()?),
        ["forever", url] => forever(url),
        ["recover", url] => recover(url).await,
        _ => bail!("say cost URL POINTS, down URL CALLS, forever URL or recover URL"),
    }
}

fn open(url: &str) -> anyhow::Result<(Tracking, Arc<Counting>)> {
    let inner = ReqwestTransport::builder().with_proxy_from_env(false).build()?;
    let transport = Arc::new(Counting { inner, requests: AtomicUsize::new(0) });
    let tracking = Tracking::new(MlflowTracking::new(Endpoint::new(url, transport.clone())));
    Ok((tracking, transport))
}

async fn cost(url: &str, points: usize) -> anyhow::Result<()> {
    let (tracking, transport) = open(url)?;
    let run = tracking.start_run(EXPERIMENT)?;
    run.connect().await?;
    let before = transport.requests.load(Relaxed);
    let watch = Instant::now();
    let calls = timed(&run, points)?;
    let logged = watch.elapsed();
    run.finish()?;
    run.sync(PATIENCE).await?;
    let drained = watch.elapsed();
    let requests = transport.requests.load(Relaxed) - before;
    let at = |share: f64| percentile(&calls, share);
    #[expect(clippy::cast_precision_loss, reason = "there are not that many")]
    let per_second = points as f64 / drained.as_secs_f64();
    let figures = json!({
        "p50_ns": at(0.5), "p99_ns": at(0.99), "p999_ns": at(0.999), "max_ns": at(1.0),
        "logged_s": logged.as_secs_f64(), "drained_s": drained.as_secs_f64(),
        "points_per_second": per_second, "requests": requests,
    });
    println!("{figures}");
    Ok(())
}

fn down(url: &str, calls: usize) -> anyhow::Result<()> {
    let (tracking, _) = open(url)?;
    let watch = Instant::now();
    let run = tracking.start_run(EXPERIMENT)?;
    let calls = timed(&run, calls)?;
    run.finish()?;
    let stalled = watch.elapsed();
    let longest = percentile(&calls, 1.0);
    println!("{}", json!({ "stalled_s": stalled.as_secs_f64(), "max_ns": longest }));
    Ok(())
}

/// How long each call took, in nanoseconds, shortest first.
fn timed(run: &Run, points: usize) -> anyhow::Result<Vec<u128>> {
    let mut calls = Vec::with_capacity(points);
    for step in (0..i32::MAX).take(points) {
        let value = 1.0 / f64::from(step + 1);
        let watch = Instant::now();
        run.log_metric("loss", value)?;
        calls.push(watch.elapsed().as_nanos());
    }
    calls.sort_unstable();
    Ok(calls)
}

fn percentile(sorted: &[u128], share: f64) -> u128 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

fn forever(url: &str) -> anyhow::Result<()> {
    let (tracking, _) = open(url)?;
    let run = tracking.start_run(EXPERIMENT)?;
    let mut out = std::io::stdout().lock();
    for step in 0..i64::MAX {
        run.log_metric_at("loss", 0.5, step)?;
        // What was said is what came back: nothing is held in a buffer.
        if step % 20 == 19 {
            writeln!(out, "{}", step + 1)?;
            out.flush()?;
            // A server of Python takes no more.
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
    Ok(())
}

async fn recover(url: &str) -> anyhow::Result<()> {
    let (tracking, _) = open(url)?;
    let recovery = tracking.recover().await?;
    if let Some((run, err)) = recovery.failed.into_iter().next() {
        return Err(err).with_context(|| format!("run {run}"));
    }
    let experiment = tracking.find_experiment(EXPERIMENT).await?;
    let mut stored = 0;
    for info in experiment.runs(&RunQuery::new()).try_collect::<Vec<_>>().await? {
        let run = experiment.run(info.id);
        stored += run.metrics().await?.values().map(Vec::len).sum::<usize>();
    }
    println!("{}", json!({ "ended": recovery.ended, "stored": stored }));
    Ok(())
}
