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

#[tokio::test]
async fn a_data_type_is_kept_beside_the_builtin_ones() {
    let cloud = MockCloud::new();
    let types = async || send(&cloud, "GET", &at("/DataTypes"), "").await.1;
    let before = types().await.as_array().unwrap().len();
    let body = json!({ "Id": "Wine", "Name": "Wine", "IsDirectory": true,
        "ParentDataTypeIds": ["AnyDirectory"] });
    let (status, made) = send(&cloud, "POST", &at("/DataTypes"), &body.to_string()).await;
    assert_eq!((status, &made["Id"]), (200, &json!("Wine")));
    assert_eq!(types().await.as_array().unwrap().len(), before + 1);

    let cases = [
        (body.clone(), 409, "Data type Wine exists already"),
        (json!({ "Id": "AnyFile" }), 409, "Data type AnyFile exists already"),
        (json!({}), 400, "Id is missing: a data type needs an id"),
        (
            json!({ "Id": "New", "ParentDataTypeIds": ["Nothing"] }),
            400,
            "ParentDataTypeIds: \"Nothing\" is no data type",
        ),
    ];
    for (body, expected, message) in cases {
        let (status, answer) = send(&cloud, "POST", &at("/DataTypes"), &body.to_string()).await;
        assert_eq!((status, &answer["Error"]["Message"]), (expected, &json!(message)));
    }
}

#[tokio::test]
async fn an_update_changes_a_module_but_not_which_one_it_is() {
    let cloud = MockCloud::new();
    let id = module(&cloud, "train").await;
    let changes = json!({ "Id": "x", "IdentifierHash": "x", "Description": "new" });
    let path = at(&format!("/Modules/{id}"));
    assert_eq!(send(&cloud, "PUT", &path, &changes.to_string()).await.0, 200);
    let (_, found) = send(&cloud, "GET", &at("/Modules/Hash/hash-of-train"), "").await;
    assert_eq!((&found["Data"]["Id"], &found["Data"]["Description"]), (&json!(id), &json!("new")));
    for path in ["/Modules/nowhere", "/DataSources/nowhere"] {
        assert_eq!(send(&cloud, "PUT", &at(path), "{}").await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_in_the_words_of_this_service() {
    let cloud = MockCloud::new();
    for path in [
        "/Modules/nowhere",
        "/DataSources/nowhere",
        "/DataSources/Hash/nowhere",
        "/Graphs/nowhere",
        "/Graphs/nowhere/Interface",
        "/PipelineRuns/nowhere",
    ] {
        let (status, answer) = send(&cloud, "GET", &at(path), "").await;
        assert_eq!((status, answer["Error"]["Message"].is_string()), (404, true), "{path}");
    }
    let (status, answer) = send(&cloud, "GET", &at("/Schedules"), "").await;
    let message = "azml-mock does not emulate pipelines.schedules.list";
    assert_eq!((status, &answer["Error"]["Message"]), (501, &json!(message)));
}

#[tokio::test(start_paused = true)]
async fn a_workspace_sees_no_module_data_graph_or_run_of_another() {
    let cloud = MockCloud::new();
    let node = notebook(&cloud, "one").await;
    let module = node["ModuleId"].as_str().unwrap().to_owned();
    let source = json!({
        "Name": "d", "IdentifierHash": "hash-of-d", "DataStoreName": "workspaceblobstore",
        "PathOnDataStore": "d",
    });
    let (_, source) = send(&cloud, "POST", &at("/DataSources"), &source.to_string()).await;
    let run = submit(&cloud, &body(std::slice::from_ref(&node), &[])).await;
    let (_, shown) = send(&cloud, "GET", &at(&format!("/PipelineRuns/{run}")), "").await;
    let (data, graph) = (source["Id"].as_str().unwrap(), shown["GraphId"].as_str().unwrap());
    let cases = [
        ("GET", format!("/Modules/{module}")),
        ("GET", "/Modules/Hash/hash-of-one".to_owned()),
        ("PUT", format!("/Modules/{module}")),
        ("GET", format!("/DataSources/{data}")),
        ("GET", "/DataSources/Hash/hash-of-d".to_owned()),
        ("GET", format!("/Graphs/{graph}")),
        ("GET", format!("/Graphs/{graph}/Interface")),
        ("GET", format!("/PipelineRuns/{run}")),
        ("POST", format!("/PipelineRuns/Submit/{run}")),
        ("POST", format!("/PipelineRuns/{run}/Graph/AllNodes/StatusCode")),
        ("DELETE", format!("/PipelineRuns/{run}/Execution")),
    ];
    for (method, rest) in cases {
        let here = at(&rest);
        let elsewhere = here.replace("/ws1/", "/w-plain/");
        assert_ne!(here, elsewhere);
        let sent = if method == "GET" { "" } else { "{}" };
        assert_eq!(send(&cloud, method, &elsewhere, sent).await.0, 404, "{method} {rest}");
        if method == "GET" {
            assert_eq!(send(&cloud, method, &here, sent).await.0, 200, "{method} {rest}");
        }
    }
    let path = at("/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=wine");
    let path = path.replace("/ws1/", "/w-plain/");
    let (status, refused) = send(&cloud, "POST", &path, &body(&[node], &[]).to_string()).await;
    assert_eq!((status, &refused["Error"]["Message"]), (404, &json!("Module not found")));
}
