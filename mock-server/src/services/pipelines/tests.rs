//! The tests of the service: what they share is here, each rule has a file.

mod build;
mod cluster;
mod data;
mod logs;
mod published;
mod reuse;
mod schedule;
mod shape;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    MockCloud,
    tests::{WORKSPACE, send, send_as, send_text, token_for},
};

const ARM: &str = "https://management.azure.com";
const DATABRICKS: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg/providers/Microsoft.Databricks/workspaces/dbx-ws";

fn at(rest: &str) -> String {
    format!("/pipelines/v1.0{WORKSPACE}{rest}")
}

/// Begins to attach the Databricks workspace as `dbx`, and sets the rules of the tasks.
async fn attach(cloud: &MockCloud, rules: &Value) {
    let body = json!({"location": "eastus", "properties": {
        "computeType": "Databricks", "resourceId": DATABRICKS,
        "properties": {"databricksAccessToken": "dapi-fake-token"},
    }});
    let path = format!("{ARM}{WORKSPACE}/computes/dbx?api-version=2020-02-02");
    let answer = send_as(cloud, "PUT", &path, &token_for(ARM), &body.to_string()).await;
    assert_eq!(answer.0, 201, "{}", answer.1);
    cloud.set_outcomes(rules).unwrap();
}

async fn attached(rules: Value) -> MockCloud {
    let cloud = MockCloud::new();
    attach(&cloud, &rules).await;
    seconds(10).await;
    cloud
}

async fn seconds(count: u64) {
    advance(Duration::from_secs(count)).await;
}

async fn module(cloud: &MockCloud, name: &str) -> String {
    let body = json!({ "Name": name, "IdentifierHash": format!("hash-of-{name}") });
    let (status, made) = send(cloud, "POST", &at("/Modules"), &body.to_string()).await;
    assert_eq!(status, 200, "{made}");
    made["Id"].as_str().unwrap().to_owned()
}

fn literals(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(name, value)| json!({"ValueType": "0", "Name": name, "Value": value}))
        .collect()
}

/// A node that runs a notebook. Its id is the name of its step.
async fn notebook(cloud: &MockCloud, name: &str) -> Value {
    json!({
        "Id": name, "ModuleId": module(cloud, name).await,
        "ModuleParameters": literals(&[("notebook_path", "/Shared/nb")]),
        "ModuleMetadataParameters": literals(&[
            ("spark_version", "15.4.x-scala2.12"), ("node_type_id", "Standard_DS3_v2"),
            ("num_workers", "1"), ("compute_name", "dbx"),
        ]),
        "ModuleOutputSettings": [{ "Name": "out", "DataStoreName": "workspaceblobstore" }],
    })
}

fn edge((from, out): (&str, &str), (to, input): (&str, &str)) -> Value {
    json!({
        "SourceOutputPort": { "NodeId": from, "PortName": out },
        "DestinationInputPort": { "NodeId": to, "PortName": input },
    })
}

fn order(pairs: &[(&str, &str)]) -> Vec<Value> {
    let pair = |(from, to): &(&str, &str)| {
        edge((from, "_run_after_output"), (to, &format!("_run_after_{from}")))
    };
    pairs.iter().map(pair).collect()
}

fn body(nodes: &[Value], edges: &[Value]) -> Value {
    json!({ "CreationInfo": {}, "Graph": { "ModuleNodes": nodes, "Edges": edges } })
}

async fn create(cloud: &MockCloud, body: &Value) -> (u16, Value) {
    let path = at("/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=wine");
    send(cloud, "POST", &path, &body.to_string()).await
}

async fn submit(cloud: &MockCloud, body: &Value) -> String {
    let (status, made) = create(cloud, body).await;
    assert_eq!(status, 200, "{made}");
    let id = made["Id"].as_str().unwrap().to_owned();
    let (status, answer) =
        send(cloud, "POST", &at(&format!("/PipelineRuns/Submit/{id}")), "").await;
    assert_eq!(status, 200, "{answer}");
    id
}

/// Submits notebooks of these names in this order.
async fn start(cloud: &MockCloud, names: &[&str], pairs: &[(&str, &str)], goes_on: bool) -> String {
    let mut nodes = Vec::new();
    for name in names {
        nodes.push(notebook(cloud, name).await);
    }
    let mut body = body(&nodes, &order(pairs));
    body["CreationInfo"]["ContinueExperimentOnNodeFailure"] = goes_on.into();
    submit(cloud, &body).await
}

/// What the node's address `rest` answers, as text.
async fn of_node(cloud: &MockCloud, run: &str, node: &str, rest: &str) -> String {
    let path = at(&format!("/PipelineRuns/{run}/{rest}"));
    let token = token_for(crate::services::azure::ML_AUDIENCE);
    send_text(cloud, "POST", &path, &token, &json!([node]).to_string()).await.1
}

/// The status of each step, and of the whole.
async fn statuses(cloud: &MockCloud, run: &str, nodes: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for node in nodes {
        let status = of_node(cloud, run, node, "Graph/Node/StatusCode").await;
        found.push(format!("{node} {}", status.trim_matches('"')));
    }
    let (_, whole) = send(cloud, "GET", &at(&format!("/PipelineRuns/{run}")), "").await;
    found.push(whole["Status"]["StatusCode"].as_str().unwrap().to_owned());
    found
}

/// The run in run history.
async fn in_history(cloud: &MockCloud, run: &str) -> Value {
    let path = format!("/history/v1.0{WORKSPACE}/experiments/wine/runs/{run}");
    send(cloud, "GET", &path, "").await.1
}

/// The run of a step in run history.
fn step_run(cloud: &MockCloud, run: &str, node: &str) -> String {
    cloud
        .kernel()
        .inspect(|world| world.pipelines.run(run).unwrap().step(node).unwrap().run_id.clone())
}

/// What the step became on Databricks: its one task, as the Jobs API shows it.
async fn task(cloud: &MockCloud, run: &str, node: &str) -> Value {
    let job_run = cloud
        .kernel()
        .inspect(|world| world.pipelines.run(run).unwrap().step(node).unwrap().job_run);
    let path = format!("/api/2.2/jobs/runs/get?run_id={}", job_run.unwrap().1);
    let (status, mut found) = crate::services::databricks::tests::get(cloud, &path).await;
    assert_eq!(status, 200, "{found}");
    found["tasks"][0].take()
}
