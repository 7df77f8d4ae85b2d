use serde_json::{Value, json};

use super::{Mount, refusal, text};
use crate::tests::send_text;

/// A workspace with a registered version that has files.
async fn with_version() -> Mount {
    let mount = Mount::databricks();
    let experiment = mount.experiment("/Users/tester@example.com/exp").await;
    let run = mount.run(&experiment).await;
    let files = format!("^/dbfs/databricks/mlflow-tracking/{experiment}/{run}/artifacts/m");
    for (name, bytes) in [("MLmodel", "flavors"), ("data/a b.txt", "hello")] {
        let path = format!("{files}/{}", name.replace(' ', "%20"));
        assert_eq!(mount.ask("POST", &path, bytes).await.0, 200);
    }
    mount.did("/registered-models/create", json!({"name": "wine"})).await;
    let version = json!({"name": "wine", "source": format!("runs:/{run}/m"), "run_id": run});
    mount.did("/model-versions/create", version).await;
    mount
}

#[tokio::test]
async fn the_files_of_a_version_are_listed_and_come_by_signed_addresses() {
    let mount = with_version().await;
    let list =
        |path: &str| format!("/model-versions/list-artifacts?name=wine&version=1&path={path}");
    let (_, shown) = mount.get(&list("")).await;
    assert_eq!(
        shown["files"],
        json!([{"path": "MLmodel", "is_dir": false, "file_size": 7}, {"path": "data", "is_dir": true}])
    );
    let (_, shown) = mount.get(&list("data")).await;
    assert_eq!(shown["files"][0]["path"], "data/a b.txt");
    let (_, shown) = mount.get(&list("MLmodel")).await;
    assert_eq!(shown["files"][0]["path"], "MLmodel", "a file has itself below it");

    let path = "/model-versions/get-signed-download-uri?name=wine&version=1&path=data/a%20b.txt";
    let signed = text(&mount.get(path).await.1["signed_uri"]);
    let fetched = send_text(&mount.cloud, "GET", &signed, "no token", "").await;
    assert_eq!(fetched, (200, "hello".to_owned()));
    for (from, to) in [("b%2Etxt", "c%2Etxt"), ("expires=1", "expires=9"), ("MLmodel", "x")] {
        let forged = signed.replace(from, to);
        let status = send_text(&mount.cloud, "GET", &forged, "", "").await.0;
        assert_eq!(status, if forged == signed { 200 } else { 403 }, "{forged}");
    }
    let missing = refusal(mount.get(&list("").replace("wine", "beer")).await);
    assert_eq!(missing.0, 404);
}

#[tokio::test]
async fn a_model_and_a_version_are_shown_with_the_rights_of_the_caller() {
    let mount = with_version().await;
    let (_, shown) = mount.get("/databricks/registered-models/get?name=wine").await;
    let shown = &shown["registered_model_databricks"];
    assert_eq!(shown["permission_level"], "CAN_MANAGE");
    assert_eq!(text(&shown["id"]).len(), 32);
    assert_eq!(shown["latest_versions"][0]["version"], "1");
    let body = json!({"name": "wine", "version": "1", "stage": "Staging",
        "archive_existing_versions": false, "comment": "go"});
    let moved = mount.did("/databricks/model-versions/transition-stage", body).await;
    assert_eq!(moved["model_version_databricks"]["current_stage"], "Staging");
}

#[tokio::test(start_paused = true)]
async fn many_runs_are_deleted_and_restored_by_their_times() {
    let mount = Mount::databricks();
    let experiment = mount.experiment("wine").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let run = mount.run(&experiment).await;
        let shown = mount.shown(&run).await["info"].clone();
        made.push((run, shown["start_time"].as_i64().unwrap()));
    }
    let deleted = |at: i64| json!({"experiment_id": experiment, "max_timestamp_millis": at});
    let path = "/databricks/runs/delete-runs";
    assert_eq!(mount.did(path, deleted(made[1].1)).await, json!({"runs_deleted": 2}));
    let mut one = deleted(made[2].1);
    one["max_runs"] = json!(1);
    assert_eq!(mount.did(path, one).await, json!({"runs_deleted": 1}));
    assert_eq!(mount.shown(&made[2].0).await["info"]["lifecycle_stage"], "deleted");
    let restored = |at: Value| json!({"experiment_id": experiment, "min_timestamp_millis": at});
    let path = "/databricks/runs/restore-runs";
    let late = restored(json!(made[2].1 + 1000));
    assert_eq!(mount.did(path, late).await, json!({"runs_restored": 0}));
    assert_eq!(mount.did(path, restored(json!(0))).await, json!({"runs_restored": 3}));
    assert_eq!(mount.refused(path, restored(Value::Null)).await.0, 400);
}
