//! Somebody who uses all services at random, the same way each time.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    kernel::{MockCloud, Refusal},
    services::azure::ML_AUDIENCE,
    tests::{WORKSPACE, send_as, token_for},
};

/// The admin's token of the default Databricks workspace.
const TOKEN: &str = "dapi-fake-token";

const ARM: &str = "https://management.azure.com";
const DATABRICKS: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg/providers/Microsoft.Databricks/workspaces/dbx-ws";

/// One thing that somebody does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Lets time pass.
    Wait(u16),
    /// Skips time, in seconds.
    Skip(u16),
    SetRules(u8),
    CreateCluster(u8),
    TerminateCluster(u8),
    SubmitRun(u8),
    CancelRun(u8),
    /// Makes the Databricks workspace a compute target.
    Attach,
    SubmitPipeline(u8),
    CancelPipeline(u8),
    CreateRun,
    LogMetric(u8),
    CreateToken(u8),
    /// Begins anew.
    Reset,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..900_u16).prop_map(Step::Wait),
        1 => (1..900_u16).prop_map(Step::Skip),
        1 => any::<u8>().prop_map(Step::SetRules),
        2 => any::<u8>().prop_map(Step::CreateCluster),
        1 => any::<u8>().prop_map(Step::TerminateCluster),
        2 => any::<u8>().prop_map(Step::SubmitRun),
        1 => any::<u8>().prop_map(Step::CancelRun),
        2 => Just(Step::Attach),
        3 => any::<u8>().prop_map(Step::SubmitPipeline),
        1 => any::<u8>().prop_map(Step::CancelPipeline),
        1 => Just(Step::CreateRun),
        2 => any::<u8>().prop_map(Step::LogMetric),
        1 => any::<u8>().prop_map(Step::CreateToken),
    ];
    // A reset is rare, or there would be no history before it.
    let with_reset = prop_oneof![30 => step, 1 => Just(Step::Reset)];
    proptest::collection::vec(with_reset, 1..24)
}

/// What the user has made so far, by the names that the services gave.
#[derive(Debug)]
pub(super) struct User {
    pub(super) cloud: MockCloud,
    clusters: Vec<Value>,
    job_runs: Vec<Value>,
    runs: Vec<Value>,
    pipelines: Vec<Value>,
}

impl User {
    pub(super) fn of(cloud: MockCloud) -> Self {
        Self {
            cloud,
            clusters: Vec::new(),
            job_runs: Vec::new(),
            runs: Vec::new(),
            pipelines: Vec::new(),
        }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        send_as(&self.cloud, "POST", path, TOKEN, &body.to_string()).await
    }

    async fn ask(&self, method: &str, rest: &str, body: Value) -> (u16, Value) {
        let path = format!("/pipelines/v1.0{WORKSPACE}{rest}");
        send_as(&self.cloud, method, &path, &token_for(ML_AUDIENCE), &body.to_string()).await
    }

