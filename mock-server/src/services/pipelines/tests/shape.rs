//! Pipelines of a thousand steps.

use serde_json::{Value, json};

use super::{at, attached, body, notebook, order, seconds, submit};
use crate::{MockCloud, tests::send};

const STEPS: usize = 1000;

/// Submits a thousand notebooks of which each waits for those that `before` says.
async fn submitted(cloud: &MockCloud, before: impl Fn(usize) -> Vec<usize>) -> String {
    let pattern = notebook(cloud, "any").await;
    let names: Vec<String> = (0..STEPS).map(|it| format!("n{it}")).collect();
    let nodes: Vec<Value> = names
        .iter()
        .map(|name| {
            let mut node = pattern.clone();
            node["Id"] = json!(name);
            node
        })
        .collect();
    let pairs: Vec<(&str, &str)> = (0..STEPS)
        .flat_map(|step| before(step).into_iter().map(move |it| (it, step)))
        .map(|(from, to)| (names[from].as_str(), names[to].as_str()))
        .collect();
    submit(cloud, &body(&nodes, &order(&pairs))).await
}

/// How many steps of a run have which status.
async fn count(cloud: &MockCloud, run: &str, status: &str) -> usize {
    let path = at(&format!("/PipelineRuns/{run}/Graph/AllNodes/StatusCode"));
    let (_, all) = send(cloud, "POST", &path, "").await;
    all.as_object().unwrap().values().filter(|it| *it == status).count()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_steps_in_a_chain_run_one_by_one() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }])).await;
    let run = submitted(&cloud, |step| step.checked_sub(1).into_iter().collect()).await;
    seconds(500).await;
    assert_eq!(count(&cloud, &run, "Finished").await, 500);
    assert_eq!(count(&cloud, &run, "Running").await, 1);
    seconds(500).await;
    assert_eq!(count(&cloud, &run, "Finished").await, STEPS);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_independent_steps_run_at_once() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }])).await;
    let run = submitted(&cloud, |_| Vec::new()).await;
    assert_eq!(count(&cloud, &run, "Running").await, STEPS);
    seconds(1).await;
    assert_eq!(count(&cloud, &run, "Finished").await, STEPS);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_steps_in_layers_run_layer_by_layer() {
    const LAYER: usize = 20;
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }])).await;
    let run = submitted(&cloud, |step| {
        let layer = step / LAYER;
        if layer == 0 { Vec::new() } else { ((layer - 1) * LAYER..layer * LAYER).collect() }
    })
    .await;
    seconds(7).await;
    assert_eq!(count(&cloud, &run, "Finished").await, 7 * LAYER);
    assert_eq!(count(&cloud, &run, "Running").await, LAYER);
    seconds(43).await;
    assert_eq!(count(&cloud, &run, "Finished").await, STEPS);
}

#[tokio::test(start_paused = true)]
async fn a_failure_among_a_thousand_steps_skips_those_that_have_not_begun() {
    let cloud = attached(json!([{ "task": "*", "result": "FAILED", "after_seconds": 1 }])).await;
    let run = submitted(&cloud, |step| step.checked_sub(100).into_iter().collect()).await;
    seconds(1).await;
    assert_eq!(count(&cloud, &run, "Failed").await, 100);
    assert_eq!(count(&cloud, &run, "Canceled").await, STEPS - 100);
}
