use serde_json::{Value, json};

use super::{Mount, of_pairs, refusal, text};

#[tokio::test]
async fn a_batch_is_logged_whole_or_not_at_all() {
    let (mount, run) = Mount::with_run().await;
    let param = json!({"run_id": run, "key": "depth", "value": "3"});
    mount.did("/runs/log-parameter", param.clone()).await;
    mount.did("/runs/log-parameter", param).await;
    let batch = json!({"run_id": run, "params": [{"key": "depth", "value": "4"}],
        "metrics": [{"key": "m", "value": 1.0, "timestamp": 1}]});
    let (status, code, text) = mount.refused("/runs/log-batch", batch).await;
    assert_eq!((status, code.as_str()), (400, "INVALID_PARAMETER_VALUE"));
    assert!(text.starts_with("Changing param values is not allowed. Params were already logged="));
    assert_eq!(mount.shown(&run).await["data"]["metrics"], Value::Null);

    let other = json!({"run_id": run, "key": "depth", "value": "4"});
    let (_, _, text) = mount.refused("/runs/log-parameter", other).await;
    let wanted = format!(
        "Changing param values is not allowed. Param with key='depth' was already logged with value='3' for run ID='{run}'. Attempted logging new value '4'."
    );
    assert_eq!(text, wanted);
}

#[tokio::test]
async fn a_batch_has_limits_and_each_of_its_fields_a_name() {
    let (mount, run) = Mount::with_run().await;
    let many = |count: i32| -> Vec<Value> {
        (0..count).map(|it| json!({"key": "m", "value": it, "timestamp": it})).collect()
    };
    let pairs = |count: i32| -> Vec<Value> {
        (0..count).map(|it| json!({"key": format!("k{it}"), "value": ""})).collect()
    };
    for (batch, wanted) in [
        (
            json!({"metrics": many(1001)}),
            "A batch logging request can contain at most 1000 metrics. Got 1001 metrics.",
        ),
        (json!({"params": pairs(101)}), "A batch logging request can contain at most 100 params."),
        (json!({"tags": pairs(101)}), "A batch logging request can contain at most 100 tags."),
        (
            json!({"metrics": many(901), "params": pairs(100)}),
            "A batch logging request can contain at most 1000 metrics, params, and tags. Got 1001",
        ),
        (
            json!({"params": [{"key": "a"}, {"key": "a"}]}),
            "Duplicate parameter keys have been submitted: ['a'].",
        ),
        (
            json!({"metrics": [{"key": "m", "timestamp": 1}]}),
            "Missing value for required parameter 'metrics[0].value'",
        ),
        (
            json!({"metrics": [{"value": 1, "timestamp": 1}]}),
            "Missing value for required parameter 'metrics[0].key'",
        ),
        (
            json!({"metrics": [{"key": "a/../b", "value": 1, "timestamp": 1}]}),
            "Invalid value \"a/../b\" for parameter 'metrics[0].name' supplied: Names may be treated as files",
        ),
        (
            json!({"tags": [{"key": "a$"}]}),
            "Invalid value \"a$\" for parameter 'tags[0].key' supplied: Names may only contain",
        ),
        (
            json!({"metrics": [{"key": "m", "value": 1, "timestamp": -1}]}),
            "Invalid value -1 for parameter 'metrics[0].timestamp' supplied: metric 'm' (value=1.0). Timestamp must be",
        ),
        (
            json!({"metrics": 5}),
            "Invalid value 5 for parameter 'metrics' supplied:  Hint: Value was of type 'int'.",
        ),
    ] {
        let mut batch = batch;
        batch["run_id"] = run.clone().into();
        let (status, _, text) = mount.refused("/runs/log-batch", batch).await;
        assert_eq!(status, 400);
        assert!(text.starts_with(wanted), "{text}");
    }
    let (_, _, text) = mount.refused("/runs/log-batch", json!({"run_id": "a b"})).await;
    assert_eq!(text, "Invalid value \"a b\" for parameter 'run_id' supplied.");
    let (_, _, text) = mount.refused("/runs/log-batch", json!({})).await;
    assert!(text.starts_with("Missing value for required parameter 'run_id'."), "{text}");
}