    /// Four notebooks: two after the first, and the last after both.
    async fn submit_pipeline(&mut self, number: u8) -> u16 {
        let module = json!({ "Name": "ruled", "IdentifierHash": "h", "IsDeterministic": number.is_multiple_of(3) });
        let module = self.ask("POST", "/Modules", module).await.1["Id"].clone();
        let text =
            |name: &str, value: &str| json!({ "ValueType": "0", "Name": name, "Value": value });
        let node = |id: &str| {
            json!({
                "Id": id, "ModuleId": module,
                "ModuleParameters": [text("notebook_path", "/Shared/a")],
                "ModuleMetadataParameters": [
                    text("spark_version", "15.4.x-scala2.12"), text("num_workers", "1"),
                    text("node_type_id", "Standard_DS3_v2"), text("compute_name", "dbx"),
                ],
            })
        };
        let nodes = ["a", "b", "c", "d"].map(node);
        let edge = |from: &str, to: &str| {
            json!({
                "SourceOutputPort": { "NodeId": from, "PortName": "_run_after_output" },
                "DestinationInputPort": { "NodeId": to, "PortName": format!("_run_after_{from}") },
            })
        };
        let body = json!({
            "CreationInfo": { "ContinueExperimentOnNodeFailure": number.is_multiple_of(2) },
            "Graph": {
                "ModuleNodes": nodes,
                "Edges": [edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d")],
            },
        });
        let path = "/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=history";
        let id = self.ask("POST", path, body).await.1["Id"].clone();
        let submit = format!("/PipelineRuns/Submit/{}", id.as_str().unwrap_or_default());
        self.pipelines.push(id);
        self.ask("POST", &submit, json!({})).await.0
    }

    /// Does one step and returns the status of the answer.
    pub(super) async fn take(&mut self, step: &Step) -> u16 {
        match step {
            Step::Wait(seconds) => {
                tokio::time::advance(Duration::from_secs((*seconds).into())).await;
                200
            }
            Step::Skip(seconds) => {
                let by = Duration::from_secs((*seconds).into());
                self.cloud.kernel().advance(by).map_or_else(|it| it.status().as_u16(), |()| 200)
            }
            Step::SetRules(number) => {
                let result = ["SUCCESS", "FAILED", "RUNNING"][usize::from(*number) % 3];
                let rules = json!([{"task": "ruled", "result": result, "after_seconds": number}]);
                self.post("/_mock/outcomes", rules).await.0
            }
            Step::CreateCluster(number) => {
                let body = json!({
                    "cluster_name": format!("cluster-{number}"), "spark_version": "15.4.x-scala2.12",
                    "node_type_id": "Standard_DS3_v2", "num_workers": 1,
                    "autotermination_minutes": 10 + u32::from(*number),
                });
                let (status, made) = self.post("/api/2.1/clusters/create", body).await;
                self.clusters.extend(made.get("cluster_id").cloned());
                status
            }
            Step::TerminateCluster(number) => {
                let Some(id) = pick(&self.clusters, *number) else { return 200 };
                self.post("/api/2.1/clusters/delete", json!({ "cluster_id": id })).await.0
            }
            Step::SubmitRun(number) => {
                let cluster = match pick(&self.clusters, *number) {
                    Some(id) => json!({ "existing_cluster_id": id }),
                    None => json!({ "new_cluster": {
                        "spark_version": "15.4.x-scala2.12",
                        "node_type_id": "Standard_DS3_v2", "num_workers": 1,
                    }}),
                };
                let task_key = if number % 2 == 0 { "ruled" } else { "simulated" };
                let mut task = json!({
                    "task_key": task_key, "notebook_task": { "notebook_path": "/Shared/a" },
                });
                task.as_object_mut().unwrap().extend(cluster.as_object().unwrap().clone());
                let body = json!({ "run_name": "history", "tasks": [task] });
                let (status, made) = self.post("/api/2.1/jobs/runs/submit", body).await;
                self.job_runs.extend(made.get("run_id").cloned());
                status
            }
            Step::CancelRun(number) => {
                let Some(id) = pick(&self.job_runs, *number) else { return 200 };
                self.post("/api/2.1/jobs/runs/cancel", json!({ "run_id": id })).await.0
            }
            Step::Attach => {
                let body = json!({"location": "eastus", "properties": {
                    "computeType": "Databricks", "resourceId": DATABRICKS,
                    "properties": { "databricksAccessToken": TOKEN },
                }});
                let path = format!("{ARM}{WORKSPACE}/computes/dbx?api-version=2020-02-02");
                let token = token_for(ARM);
                let answer = send_as(&self.cloud, "PUT", &path, &token, &body.to_string()).await;
                // Created, or changed.
                if matches!(answer.0, 200 | 201) { 200 } else { answer.0 }
            }
            Step::SubmitPipeline(number) => self.submit_pipeline(*number).await,
            Step::CancelPipeline(number) => {
                let Some(id) = pick(&self.pipelines, *number) else { return 200 };
                let path = format!("/PipelineRuns/{}/Execution", id.as_str().unwrap_or_default());
                self.ask("DELETE", &path, json!({})).await.0
            }
            Step::CreateRun => {
                let body = json!({ "experiment_id": "0" });
                let (status, made) = self.post("/mlflow/api/2.0/mlflow/runs/create", body).await;
                self.runs.extend(made.pointer("/run/info/run_id").cloned());
                status
            }
            Step::LogMetric(number) => {
                let Some(id) = pick(&self.runs, *number) else { return 200 };
                let body = json!({
                    "run_id": id, "key": "loss", "value": number, "timestamp": 1, "step": number,
                });
                self.post("/mlflow/api/2.0/mlflow/runs/log-metric", body).await.0
            }
            Step::CreateToken(number) => {
                let body = json!({ "comment": "history", "lifetime_seconds": number });
                self.post("/api/2.0/token/create", body).await.0
            }
            Step::Reset => {
                let reset = self.cloud.kernel().reset(7).await;
                if reset.is_ok() {
                    (self.clusters, self.job_runs, self.runs, self.pipelines) = <_>::default();
                }
                reset.map_or_else(|it| it.status().as_u16(), |()| 200)
            }
        }
    }

    /// Looks, and changes nothing by it.
    pub(super) fn look(&self) {
        let looked = self.cloud.kernel().read::<_, Refusal>(|_, _| Ok(()));
        looked.expect("a look refuses nothing");
    }
}

fn pick(from: &[Value], number: u8) -> Option<Value> {
    from.get(usize::from(number) % from.len().max(1)).cloned()
}
