//! What the mounts have in common, and what they share with other services.

use serde_json::{Value, json};

use super::{Mount, refusal, text};
use crate::tests::{WORKSPACE, send};

#[tokio::test]
async fn every_mount_has_the_whole_api() {
    for mount in Mount::all() {
        let experiment = mount.experiment("wine").await;
        let run = mount.run(&experiment).await;
        let point = json!({"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1, "step": 2});
        mount.did("/runs/log-metric", point).await;
        let search = json!({"experiment_ids": [experiment], "filter": "metrics.loss < 1"});
        let found = mount.did("/runs/search", search).await;
        assert_eq!(found["runs"][0]["info"]["run_id"], json!(run), "{}", mount.prefix);
        mount.did("/registered-models/create", json!({"name": "m"})).await;
        let uri = text(&mount.shown(&run).await["info"]["artifact_uri"]);
        let version = json!({"name": "m", "source": format!("{uri}/x"), "run_id": run});
        let made = mount.did("/model-versions/create", version).await;
        assert_eq!(made["model_version"]["version"], "1");
        assert_eq!(mount.get(&format!("/artifacts/list?run_id={run}")).await.0, 200);
        assert_eq!(
            mount.did("/experiments/search", json!({"max_results": 5})).await["experiments"][0]["name"],
            "wine"
        );
    }
}

#[tokio::test]
async fn a_gate_stands_before_all_but_the_plain_server() {
    for mut mount in Mount::all() {
        mount.token = "wrong".to_owned();
        let (status, _) = mount.get("/experiments/get-by-name?experiment_name=x").await;
        let wanted = match mount.prefix.as_str() {
            "/mlflow" => 404,
            it if it.contains("azuredatabricks") => 403,
            _ => 401,
        };
        assert_eq!(status, wanted, "{}", mount.prefix);
    }
}

#[tokio::test]
async fn a_plain_server_says_who_it_is_and_what_it_has_not() {
    let mount = Mount::plain();
    let said = |path: &'static str| {
        let cloud = mount.cloud.clone();
        async move { crate::tests::send_text(&cloud, "GET", path, "", "").await }
    };
    assert_eq!(said("/mlflow/health").await, (200, "OK".to_owned()));
    assert_eq!(said("/mlflow/version").await, (200, "3.17.2".to_owned()));
    let (_, info) = mount.get("^/api/3.0/mlflow/server-info").await;
    assert_eq!(info["store_type"], "SqlStore");
    let (status, page) = said("/mlflow/api/2.0/mlflow/nonsense").await;
    assert!(status == 404 && page.contains("<title>404 Not Found</title>"), "{page}");
    let absent = refusal(mount.post("^/api/2.0/mlflow/webhooks", json!({})).await);
    assert_eq!((absent.0, absent.1.as_str()), (501, "NOT_IMPLEMENTED"));
    for (method, path) in [
        ("POST", "/api/3.0/mlflow/traces/search"),
        ("PATCH", "/api/3.0/mlflow/traces/tr-1/assessments/a-1"),
        ("GET", "/ajax-api/3.0/mlflow/scorers/list"),
    ] {
        let absent = refusal(mount.ask(method, &format!("^{path}"), "{}").await);
        assert_eq!((absent.0, absent.1.as_str()), (501, "NOT_IMPLEMENTED"), "{path}");
    }
    let wrong =
        crate::tests::send_text(&mount.cloud, "PUT", "/mlflow/api/2.0/mlflow/runs/create", "", "");
    assert_eq!(wrong.await.0, 405);
    let (status, _) = mount.get("^/ajax-api/2.0/mlflow/experiments/get?experiment_id=0").await;
    assert_eq!(status, 200, "the user interface has a root of its own");
}

#[tokio::test]
async fn databricks_keeps_what_has_a_path_for_a_name_on_dbfs() {
    let mount = Mount::databricks();
    let id = mount.experiment("/Users/tester@example.com/exp").await;
    let (_, shown) = mount.get(&format!("/experiments/get?experiment_id={id}")).await;
    let location = format!("dbfs:/databricks/mlflow-tracking/{id}");
    assert_eq!(shown["experiment"]["artifact_location"], location);
    let run = mount.run(&id).await;
    let file = format!("^/dbfs/databricks/mlflow-tracking/{id}/{run}/artifacts/d/a.txt");
    assert_eq!(mount.ask("POST", &file, "hello").await.0, 200);
    let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}&path=d")).await;
    assert_eq!(list["files"], json!([{"path": "d/a.txt", "is_dir": false, "file_size": 5}]));
    let path = file.trim_start_matches('^').replace("/dbfs", "/api/2.0/dbfs/get-status?path=");
    assert_eq!(mount.get(&format!("^{path}")).await.1["file_size"], 5, "DBFS has it");
    let artifacts = format!("/WorkspaceInternal/Mlflow/Artifacts/{id}/Runs/{run}/artifacts/d");
    let (_, page) = mount.get(&format!("^/api/2.0/fs/directories{artifacts}")).await;
    assert_eq!(page["contents"][0]["name"], "a.txt", "the Files API has it");
    let made = mount.did("/logged-models", json!({"experiment_id": id, "name": "m"})).await;
    let info = &made["model"]["info"];
    let model = info["model_id"].as_str().unwrap();
    assert_eq!(info["artifact_uri"], format!("{location}/logged_models/{model}/artifacts"));
}

