use serde_json::{Value, json};

use super::Mount;

async fn asked(mount: &Mount, query: &str, variables: Value) -> Value {
    let body = json!({"query": query, "variables": variables});
    let (status, answer) = mount.post("^/graphql", body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn data(answer: &Value) -> &Value {
    assert_eq!(answer["errors"], Value::Null);
    &answer["data"]
}

#[tokio::test]
async fn a_run_is_shown_with_all_that_it_belongs_to() {
    let (mount, run) = Mount::with_run().await;
    let metrics = json!([{"key": "m", "value": 1.5, "timestamp": 1, "step": 2},
        {"key": "n", "value": "NaN", "timestamp": 1}]);
    let log = json!({"run_id": run, "metrics": metrics, "params": [{"key": "p", "value": "1"}]});
    mount.did("/runs/log-batch", log).await;
    mount.did("/registered-models/create", json!({"name": "wine"})).await;
    let version = json!({"name": "wine", "source": format!("runs:/{run}/m"), "run_id": run});
    mount.did("/model-versions/create", version).await;
    let query = r#"query GetRun($data: MlflowGetRunInput!) @component(name: "Run") {
        mlflowGetRun(input: $data) {
            apiError { code }
            run {
                info { runName endTime status }
                data { metrics { ...point } params { key value } }
                experiment { name tags { key } }
                modelVersions { name version }
                inputs { datasetInputs { dataset { name } } }
            }
        }
    }
    fragment point on MlflowMetricExtension { key value timestamp step }"#;
    let answer = asked(&mount, query, json!({"data": {"runId": run}})).await;
    let shown = &data(&answer)["mlflowGetRun"];
    assert_eq!(shown["apiError"], Value::Null);
    let shown = &shown["run"];
    assert_eq!(shown["info"]["endTime"], "0", "what is not there is a default");
    assert_eq!(shown["info"]["status"], "RUNNING");
    let points = json!([{"key": "m", "value": 1.5, "timestamp": "1", "step": "2"},
        {"key": "n", "value": null, "timestamp": "1", "step": "0"}]);
    assert_eq!(shown["data"]["metrics"], points);
    assert_eq!(shown["data"]["params"], json!([{"key": "p", "value": "1"}]));
    assert_eq!(shown["experiment"], json!({"name": "wine", "tags": []}));
    assert_eq!(shown["modelVersions"], json!([{"name": "wine", "version": "1"}]));
    assert_eq!(shown["inputs"], json!({"datasetInputs": []}));
}

#[tokio::test]
async fn runs_histories_files_and_datasets_are_found() {
    let (mount, run) = Mount::with_run().await;
    let point = json!({"run_id": run, "key": "m", "value": 1, "timestamp": 3, "step": 2});
    mount.did("/runs/log-metric", point).await;
    let dataset = json!({"name": "d", "digest": "1", "source_type": "s", "source": "s"});
    let inputs = json!({"run_id": run, "datasets": [{"dataset": dataset}]});
    mount.did("/runs/log-inputs", inputs).await;
    let upload = format!("^/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a/b.txt");
    assert_eq!(mount.ask("POST", &upload, "hello").await.0, 200);

    let query = format!(
        r#"{{
        found: mlflowSearchRuns(input: {{experimentIds: ["1"], runViewType: ACTIVE_ONLY}}) {{
            nextPageToken runs {{ info {{ runId }} }}
        }}
        points: mlflowGetMetricHistoryBulkInterval(input: {{runIds: ["{run}"], metricKey: "m"}}) {{
            __typename metrics {{ timestamp step runId }}
        }}
        files: mlflowListArtifacts(input: {{runId: "{run}", path: "a"}}) {{
            files {{ path isDir fileSize }}
        }}
        __typename
    }}"#
    );
    let answer = asked(&mount, &query, Value::Null).await;
    let wanted = json!({
        "found": {"nextPageToken": "", "runs": [{"info": {"runId": run}}]},
        "points": {"__typename": "MlflowGetMetricHistoryBulkIntervalResponse",
            "metrics": [{"timestamp": "3", "step": "2", "runId": run}]},
        "files": {"files": [{"path": "a/b.txt", "isDir": false, "fileSize": "5"}]},
        "__typename": "Query",
    });
    assert_eq!(data(&answer), &wanted);
    let query = r#"mutation m { mlflowSearchDatasets(input: {experimentIds: ["1"]}) {
        datasetSummaries { name context } } }"#;
    let answer = asked(&mount, query, Value::Null).await;
    let found = &data(&answer)["mlflowSearchDatasets"]["datasetSummaries"];
    assert_eq!(found, &json!([{"name": "d", "context": ""}]));
}

#[tokio::test]
async fn what_is_refused_is_among_the_errors() {
    let mount = Mount::plain();
    let unknown = "query Q { mlflowGetRun(input: {runId: \"zz\"}) { run { info { runId } } } }";
    let answer = asked(&mount, unknown, Value::Null).await;
    assert_eq!(answer["data"], json!({"mlflowGetRun": null}));
    assert_eq!(answer["errors"], json!(["Run with id=zz not found"]));
    let deep = format!("{{ test {}{}", "{ a ".repeat(12), "}".repeat(13));
    let cases = [
        ("{ nope { a } }".to_owned(), "Cannot query field 'nope' on type 'Query'."),
        (
            "{ test(inputString: \"a\") }".to_owned(),
            "Field 'test' of type 'Test' must have a selection of subfields. Did you mean 'test { ... }'?",
        ),
        (
            "query q($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { run { info { runId } } } }"
                .to_owned(),
            "Variable '$data' of required type 'MlflowGetRunInput!' was not provided.",
        ),
        (deep, "Query exceeds maximum depth of 10"),
        (
            format!("{{ {} }}", "test { output } ".repeat(11)),
            "GraphQL queries should have at most 10 root fields, got 11 root fields. To increase the limit, set the MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS environment variable.",
        ),
        (
            "{ test { a: output b: output c: output d: output e: output f: output g: output
                h: output i: output j: output k: output } }"
                .to_owned(),
            "GraphQL queries should have at most 10 aliases, got 11 aliases. To increase the limit, set the MLFLOW_SERVER_GRAPHQL_MAX_ALIASES environment variable.",
        ),
        (
            format!("{{ test {{ {} }} }}", "output ".repeat(1001)),
            "Query exceeds maximum total selections of 1000",
        ),
        (
            "{ ...a } fragment a on Query { ...a nope }".to_owned(),
            "Cannot query field 'nope' on type 'Query'.",
        ),
    ];
    for (query, error) in cases {
        let answer = asked(&mount, &query, Value::Null).await;
        assert_eq!(answer, json!({"data": null, "errors": [error]}), "{query}");
    }
    for bad in [json!({}), json!({"query": "query {"})] {
        assert_eq!(mount.post("^/graphql", bad).await.0, 400);
    }
}