#[tokio::test]
async fn long_values_are_cut_and_long_keys_refused() {
    let (mount, run) = Mount::with_run().await;
    let param = json!({"run_id": run, "key": "p", "value": "x".repeat(6001)});
    mount.did("/runs/log-parameter", param).await;
    mount.did("/runs/set-tag", json!({"run_id": run, "key": "t", "value": "x".repeat(8001)})).await;
    let data = mount.shown(&run).await["data"].clone();
    let length = |pairs: &Value, key: &str| of_pairs(pairs, key).map(|it| text(it).len());
    assert_eq!(length(&data["params"], "p"), Some(6000));
    assert_eq!(length(&data["tags"], "t"), Some(8000));
    let long = json!({"run_id": run, "key": "k".repeat(251), "value": "x"});
    let (status, _, text) = mount.refused("/runs/set-tag", long).await;
    assert_eq!(
        (status, text.as_str()),
        (400, "'key' exceeds the maximum length of 250 characters")
    );
}

#[tokio::test]
async fn a_deleted_run_takes_nothing_until_it_is_restored() {
    let (mount, run) = Mount::with_run().await;
    let key = json!({"run_id": run});
    mount.did("/runs/delete", key.clone()).await;
    let tag = json!({"run_id": run, "key": "k", "value": "v"});
    let (status, _, text) = mount.refused("/runs/set-tag", tag.clone()).await;
    assert_eq!(status, 400);
    assert!(text.ends_with("must be in the 'active' state. Current state is deleted."), "{text}");
    assert_eq!(mount.shown(&run).await["info"]["lifecycle_stage"], "deleted", "it is still shown");
    mount.did("/runs/restore", key).await;
    mount.did("/runs/set-tag", tag.clone()).await;
    mount.did("/runs/delete-tag", tag.clone()).await;
    let (status, _, text) = mount.refused("/runs/delete-tag", tag).await;
    assert_eq!((status, text), (404, format!("No tag with name: k in run with id {run}")));
}

#[tokio::test]
async fn the_name_of_a_run_and_its_tag_are_one() {
    let (mount, run) = Mount::with_run().await;
    let name = text(&mount.shown(&run).await["info"]["run_name"]);
    assert_eq!(name.split('-').count(), 3, "{name}");
    let named = json!({"run_id": run, "run_name": "first", "status": "FINISHED", "end_time": 9});
    let updated = mount.did("/runs/update", named).await;
    let info = &updated["run_info"];
    assert_eq!(
        (&info["run_name"], &info["status"], &info["end_time"]),
        (&"first".into(), &"FINISHED".into(), &9.into())
    );
    let shown = mount.shown(&run).await;
    assert_eq!(of_pairs(&shown["data"]["tags"], "mlflow.runName"), Some(&"first".into()));
    mount.did("/runs/set-tag", json!({"run_id": run, "key": "mlflow.runName", "value": "x"})).await;
    assert_eq!(mount.shown(&run).await["info"]["run_name"], "x");

    let both = json!({"experiment_id": "1", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]});
    assert!(mount.refused("/runs/create", both).await.2.starts_with("Both 'run_name' argument"));
    let unknown = json!({"run_id": run, "status": "SLEEPING"});
    let updated = mount.did("/runs/update", unknown.clone()).await;
    assert_eq!(updated["run_info"]["status"], "FINISHED", "a word that there is not says nothing");
    mount.cloud.set_tracking(crate::TrackingOptions::default().with_faithful(false));
    assert_eq!(mount.refused("/runs/update", unknown).await.0, 400);
}

