//! The runs that every server holds: 4 metrics, 1 parameter and 2 tags each,
//! with the same values everywhere.

use std::{path::Path, process::Command};

use anyhow::Context;
use serde_json::{Value, json};

use super::server::Server;
use crate::{bench::http::Client, process};

/// Metrics with the factor that makes their values differ from run to run.
const METRICS: [(&str, usize); 4] =
    [("loss", 7919), ("acc", 104_729), ("val_loss", 31), ("val_acc", 37)];

/// Inserts the rows of `count` runs into the database of an MLflow server that
/// does not run yet.
pub(super) fn insert(
    python: &Path,
    script: &Path,
    folder: &Path,
    count: usize,
) -> anyhow::Result<()> {
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(folder.join("rows.db"))
        .args(["mlflow-artifacts:", &count.to_string()])
        .env("MLFLOW_DISABLE_TELEMETRY", "true");
    process::capture(&mut command).map(drop)
}

/// Calls of MLflow's REST API over one connection.
pub(super) struct Api {
    client: Client,
    root: String,
}

impl Api {
    pub(super) fn of(server: &Server) -> anyhow::Result<Self> {
        let root = format!("{}/api/2.0/mlflow", server.kind.mount());
        Ok(Self { client: Client::connect(&server.url)?, root })
    }

    pub(super) fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let path = format!("{}{path}", self.root);
        self.client.send("POST", &path, body)
    }

    pub(super) fn get(&mut self, path: &str) -> anyhow::Result<Vec<u8>> {
        let path = format!("{}{path}", self.root);
        self.client.send("GET", &path, "")
    }

    /// Posts and reads one field of the answer.
    pub(super) fn made(&mut self, path: &str, body: &Value, at: &str) -> anyhow::Result<String> {
        let answer: Value = serde_json::from_slice(&self.post(path, &body.to_string())?)?;
        let found = answer.pointer(at).and_then(Value::as_str);
        found.map(str::to_owned).with_context(|| format!("{path} answered {answer}"))
    }

    pub(super) fn experiment(&mut self, name: &str) -> anyhow::Result<String> {
        self.made("/experiments/create", &json!({ "name": name }), "/experiment_id")
    }

    pub(super) fn run(&mut self, experiment: &str, index: usize) -> anyhow::Result<String> {
        let body = json!({
            "experiment_id": experiment, "run_name": format!("run-{index}"),
            "start_time": 1_700_000_000_000_u64 + index as u64,
            "tags": [{ "key": "model", "value": "m" },
                { "key": "split", "value": (index % 3).to_string() }],
        });
        self.made("/runs/create", &body, "/run/info/run_id")
    }

    /// Makes the runs `range` and logs to each what it has.
    pub(super) fn load(
        &mut self,
        experiment: &str,
        range: std::ops::Range<usize>,
    ) -> anyhow::Result<()> {
        for index in range {
            let run = self.run(experiment, index)?;
            let metrics = METRICS.map(|(key, factor)| {
                #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
                let value = (index * factor % 10_000) as f64 / 10_000.0;
                json!({ "key": key, "value": value, "timestamp": 1, "step": 0 })
            });
            let params = [json!({ "key": "lr", "value": (index % 10).to_string() })];
            let body = json!({ "run_id": run, "metrics": metrics, "params": params });
            self.post("/runs/log-batch", &body.to_string())?;
        }
        Ok(())
    }
}
