//! A Spark task on a cluster whose JVM is warm, beside the first one of a cluster.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    http, median,
    served::{self, Served},
};
use crate::{project::Project, python, report::Stopwatch};

/// Clusters, each with one cold task and some warm ones.
const CLUSTERS: usize = 3;
const WARM: usize = 3;
const WARM_LIMIT_S: f64 = 2.0;
/// Longest task that is waited for.
const LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(20);

/// What a small task does.
const NOTEBOOK: &str = "dbutils.notebook.exit(str(spark.range(1000).where('id % 7 = 0').count()))";

pub(super) fn run(project: &Project, check: bool) -> anyhow::Result<()> {
    let python = python::find(&["python3.11", "python3"])?;
    let python = python::spark_environment(project, &python)?;
    served::build(project)?;
    let executor = ["--executor", "local", "--python"].map(PathBuf::from);
    let served = Served::start(project, executor.into_iter().chain([python]))?;
    let measured = measure(&served);
    served.stop()?;
    let (mut cold, mut warm) = measured?;
    let (cold, warm) = (median(&mut cold), median(&mut warm));
    println!(
        "| a notebook with one query, median | cold | warm | Ratio | Limit of warm | Measured by |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| submitted until ended | {cold:.1} s | {warm:.2} s | {:.0} | {WARM_LIMIT_S:.0} s | `cargo xtask bench spark` |",
        cold / warm
    );
    if check {
        ensure!(warm < WARM_LIMIT_S, "a warm task took {warm:.2} s, the limit is {WARM_LIMIT_S} s");
    }
    Ok(())
}

/// Seconds of the cold tasks and of the warm ones.
fn measure(served: &Served) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let workspace = Workspace { url: served.said("url")?, token: served.said("databricks_token")? };
    let imported = json!({
        "path": "/Shared/bench", "format": "SOURCE", "language": "PYTHON", "content": BASE64.encode(NOTEBOOK),
    });
    workspace.post("/api/2.0/workspace/import", &imported)?;
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..CLUSTERS {
        let cluster = json!({ "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1 });
        let made = workspace.post("/api/2.1/clusters/create", &cluster)?;
        cold.push(workspace.task(&made["cluster_id"])?);
        for _ in 0..WARM {
            warm.push(workspace.task(&made["cluster_id"])?);
        }
        workspace.post(
            "/api/2.1/clusters/permanent-delete",
            &json!({ "cluster_id": made["cluster_id"] }),
        )?;
    }
    Ok((cold, warm))
}

struct Workspace<'a> {
    url: &'a str,
    token: &'a str,
}

impl Workspace<'_> {
    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        http::json(self.url, self.token, "POST", path, Some(body))
    }

    /// Seconds from the submission of a task to its end.
    fn task(&self, cluster_id: &Value) -> anyhow::Result<f64> {
        let watch = Stopwatch::start();
        let task = json!({
            "task_key": "main", "existing_cluster_id": cluster_id,
            "notebook_task": { "notebook_path": "/Shared/bench" },
        });
        let run = self.post("/api/2.1/jobs/runs/submit", &json!({ "tasks": [task] }))?;
        let path = format!("/api/2.1/jobs/runs/get-output?run_id={}", run["run_id"]);
        loop {
            let output = http::json(self.url, self.token, "GET", &path, None)?;
            if output["metadata"]["end_time"] != 0 {
                ensure!(output["notebook_output"]["result"] == "143", "the task failed: {output}");
                return Ok(watch.elapsed().as_secs_f64());
            }
            ensure!(watch.elapsed() < LIMIT, "the task took more than {} s", LIMIT.as_secs());
            thread::park_timeout(PAUSE);
        }
    }
}