#[tokio::test]
async fn the_old_name_of_a_run_id_and_json_in_json_are_understood() {
    let (mount, run) = Mount::with_run().await;
    let (status, shown) = mount.get(&format!("/runs/get?run_uuid={run}")).await;
    assert_eq!((status, &shown["run"]["info"]["run_uuid"]), (200, &json!(run)));
    let tag = json!({"run_uuid": run, "key": "k", "value": "v"}).to_string();
    let twice = json!(tag).to_string();
    assert_eq!(mount.ask("POST", "/runs/set-tag", &twice).await.0, 200);
    let (status, _, text) = refusal(mount.ask("POST", "/runs/set-tag", "no JSON").await);
    assert_eq!(status, 400);
    assert!(text.starts_with("Missing value for required parameter 'run_id'."), "{text}");
    let (status, code, text) = refusal(mount.get("/runs/get?run_id=none").await);
    assert_eq!((status, code.as_str()), (404, "RESOURCE_DOES_NOT_EXIST"));
    assert_eq!(text, "Run with id=none not found");
}

#[tokio::test]
async fn a_run_shows_its_datasets_and_models() {
    let (mount, run) = Mount::with_run().await;
    let dataset = json!({"name": "wine", "digest": "d1", "source_type": "http", "source": "s"});
    let tags = json!([{"key": "mlflow.data.context", "value": "train"}]);
    let inputs = json!({"run_id": run, "datasets": [{"dataset": dataset, "tags": tags}],
        "models": [{"model_id": "m-1"}]});
    for _ in 0..2 {
        mount.did("/runs/log-inputs", inputs.clone()).await;
    }
    mount
        .did("/runs/outputs", json!({"run_id": run, "models": [{"model_id": "m-2", "step": 3}]}))
        .await;
    let shown = mount.shown(&run).await;
    assert_eq!(shown["inputs"]["dataset_inputs"], json!([{"dataset": dataset, "tags": tags}]));
    assert_eq!(shown["inputs"]["model_inputs"], json!([{"model_id": "m-1"}]));
    assert_eq!(shown["outputs"]["model_outputs"], json!([{"model_id": "m-2", "step": 3}]));
    let found = mount.did("/experiments/search-datasets", json!({"experiment_ids": ["1"]})).await;
    assert_eq!(
        found["dataset_summaries"],
        json!([{"experiment_id": "1", "name": "wine", "digest": "d1", "context": "train"}])
    );
    assert_eq!(mount.refused("/experiments/search-datasets", json!({})).await.0, 400);
    let long = json!({"run_id": run, "datasets": [{"dataset": {"name": "n".repeat(501)}}]});
    assert_eq!(
        mount.refused("/runs/log-inputs", long).await.2,
        "'name' exceeds the maximum length of 500 characters"
    );
}

#[tokio::test]
async fn a_model_is_recorded_in_the_tag_of_older_clients() {
    let (mount, run) = Mount::with_run().await;
    let model =
        json!({"artifact_path": "m", "flavors": {}, "utc_time_created": "now", "run_id": run});
    for _ in 0..2 {
        let body = json!({"run_id": run, "model_json": model.to_string()});
        mount.did("/runs/log-model", body).await;
    }
    let shown = mount.shown(&run).await;
    let tag = text(of_pairs(&shown["data"]["tags"], "mlflow.log-model.history").unwrap());
    assert_eq!(serde_json::from_str::<Value>(&tag).unwrap(), json!([model, model]));
    let (_, _, text) =
        mount.refused("/runs/log-model", json!({"run_id": run, "model_json": "{}"})).await;
    assert!(text.starts_with("Model json is missing mandatory fields: {'artifact_path'"), "{text}");
    let (_, _, text) =
        mount.refused("/runs/log-model", json!({"run_id": run, "model_json": "{"})).await;
    assert!(text.starts_with("Malformed model info."), "{text}");
}

