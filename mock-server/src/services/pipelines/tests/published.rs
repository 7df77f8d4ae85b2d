use serde_json::{Value, json};

use super::{at, attached, body, in_history, notebook, seconds, statuses};
use crate::{
    MockCloud,
    tests::{assert_shaped, send},
};

/// Publishes a notebook step `one` that takes the parameter `myparam`.
async fn publish(cloud: &MockCloud, name: &str) -> (u16, Value) {
    let mut node = notebook(cloud, "one").await;
    let rate = json!({ "ValueType": "1", "Name": "_AML_PARAMETER_myparam", "Value": "myparam" });
    node["ModuleParameters"].as_array_mut().unwrap().push(rate);
    let body = json!({
        "Name": name, "Description": "d", "Version": "1.0", "Properties": {},
        "Graph": body(&[node], &[])["Graph"],
        "GraphInterface": { "Parameters": [{ "Name": "myparam", "DefaultValue": "0.1" }] },
    });
    send(cloud, "POST", &at("/Pipelines/Create"), &body.to_string()).await
}

async fn submit(cloud: &MockCloud, id: &str, body: Value) -> (u16, Value) {
    let path = at(&format!("/PipelineRuns/PipelineSubmit/{id}"));
    send(cloud, "POST", &path, &body.to_string()).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_published_pipeline_runs_from_its_address() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }])).await;
    let (status, made) = publish(&cloud, "nightly").await;
    assert_eq!(status, 200, "{made}");
    assert_shaped("pipelines/published-create", &made);
    let id = text(&made["Id"]);
    let (_, found) = send(&cloud, "GET", &at(&format!("/Pipelines/{id}")), "").await;
    assert_eq!(found, made);
    assert_eq!(
        (&made["ParameterAssignments"], &made["TotalRunSteps"], &made["EntityStatus"]),
        (&json!({ "myparam": "0.1" }), &json!(1), &json!("Active"))
    );

    let sent = json!({ "ExperimentName": "wine", "ParameterAssignments": { "myparam": 0.5 } });
    let path = text(&made["Url"]).to_owned();
    let (status, run) = send(&cloud, "POST", &path, &sent.to_string()).await;
    assert_eq!(status, 200, "{run}");
    assert_shaped("pipelines/published-submit", &run);
    assert_eq!(
        (&run["PipelineId"], &run["GraphId"], &run["ParameterAssignments"]["myparam"]),
        (&made["Id"], &made["GraphId"], &json!("0.5"))
    );
    seconds(10).await;
    let run_id = text(&run["Id"]);
    assert_eq!(statuses(&cloud, run_id, &["one"]).await, ["one Finished", "Finished"]);
    let seen = in_history(&cloud, run_id).await;
    assert_eq!(
        (&seen["status"], &seen["properties"]["azureml.pipelineid"]),
        (&json!("Completed"), &made["Id"])
    );
    let (_, runs) = send(&cloud, "GET", &at(&format!("/PipelineRuns/Pipeline/{id}")), "").await;
    assert_shaped("pipelines/published-runs", &runs);
    assert_eq!((runs.as_array().unwrap().len(), &runs[0]["Id"]), (1, &run["Id"]));
}

#[tokio::test]
async fn a_disabled_pipeline_is_not_submitted_and_not_listed_among_the_active() {
    let cloud = MockCloud::new();
    let (_, made) = publish(&cloud, "nightly").await;
    publish(&cloud, "weekly").await;
    let id = text(&made["Id"]);
    let status_path = at(&format!("/Pipelines/{id}/status"));
    assert_eq!(send(&cloud, "PUT", &status_path, r#""Disabled""#).await.0, 200);

    let (status, answer) = submit(&cloud, id, json!({ "ExperimentName": "wine" })).await;
    let message =
        format!("Pipeline {id} ('nightly') is disabled; set its status to Active to submit it");
    assert_eq!((status, &answer["Error"]["Message"]), (400, &json!(message)));
    for (query, count) in [("?activeOnly=true", 1), ("?activeOnly=false", 2), ("", 2)] {
        let (_, all) = send(&cloud, "GET", &at(&format!("/Pipelines{query}")), "").await;
        assert_shaped("pipelines/published-list", &all);
        assert_eq!(all.as_array().unwrap().len(), count, "{query}");
    }

    assert_eq!(send(&cloud, "PUT", &status_path, r#""Active""#).await.0, 200);
    assert_eq!(submit(&cloud, id, json!({ "ExperimentName": "wine" })).await.0, 200);
    let (status, answer) = send(&cloud, "PUT", &status_path, r#""Gone""#).await;
    let message = "'Gone' is no status of a pipeline: Active, Deprecated, Disabled";
    assert_eq!((status, &answer["Error"]["Message"]), (400, &json!(message)));
}

#[tokio::test]
async fn what_cannot_be_published_or_submitted_is_refused_with_its_reason() {
    let cloud = MockCloud::new();
    let (status, answer) = publish(&cloud, "").await;
    let message = "Name is missing: a published pipeline needs a name";
    assert_eq!((status, &answer["Error"]["Message"]), (400, &json!(message)));

    let (_, made) = publish(&cloud, "nightly").await;
    let id = text(&made["Id"]);
    let cases = [
        (json!({}), 400, "ExperimentName is missing"),
        (
            json!({ "ExperimentName": "no good" }),
            400,
            "\"no good\" is no name for an experiment: letters, digits, - _",
        ),
        (
            json!({ "ExperimentName": "wine", "ParameterAssignments": { "speed": "1" } }),
            400,
            "'speed' is no parameter of the pipeline",
        ),
        (
            json!({ "ExperimentName": "wine", "DataPathAssignments": { "input": {} } }),
            400,
            "'input' is no data path parameter of the pipeline",
        ),
    ];
    for (sent, expected, message) in cases {
        let (status, answer) = submit(&cloud, id, sent).await;
        assert_eq!((status, &answer["Error"]["Message"]), (expected, &json!(message)));
    }
    let sent = json!({ "ExperimentName": "wine" });
    let (status, answer) = submit(&cloud, "nowhere", sent.clone()).await;
    assert_eq!((status, &answer["Error"]["Message"]), (404, &json!("Pipeline not found")));
    for path in ["/Pipelines/nowhere", "/PipelineRuns/Pipeline/nowhere"] {
        assert_eq!(send(&cloud, "GET", &at(path), "").await.0, 404, "{path}");
    }
    let path = at(&format!("/PipelineRuns/PipelineSubmit/{id}?parentRunId=nowhere"));
    assert_eq!(send(&cloud, "POST", &path, &sent.to_string()).await.0, 404);
}

#[tokio::test]
async fn a_run_of_a_run_is_its_child() {
    let cloud = MockCloud::new();
    let (_, made) = publish(&cloud, "nightly").await;
    let id = text(&made["Id"]);
    let sent = json!({ "ExperimentName": "wine", "tags": { "who": "me" } });
    let (_, parent) = submit(&cloud, id, sent.clone()).await;
    let path =
        at(&format!("/PipelineRuns/PipelineSubmit/{id}?parentRunId={}", text(&parent["Id"])));
    let (status, child) = send(&cloud, "POST", &path, &sent.to_string()).await;
    assert_eq!(status, 200, "{child}");
    let seen = in_history(&cloud, text(&child["Id"])).await;
    assert_eq!((&seen["parentRunId"], &seen["tags"]["who"]), (&parent["Id"], &json!("me")));
}
