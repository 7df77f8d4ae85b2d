use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::azure::{DATABRICKS_AUDIENCE, ML_AUDIENCE},
    tests::{WORKSPACE, send, send_as, token_for},
};

fn at(rest: &str) -> String {
    format!("/history/v1.0{WORKSPACE}{rest}")
}

async fn with_experiment(name: &str) -> (MockCloud, String) {
    let cloud = MockCloud::new();
    let (status, it) = send(&cloud, "POST", &at(&format!("/experiments/{name}")), "").await;
    assert_eq!(status, 200);
    (cloud, it["experimentId"].as_str().unwrap().to_owned())
}

async fn start(cloud: &MockCloud, run: &str, body: Value) {
    let path = at(&format!("/experiments/wine/runs/{run}"));
    assert_eq!(send(cloud, "PATCH", &path, &body.to_string()).await.0, 200);
    let event = json!({"name": "Microsoft.MachineLearning.Run.Start", "data": {"RunId": run}});
    let path = at(&format!("/experiments/wine/runs/{run}/events"));
    assert_eq!(send(cloud, "POST", &path, &event.to_string()).await.0, 200);
}

#[tokio::test]
async fn an_experiment_is_one_by_name_and_by_id() {
    let (cloud, id) = with_experiment("wine").await;
    let (_, by_name) = send(&cloud, "GET", &at("/experiments/wine"), "").await;
    let (_, by_id) = send(&cloud, "GET", &at(&format!("/experimentids/{id}")), "").await;
    assert_eq!(by_name, by_id);
    let (_, again) = send(&cloud, "POST", &at("/experiments/wine"), "").await;
    assert_eq!(again["experimentId"], id.as_str(), "a second creation changes nothing");

    let (status, error) = send(&cloud, "GET", &at("/experiments/beer"), "").await;
    assert_eq!((status, &error["error"]["message"]), (404, &"Experiment beer not found".into()));
}

#[tokio::test(start_paused = true)]
async fn a_run_lives_from_its_patch_to_its_last_event() {
    let (cloud, id) = with_experiment("wine").await;
    start(&cloud, "r1", json!({"runId": "r1", "name": "one", "tags": {"bare": null}})).await;
    let by_id = at(&format!("/experimentids/{id}/runs/r1"));
    let (_, run) = send(&cloud, "GET", &by_id, "").await;
    assert_eq!((&run["status"], &run["dataContainerId"]), (&"Running".into(), &"dcid.r1".into()));
    assert_eq!(run["tags"], json!({"bare": null}));

    tokio::time::advance(std::time::Duration::from_secs(90)).await;
    let failed = json!({"name": "Microsoft.MachineLearning.Run.Failed", "data": {"RunId": "r1",
        "ErrorResponse": {"error": {"code": "MyCode", "message": "boom"}}}});
    send(&cloud, "POST", &at("/experiments/wine/runs/r1/events"), &failed.to_string()).await;
    let (_, run) = send(&cloud, "GET", &at("/runs/r1"), "").await;
    assert_eq!((&run["status"], &run["duration"]), (&"Failed".into(), &"00:01:30.0000000".into()));
    assert_eq!(run["error"]["error"]["message"], "boom");

    let start = json!({"name": "Microsoft.MachineLearning.Run.Start", "data": {"RunId": "r1"}});
    send(&cloud, "POST", &at("/experiments/wine/runs/r1/events"), &start.to_string()).await;
    assert_eq!(send(&cloud, "GET", &at("/runs/r1"), "").await.1["status"], "Failed");
}

#[tokio::test]
async fn queries_filter_sort_and_page() {
    let (cloud, _) = with_experiment("wine").await;
    for (run, stage) in [("a", "test"), ("b", "other"), ("c", "test")] {
        start(&cloud, run, json!({"runId": run, "tags": {"stage": stage}})).await;
    }
    start(
        &cloud,
        "child",
        json!({"runId": "child", "parentRunId": "a", "tags": {"stage": "test"}}),
    )
    .await;

    let query = json!({"filter": "((Tags/stage eq \"test\") and (ParentRunId eq null))", "top": 1,
        "orderby": "RunId desc"});
    let (_, page) =
        send(&cloud, "POST", &at("/experiments/wine/runs:query"), &query.to_string()).await;
    assert_eq!(page["value"][0]["runId"], "c");
    let mut query = query;
    query["continuationToken"] = page["continuationToken"].clone();
    let (_, page) =
        send(&cloud, "POST", &at("/experiments/wine/runs:query"), &query.to_string()).await;
    assert_eq!(
        (&page["value"][0]["runId"], &page["continuationToken"]),
        (&"a".into(), &Value::Null)
    );

    let (_, page) = send(&cloud, "GET", &at("/experiments/wine/runs/a/children"), "").await;
    assert_eq!(page["value"][0]["rootRunId"], "a");
    let bad = json!({"filter": "(a eq"}).to_string();
    assert_eq!(send(&cloud, "POST", &at("/experiments/wine/runs:query"), &bad).await.0, 400);
}

#[tokio::test]
async fn one_batch_does_not_make_one_run_twice() {
    let (cloud, _) = with_experiment("wine").await;
    let batch = json!({"runs": [{"runId": "a"}, {"runId": "a"}]}).to_string();
    let path = at("/experiments/wine/batch/runs");
    assert_eq!(send(&cloud, "PATCH", &path, &batch).await.0, 400);
    assert_eq!(send(&cloud, "GET", &at("/runs/a"), "").await.0, 404);
}

