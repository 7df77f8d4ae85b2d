use serde_json::json;

use super::{at, body, create, edge, module, notebook, order, start, submit};
use crate::{
    MockCloud,
    services::azure::ML_AUDIENCE,
    tests::{assert_replays, send, token_for},
};

#[tokio::test]
async fn what_needs_no_state_is_answered_as_recorded() {
    let cloud = MockCloud::new();
    for fixture in [
        "data-types-list",
        "modules-by-hash-missing",
        "modules-create-notebook",
        "modules-create-script-in-dbfs",
        "modules-create-script-local",
        "modules-create-jar",
        "data-sources-create",
    ] {
        assert_replays(&cloud, &format!("pipelines/{fixture}"), &token_for(ML_AUDIENCE)).await;
    }
}

#[tokio::test]
async fn a_module_is_one_by_id_and_by_hash() {
    let cloud = MockCloud::new();
    let id = module(&cloud, "train").await;
    let (_, by_id) = send(&cloud, "GET", &at(&format!("/Modules/{id}")), "").await;
    let (_, by_hash) = send(&cloud, "GET", &at("/Modules/Hash/hash-of-train"), "").await;
    assert_eq!(by_id, by_hash);
    assert_eq!(by_id["Data"]["Name"], "train");
}

#[tokio::test]
async fn a_graph_that_can_never_end_is_refused() {
    let cloud = MockCloud::new();
    let (a, b) = (notebook(&cloud, "a").await, notebook(&cloud, "b").await);
    let both = [a.clone(), b];
    let mut stranger = a.clone();
    stranger["ModuleId"] = json!("no-such-module");
    let cases = [
        (body(&both, &order(&[("a", "b"), ("b", "a")])), 400, "the graph has a cycle"),
        (body(&both, &order(&[("x", "b")])), 400, "an edge begins at x, which is no node"),
        (
            body(&both, &[edge(("a", "out"), ("y", "in"))]),
            400,
            "an edge ends at y, which is no module node",
        ),
        (body(&[a.clone(), a], &[]), 400, "two module nodes have the same Id"),
        (body(&[stranger], &[]), 404, "Module not found"),
    ];
    for (body, status, message) in cases {
        let answer = create(&cloud, &body).await;
        assert_eq!((answer.0, &answer.1["Error"]["Message"]), (status, &json!(message)));
    }
}

#[tokio::test]
async fn a_value_for_no_parameter_is_refused() {
    let cloud = MockCloud::new();
    let mut body = body(&[], &[]);
    body["CreationInfo"]["ParameterAssignments"] = json!({ "rate": 1 });
    let (status, answer) = create(&cloud, &body).await;
    assert_eq!(
        (status, &answer["Error"]["Message"]),
        (400, &json!("'rate' is no parameter of the pipeline"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_is_submitted_once() {
    let cloud = MockCloud::new();
    let run = start(&cloud, &["a"], &[], false).await;
    let path = at(&format!("/PipelineRuns/Submit/{run}"));
    assert_eq!(send(&cloud, "POST", &path, "").await.0, 409);
    assert_eq!(send(&cloud, "POST", &at("/PipelineRuns/Submit/nowhere"), "").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_of_nothing_is_over_at_once() {
    let cloud = MockCloud::new();
    let run = submit(&cloud, &body(&[], &[])).await;
    assert_eq!(super::statuses(&cloud, &run, &[]).await, ["Finished"]);
}