#[tokio::test]
async fn a_prompt_that_was_tried_is_a_finished_run() {
    let mount = Mount::plain();
    let path = "^/ajax-api/2.0/mlflow/runs/create-promptlab-run";
    let mut body = json!({});
    for (name, value) in [
        ("experiment_id", json!("0")),
        ("prompt_template", json!("say {it}")),
        ("prompt_parameters", json!([{"key": "it", "value": "hi"}])),
        ("model_route", json!("route")),
        ("model_input", json!("say hi")),
        ("mlflow_version", json!("3.17.2")),
    ] {
        let refused = mount.refused(path, body.clone()).await;
        assert_eq!(refused.2, format!("CreatePromptlabRun request must specify {name}."));
        body[name] = value;
    }
    body["model_parameters"] = json!([{"key": "temperature", "value": 0.1}]);
    body["start_time"] = json!(456);
    let run = mount.did(path, body).await["run"].clone();
    assert_eq!(
        (&run["info"]["status"], &run["info"]["start_time"]),
        (&json!("FINISHED"), &json!(456))
    );
    assert!(run["info"]["end_time"].is_number());
    for (key, value) in
        [("model_route", "route"), ("prompt_template", "say {it}"), ("temperature", "0.1")]
    {
        assert_eq!(of_pairs(&run["data"]["params"], key), Some(&value.into()), "{key}");
    }
    assert_eq!(
        of_pairs(&run["data"]["tags"], "mlflow.loggedArtifacts"),
        Some(&r#"[{"path": "eval_results_table.json", "type": "table"}]"#.into())
    );
    let id = text(&run["info"]["run_id"]);
    let (_, list) = mount.get(&format!("/artifacts/list?run_id={id}")).await;
    assert_eq!(list["files"][0]["path"], "eval_results_table.json");
}

#[tokio::test]
async fn a_run_ends_when_its_client_says_so_and_begins_at_0_if_it_says_nothing() {
    let (mount, run) = Mount::with_run().await;
    assert_eq!(mount.shown(&run).await["info"]["start_time"], 0);
    let end = |body: Value| {
        let mut body = body;
        body["run_id"] = json!(run);
        mount.did("/runs/update", body)
    };
    let info = end(json!({"status": "FINISHED"})).await["run_info"].clone();
    assert_eq!((&info["status"], &info["end_time"]), (&json!("FINISHED"), &Value::Null));
    end(json!({"end_time": 5})).await;
    let info = end(json!({"status": "FAILED"})).await["run_info"].clone();
    assert_eq!(info["end_time"], 5, "a status leaves it alone");
    let info = end(json!({"end_time": 0})).await["run_info"].clone();
    assert_eq!(info["end_time"], Value::Null);
    let twice = json!([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]);
    let refused = mount.refused("/runs/create", json!({"experiment_id": "1", "tags": twice})).await;
    assert_eq!((refused.0, refused.1.as_str()), (400, "BAD_REQUEST"));
    assert_eq!(mount.refused("/runs/create", json!({})).await.0, 400);
    assert_eq!(mount.refused("/runs/delete", json!({"run_uuid": run})).await.0, 404);
    let unknown = mount.get("/metrics/get-history?run_id=none&metric_key=m").await;
    assert_eq!(unknown, (200, json!({})));
    let outputs = mount.refused("/runs/outputs", json!({"run_id": run})).await;
    assert!(outputs.2.starts_with("Missing value for required parameter 'models'."));
}

#[tokio::test]
async fn a_body_may_have_the_names_of_json_and_a_delete_has_a_body() {
    let (mount, run) = Mount::with_run().await;
    let tag = json!({"runId": run, "key": "a", "value": "b"});
    mount.did("/runs/set-tag", tag).await;
    assert_eq!(of_pairs(&mount.shown(&run).await["data"]["tags"], "a"), Some(&"b".into()));
    let one = json!({"experimentIds": "1"});
    let refused = mount.refused("/runs/search", one).await;
    assert!(
        refused.2.starts_with("Invalid value \"1\" for parameter 'experiment_ids'"),
        "{refused:?}"
    );
    mount.did("/registered-models/create", json!({"name": "m"})).await;
    let by_query = refusal(mount.ask("DELETE", "/registered-models/delete?name=m", "").await);
    assert!(by_query.2.starts_with("Missing value for required parameter 'name'."), "{by_query:?}");
    let bare = axum::http::Request::post("/mlflow/api/2.0/mlflow/runs/search");
    let bare = bare.body(axum::body::Body::from("{}")).unwrap();
    let answer = tower::ServiceExt::oneshot(mount.cloud.router(), bare).await.unwrap();
    assert_eq!(answer.status(), 400, "it does not say what it is");
}