#[tokio::test]
async fn a_token_for_something_else_is_refused() {
    let (cloud, _) = with_experiment("wine").await;
    let path = at("/experiments/wine");
    let (status, error) = send_as(&cloud, "GET", &path, &token_for(DATABRICKS_AUDIENCE), "").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (401, &"InvalidAuthenticationTokenAudience".into())
    );
    assert_eq!(send_as(&cloud, "GET", &path, "nonsense", "").await.0, 401);
    assert_eq!(send_as(&cloud, "GET", &path, &token_for(ML_AUDIENCE), "").await.0, 200);
}

#[tokio::test]
async fn the_token_of_a_run_opens_the_data_plane() {
    let (cloud, _) = with_experiment("wine").await;
    start(&cloud, "r1", json!({"runId": "r1"})).await;
    let (_, answer) = send(&cloud, "GET", &at("/experiments/wine/runs/r1/token"), "").await;
    let token = answer["token"].as_str().unwrap();
    assert_eq!(send_as(&cloud, "GET", &at("/runs/r1"), token, "").await.0, 200);
}

#[tokio::test]
async fn saved_exchanges_of_runs_and_experiments_are_answered_alike() {
    let cloud = MockCloud::new();
    for (experiment, run) in [
        ("exp-part2", "3e0d88ee-b50c-4b3d-894a-ca48d453ad1b"),
        ("exp-part2b", "b7db17ee-d729-4448-968e-edd2f334395f"),
    ] {
        send(&cloud, "POST", &at(&format!("/experiments/{experiment}")), "").await;
        let path = at(&format!("/experiments/{experiment}/runs/{run}"));
        let body = json!({"runId": run, "tags": {"stage": "test", "bare": null, "k1": "v1"},
            "properties": {"p1": "v1"}});
        assert_eq!(send(&cloud, "PATCH", &path, &body.to_string()).await.0, 200);
    }
    // The recorded run documents have many empty fields that nobody reads.
    for fixture in ["runs-batch", "events-batch", "events-post-warning", "runs-token"] {
        let exchange = azml_fixtures::load(&format!("history/{fixture}"));
        let body = exchange.request.body.map_or_else(String::new, |it| it.to_string());
        let (status, answer) =
            send(&cloud, &exchange.request.method, &exchange.request.path, &body).await;
        assert_eq!(status, exchange.response.status, "{fixture}: {answer}");
        let keys = |it: &Value| it.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
        assert_eq!(keys(&answer), keys(&exchange.response.body), "{fixture}");
    }
    let path = at("/experiments:query");
    let (status, found) = send(&cloud, "POST", &path, r#"{"viewType":"ActiveOnly"}"#).await;
    assert_eq!((status, found["value"].as_array().unwrap().len()), (200, 2));
}

#[tokio::test]
async fn an_archived_experiment_is_listed_only_when_asked_for() {
    let (cloud, id) = with_experiment("wine").await;
    send(&cloud, "POST", &at("/experiments/beer"), "").await;
    let by_id = at(&format!("/experimentids/{id}"));
    let change = json!({"archive": true, "description": "d", "tags": {"k": "v", "l": "w"}});
    let (status, changed) = send(&cloud, "PATCH", &by_id, &change.to_string()).await;
    assert_eq!((status, &changed["description"]), (200, &"d".into()));
    assert!(changed["archivedTime"].is_string());

    let names = async |query: Value| -> Vec<String> {
        let path = at("/experiments:query");
        let (_, listed) = send(&cloud, "POST", &path, &query.to_string()).await;
        let all = listed["value"].as_array().unwrap().iter();
        all.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({"viewType": "ActiveOnly"})).await, ["beer"]);
    assert_eq!(names(json!({"viewType": "ArchivedOnly"})).await, ["wine"]);
    let newest = json!({"viewType": "All", "orderby": "CreatedUtc desc"});
    assert_eq!(names(newest).await, ["beer", "wine"]);
    assert_eq!(names(json!({"viewType": "All", "filter": "Tags/k eq 'v'"})).await, ["wine"]);

    let path = at(&format!("/experimentids/{id}/tags:delete"));
    assert_eq!(send(&cloud, "POST", &path, r#"{"tags":["k","none"]}"#).await.0, 200);
    assert_eq!(send(&cloud, "GET", &by_id, "").await.1["tags"], json!({"l": "w"}));
    let taken = send(&cloud, "PATCH", &by_id, r#"{"name":"beer"}"#).await;
    assert_eq!(taken.0, 409);
}

#[tokio::test]
async fn tags_of_a_run_go_and_runs_are_counted_and_found_by_their_compute() {
    let (cloud, _) = with_experiment("wine").await;
    let body = json!({"runId": "r1", "target": "dbx", "tags": {"a": "1", "b": null}});
    start(&cloud, "r1", body).await;
    let path = at("/experiments/wine/runs/r1/tags");
    assert_eq!(send(&cloud, "DELETE", &path, r#"["a","none"]"#).await.0, 200);
    assert_eq!(send(&cloud, "GET", &at("/runs/r1"), "").await.1["tags"], json!({"b": null}));
    let (_, counts) = send(&cloud, "GET", &at("/experiments/wine/runcounts"), "").await;
    assert_eq!((&counts["running"], &counts["failed"]), (&1.into(), &0.into()));
    let (_, found) = send(&cloud, "GET", &at("/computes/dbx/runs"), "").await;
    assert_eq!(found["value"][0]["runId"], "r1");
    let (_, none) = send(&cloud, "GET", &at("/computes/other/runs"), "").await;
    assert_eq!(none["value"], json!([]));
}