#[tokio::test]
async fn a_batch_that_may_come_later_is_there_at_once() {
    let mount = Mount::azure_ml("v2.0");
    let experiment = mount.experiment("wine").await;
    let run = mount.run(&experiment).await;
    let path = "^/api/2.0/preview/mlflow/runs/log-batch-async";
    let metrics = json!([{"key": "m", "value": 1, "timestamp": 1}]);
    let (_, sent) = mount.post(path, json!({"run_id": run, "metrics": metrics})).await;
    let id = text(&sent["batch_tracking_id"]);
    assert!(!id.is_empty());
    let status = format!(
        "^/api/2.0/preview/mlflow/runs/get-run-data-status?run_id={run}&batch_tracking_id={id}"
    );
    assert_eq!(mount.get(&status).await, (200, json!({"is_complete": true})));
    let (_, sent) = mount.post(path, json!({"run_id": run, "tags": [{"key": "k"}]})).await;
    assert_eq!(sent["batch_tracking_id"], "", "tags do not wait");
}

#[tokio::test]
async fn what_mlflow_logs_run_history_shows() {
    let mount = Mount::azure_ml("v2.0");
    let cloud = &mount.cloud;
    let history = format!("/history/v1.0{WORKSPACE}/experiments/wine");
    send(cloud, "POST", &history, "").await;
    send(cloud, "PATCH", &format!("{history}/runs/r1"), r#"{"runId":"r1"}"#).await;
    let batch = json!({"run_id": "r1", "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 2}],
        "tags": [{"key": "stage", "value": "test"}]});
    mount.did("/runs/log-batch", batch).await;
    mount.did("/runs/update", json!({"run_id": "r1", "status": "FINISHED"})).await;

    let (_, run) = send(cloud, "GET", &format!("{history}/runs/r1"), "").await;
    assert_eq!((&run["status"], &run["tags"]["stage"]), (&"Completed".into(), &"test".into()));
    let full = format!("/metric/v2.0{WORKSPACE}/runs/r1/full");
    let (_, metric) = send(cloud, "POST", &full, r#"{"metricName":"loss"}"#).await;
    assert_eq!(metric["value"][0]["data"]["loss"], 0.5);
}

#[tokio::test]
async fn both_registries_of_a_workspace_are_one() {
    let mount = Mount::azure_ml("v2.0");
    let management = format!("/modelmanagement/v1.0{WORKSPACE}/models");
    mount.did("/registered-models/create", json!({"name": "wine"})).await;
    let version = json!({"name": "wine", "source": "azureml://x/y"});
    mount.did("/model-versions/create", version).await;
    let (_, listed) = send(&mount.cloud, "GET", &management, "").await;
    let model = &listed["value"][0];
    assert_eq!((&model["id"], &model["url"]), (&"wine:1".into(), &"azureml://x/y".into()));

    let second =
        json!({"name": "wine", "url": "aml://artifact/x", "kvTags": {"a": "b"}}).to_string();
    assert_eq!(send(&mount.cloud, "POST", &management, &second).await.1["version"], 2);
    let (_, shown) = mount.get("/model-versions/get?name=wine&version=2").await;
    let shown = &shown["model_version"];
    assert_eq!(
        (&shown["source"], &shown["tags"]),
        (&"aml://artifact/x".into(), &json!([{"key": "a", "value": "b"}]))
    );
    let other = json!({"name": "beer", "url": "aml://artifact/x"}).to_string();
    send(&mount.cloud, "POST", &management, &other).await;
    let (_, found) = mount.get("/registered-models/search").await;
    let names: Vec<&Value> =
        found["registered_models"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["beer", "wine"]);
}

#[tokio::test]
async fn the_artifacts_of_a_run_are_the_same_from_every_side() {
    let mount = Mount::azure_ml("v2.0");
    let experiment = mount.experiment("wine").await;
    let run = mount.run(&experiment).await;
    let root = format!("/history/v1.0{WORKSPACE}/experiments/{experiment}/runs/{run}/artifacts");
    let paths = json!({"paths": [{"path": "sub/art.txt"}]}).to_string();
    let (_, made) = send(&mount.cloud, "POST", &format!("{root}/batch/metadata"), &paths).await;
    let url = text(&made["artifactContentInformation"]["sub/art.txt"]["contentUri"]);
    let put = axum::http::Request::put(url).header("x-ms-blob-type", "BlockBlob");
    let put = put.body(axum::body::Body::from("hello")).unwrap();
    let put = tower::ServiceExt::oneshot(mount.cloud.router(), put).await.unwrap();
    assert_eq!(put.status(), 201);

    let (_, list) = mount.get(&format!("/artifacts/list?run_id={run}&path=sub")).await;
    assert_eq!(list["files"], json!([{"path": "sub/art.txt", "is_dir": false, "file_size": 5}]));
    let by_id = root.replace("/experiments/", "/experimentids/");
    for (path, at) in [
        (format!("{root}?path=sub"), "/value/0/path"),
        (format!("{root}/path?path=sub/art.txt"), "/value/0/path"),
        (format!("{by_id}/contentinfo?path=sub/art.txt"), "/path"),
        (format!("{root}/prefix/contentinfo?path=sub"), "/value/0/path"),
        (format!("{by_id}/metadata?path=sub/art.txt"), "/path"),
    ] {
        let (status, found) = send(&mount.cloud, "GET", &path, "").await;
        assert_eq!((status, found.pointer(at)), (200, Some(&"sub/art.txt".into())), "{path}");
    }
    let (_, uri) =
        send(&mount.cloud, "GET", &format!("{root}/artifacturi?path=sub/art.txt"), "").await;
    assert!(text(&uri).starts_with("https://"), "{uri}");
    let elsewhere = root.replace(&experiment, "beer");
    assert_eq!(send(&mount.cloud, "GET", &elsewhere, "").await.0, 404);
}

#[tokio::test]
async fn a_world_with_mlflow_is_read_back_as_it_was_written() {
    let (mount, run) = Mount::with_run().await;
    let point = json!({"run_id": run, "key": "loss", "value": "NaN", "timestamp": 1});
    mount.did("/runs/log-metric", point).await;
    let model = json!({"experiment_id": "1", "source_run_id": run});
    let model = mount.did("/logged-models", model).await;
    let id = text(&model["model"]["info"]["model_id"]);
    let point =
        json!({"run_id": run, "key": "acc", "value": "NaN", "timestamp": 1, "model_id": id});
    mount.did("/runs/log-metric", point).await;
    mount.did("/registered-models/create", json!({"name": "m"})).await;
    mount.did("/model-versions/create", json!({"name": "m", "source": "s3://b/m"})).await;
    let world = mount.cloud.kernel().inspect(Clone::clone);
    let read: crate::kernel::World =
        serde_json::from_str(&serde_json::to_string(&world).unwrap()).unwrap();
    let same = |one: &crate::kernel::World| serde_json::to_value(one).unwrap();
    assert_eq!(same(&read), same(&world));
    let store = read.stores.at(&crate::store::Place::Plain);
    let latest = store.run(&run).unwrap().metrics["loss"].latest();
    assert!(latest.is_some_and(|it| it.value.is_nan()), "what follows is found again");
}
