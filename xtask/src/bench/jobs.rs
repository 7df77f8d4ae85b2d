//! Pages of jobs and of runs in a large world.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{
    http, median,
    served::{self, NO_OPTIONS, Served},
};
use crate::{project::Project, report::Stopwatch};

const JOBS: usize = 10_000;
const RUNS: usize = 100_000;
/// How often each page is asked for.
const TIMES: usize = 20;
const LIMIT_MS: f64 = 5.0;

const PAGES: &[(&str, &str)] = &[
    ("jobs/list, 100 a page", "/api/2.2/jobs/list?limit=100"),
    ("jobs/list with tasks", "/api/2.2/jobs/list?limit=100&expand_tasks=true"),
    ("jobs/list by name", "/api/2.2/jobs/list?name=JOB-77"),
    ("runs/list, 25 a page", "/api/2.2/jobs/runs/list?limit=25"),
    ("runs/list with tasks", "/api/2.2/jobs/runs/list?limit=25&expand_tasks=true"),
    ("runs/list, completed only", "/api/2.2/jobs/runs/list?limit=25&completed_only=true"),
    ("runs/list, active only", "/api/2.2/jobs/runs/list?limit=25&active_only=true"),
    ("runs/list, before a time", "/api/2.2/jobs/runs/list?limit=25&start_time_to=1"),
];

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    served::build(project)?;
    let served = Served::start(project, NO_OPTIONS)?;
    let measured = measure(&served);
    served.stop()?;
    let rows = measured?;
    println!(
        "| {JOBS} jobs, {RUNS} runs; median of {TIMES} | first page | last page seen | Limit | Measured by |"
    );
    println!("|---|---|---|---|---|");
    for (what, first, later) in &rows {
        println!(
            "| {what} | {first:.2} ms | {later:.2} ms | {LIMIT_MS:.0} ms | `cargo xtask bench jobs` |"
        );
    }
    if check {
        for (what, first, later) in &rows {
            let slower = first.max(*later);
            ensure!(slower < LIMIT_MS, "{what} took {slower:.2} ms, the limit is {LIMIT_MS} ms");
        }
    }
    Ok(())
}

type Row = (&'static str, f64, f64);

fn measure(served: &Served) -> anyhow::Result<Vec<Row>> {
    let (url, token) = (served.said("url")?, served.said("databricks_token")?);
    let post = |path: &str, body: Value| http::json(url, token, "POST", path, Some(&body));
    let rules = json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 0 }]);
    post("/_mock/outcomes", rules)?;
    let mut ids = Vec::new();
    for number in 0..JOBS {
        let task = json!({ "task_key": "a", "notebook_task": { "notebook_path": "/x" } });
        let job = json!({ "name": format!("job-{number}"), "tasks": [task] });
        ids.push(post("/api/2.2/jobs/create", job)?["job_id"].clone());
    }
    for number in 0..RUNS {
        post("/api/2.2/jobs/run-now", json!({ "job_id": ids[number % JOBS] }))?;
    }
    let timed = |path: &str| -> anyhow::Result<(f64, Value)> {
        let (mut times, mut page) = (Vec::new(), Value::Null);
        for _ in 0..TIMES {
            let watch = Stopwatch::start();
            page = http::json(url, token, "GET", path, None)?;
            times.push(watch.elapsed().as_secs_f64() * 1000.0);
        }
        Ok((median(&mut times), page))
    };
    let mut rows = Vec::new();
    for (what, path) in PAGES {
        let (first, mut page) = timed(path)?;
        let mut last = None;
        // Far into the list, but not through all of it.
        for _ in 0..90 {
            let Some(mark) = page["next_page_token"].as_str() else { break };
            let next = format!("{path}&page_token={mark}");
            page = http::json(url, token, "GET", &next, None)?;
            last = Some(next);
        }
        let later = last.map_or(Ok(first), |it| timed(&it).map(|(time, _)| time))?;
        rows.push((*what, first, later));
    }
    Ok(rows)
}
