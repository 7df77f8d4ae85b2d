//! What each server is asked to do while its processor time is watched.

use std::thread;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::{
    MANY_RUNS, RUNS, cost,
    figures::Figures,
    load::Api,
    server::{Kind, Server},
};

/// Connections of the lines that say `8 at once`.
const AT_ONCE: usize = 8;
/// Points of one batch.
const BATCH: usize = 1000;

/// How often a call is made: enough for the clock of the kernel, which counts
/// hundredths of a second, and not longer than a few minutes in all.
struct Counts {
    log_metric: usize,
    log_batch: usize,
    search: usize,
    get_run: usize,
}

fn counts(kind: Kind) -> Counts {
    match kind {
        Kind::Memory | Kind::DataDir => {
            Counts { log_metric: 20_000, log_batch: 500, search: 200, get_run: 2000 }
        }
        Kind::FastTrackMl => Counts { log_metric: 1000, log_batch: 50, search: 30, get_run: 100 },
        Kind::Mlflow => Counts { log_metric: 200, log_batch: 15, search: 6, get_run: 30 },
    }
}

pub(super) fn all(server: &Server, figures: &mut Figures) -> anyhow::Result<()> {
    let (kind, counts) = (server.kind, counts(server.kind));
    let mut api = Api::of(server)?;
    let experiment = if kind == Kind::Mlflow {
        // Its rows were inserted before it began.
        let found = api.get("/experiments/get-by-name?experiment_name=bench")?;
        let found: Value = serde_json::from_slice(&found)?;
        let id = found["experiment"]["experiment_id"].as_str();
        id.context("the inserted experiment is not there")?.to_owned()
    } else {
        let experiment = api.experiment("bench")?;
        api.load(&experiment, 0..RUNS)?;
        experiment
    };
    let run = api.run(&experiment, RUNS)?;
    let pid = server.pid();

    // From 1 on: FastTrackML takes the time 0 for none.
    let bodies: Vec<String> = (1..=counts.log_metric)
        .map(|step| {
            json!({ "run_id": run, "key": "loss", "value": 0.5, "timestamp": step, "step": step })
                .to_string()
        })
        .collect();
    figures.add(
        kind,
        "log-metric",
        per_call(pid, &bodies, |body| api.post("/runs/log-metric", body).map(drop))?,
    );
    figures.add(
        kind,
        "log-metric, 8 at once",
        per_call_at_once(server, &bodies, |api, body| {
            api.post("/runs/log-metric", body).map(drop)
        })?,
    );

    let bodies: Vec<String> = (0..counts.log_batch).map(|it| batch(&run, it, 10)).collect();
    let before = cost::resident_mib(pid)?;
    figures.add(
        kind,
        "log-batch of 1000",
        per_call(pid, &bodies, |body| api.post("/runs/log-batch", body).map(drop))?,
    );
    if kind.is_ours() {
        let grown = (cost::resident_mib(pid)? - before) * 1024.0 * 1024.0;
        #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
        let points = (bodies.len() * BATCH) as f64;
        figures.add(kind, "memory of a point", grown / points);
    }

    let found = search(&mut api, &experiment)?;
    ensure!(found == 100, "the search found {found} runs, not 100 of them");
    let times = vec![(); counts.search];
    figures.add(
        kind,
        "search over 10,000 runs",
        per_call(pid, &times, |()| search(&mut api, &experiment).map(drop))?,
    );

    let wide = api.run(&experiment, RUNS + 1)?;
    api.post("/runs/log-batch", &batch(&wide, 0, BATCH))?;
    let path = format!("/runs/get?run_id={wide}");
    let times = vec![(); counts.get_run];
    figures.add(
        kind,
        "get a run with 1000 metrics",
        per_call(pid, &times, |()| api.get(&path).map(drop))?,
    );
    figures.add(kind, "memory, loaded", cost::resident_mib(pid)?);

    if kind == Kind::Memory {
        api.load(&experiment, RUNS..MANY_RUNS)?;
        let times = vec![(); 40];
        figures.add(
            kind,
            "search over 100,000 runs",
            per_call(pid, &times, |()| search(&mut api, &experiment).map(drop))?,
        );
    }
    Ok(())
}

/// Milliseconds of processor that one call takes.
fn per_call<T>(
    pid: u32,
    calls: &[T],
    mut call: impl FnMut(&T) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let before = cost::cpu_ms(pid)?;
    for it in calls {
        call(it)?;
    }
    let used = cost::cpu_ms(pid)? - before;
    #[expect(clippy::cast_precision_loss, reason = "some thousand calls")]
    Ok(used / calls.len() as f64)
}

/// The same with [`AT_ONCE`] connections that are always busy.
fn per_call_at_once<T: Sync>(
    server: &Server,
    calls: &[T],
    call: impl Fn(&mut Api, &T) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..AT_ONCE {
        clients.push(Api::of(server)?);
    }
    let before = cost::cpu_ms(server.pid())?;
    thread::scope(|scope| {
        let shares = calls.chunks(calls.len().div_ceil(AT_ONCE));
        let workers = clients.iter_mut().zip(shares).map(|(api, share)| {
            let call = &call;
            scope.spawn(move || share.iter().try_for_each(|it| call(api, it)))
        });
        let workers: Vec<_> = workers.collect();
        workers.into_iter().try_for_each(|it| it.join().unwrap_or_else(|_| bail!("panicked")))
    })?;
    let used = cost::cpu_ms(server.pid())? - before;
    #[expect(clippy::cast_precision_loss, reason = "some thousand calls")]
    Ok(used / calls.len() as f64)
}

/// 1000 points of `keys` metrics; each batch goes on where the one before ended.
fn batch(run: &str, number: usize, keys: usize) -> String {
    let point = |index: usize| {
        let step = number * BATCH / keys + index / keys;
        json!({ "key": format!("metric-{}", index % keys), "value": 0.123_456_789,
            "timestamp": 1_700_000_000_000_u64 + step as u64, "step": step })
    };
    let metrics: Vec<Value> = (0..BATCH).map(point).collect();
    json!({ "run_id": run, "metrics": metrics }).to_string()
}

/// How many runs the search finds.
fn search(api: &mut Api, experiment: &str) -> anyhow::Result<usize> {
    let body = json!({
        "experiment_ids": [experiment], "max_results": 100,
        "filter": "metrics.loss < 0.5 and params.lr = '3'", "order_by": ["metrics.acc DESC"],
    });
    let answer = api.post("/runs/search", &body.to_string())?;
    let needle = b"\"run_uuid\"";
    Ok(answer.windows(needle.len()).filter(|it| it == needle).count())
}
