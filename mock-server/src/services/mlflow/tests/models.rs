use serde_json::{Value, json};

use super::{Mount, refusal, text};

async fn model(mount: &Mount, name: &str, run: &str) -> String {
    let new = json!({"experiment_id": "1", "name": name, "source_run_id": run,
        "params": [{"key": "depth", "value": "3"}], "tags": [{"key": "kind", "value": name}]});
    let made = mount.did("/logged-models", new).await;
    text(&made["model"]["info"]["model_id"])
}

#[tokio::test]
async fn a_logged_model_lives_until_it_is_deleted() {
    let (mount, run) = Mount::with_run().await;
    let id = model(&mount, "trees", &run).await;
    assert!(id.starts_with("m-") && id.len() == 34, "{id}");
    let at = format!("/logged-models/{id}");
    let (_, shown) = mount.get(&at).await;
    let info = &shown["model"]["info"];
    assert_eq!(info["status"], "LOGGED_MODEL_PENDING");
    assert_eq!(info["artifact_uri"], format!("mlflow-artifacts:/1/models/{id}/artifacts"));

    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"}).to_string();
    let (_, shown) = mount.ask("PATCH", &at, &ready).await;
    assert_eq!(shown["model"]["info"]["status"], "LOGGED_MODEL_READY");
    let tags = json!({"tags": [{"key": "t", "value": "1"}]}).to_string();
    mount.ask("PATCH", &format!("{at}/tags"), &tags).await;
    assert_eq!(mount.ask("DELETE", &format!("{at}/tags/t"), "").await.0, 200);
    let (status, _, text) = refusal(mount.ask("DELETE", &format!("{at}/tags/t"), "").await);
    assert_eq!(
        (status, text),
        (404, format!("No tag with key 't' found for model with ID '{id}'."))
    );
    mount
        .did(
            &format!("{at}/params"),
            json!({"model_id": id, "params": [{"key": "p", "value": "1"}]}),
        )
        .await;
    let (_, shown) = mount.get(&at).await;
    assert_eq!(shown["model"]["data"]["params"].as_array().unwrap().len(), 2);

    assert_eq!(mount.ask("DELETE", &at, "").await.0, 200);
    let (status, _, text) = refusal(mount.get(&at).await);
    assert_eq!((status, text), (404, format!("Logged model with ID '{id}' not found.")));
    assert_eq!(mount.get(&format!("{at}?allow_deleted=true")).await.0, 200);
}

#[tokio::test]
async fn logged_models_are_found_by_what_runs_measured_of_them() {
    let (mount, run) = Mount::with_run().await;
    let (small, large) = (model(&mount, "small", &run).await, model(&mount, "large", &run).await);
    for (id, value) in [(&small, 0.2), (&large, 0.9)] {
        let metric = json!({"run_id": run, "key": "acc", "value": value, "timestamp": 1,
            "model_id": id, "dataset_name": "wine", "dataset_digest": "d"});
        mount.did("/runs/log-metric", metric).await;
    }
    let names = |mut body: Value| {
        let mount = mount.clone();
        body["experiment_ids"] = json!(["1"]);
        async move {
            let answer = mount.did("/logged-models/search", body).await;
            let found = answer["models"].as_array().cloned().unwrap_or_default();
            found.iter().map(|it| text(&it["info"]["name"])).collect::<Vec<_>>()
        }
    };
    for (filter, wanted) in [
        ("metrics.acc > 0.5", &["large"][..]),
        ("name = 'small' AND params.depth = '3'", &["small"]),
        ("model_type = ''", &["large", "small"]),
        ("status = 'PENDING' AND creation_time > 0", &["large", "small"]),
    ] {
        let mut found = names(json!({"filter": filter})).await;
        found.sort();
        assert_eq!(found, wanted, "{filter}");
    }
    let order = json!([{"field_name": "metrics.acc", "ascending": true, "dataset_name": "wine"}]);
    assert_eq!(names(json!({"order_by": order})).await, ["small", "large"]);
    assert_eq!(names(json!({"datasets": [{"dataset_name": "other"}]})).await, [""; 0]);
    let (_, shown) = mount.get(&format!("/logged-models/{large}")).await;
    assert_eq!(shown["model"]["data"]["metrics"][0]["dataset_name"], "wine");

    for (body, wanted) in [
        (json!({"filter": "x.y = 'a'"}), "Invalid entity type: 'x'. Expected one of"),
        (json!({"filter": "metrics.acc > 1 OR name = 'a'"}), "Invalid filter string:"),
        (
            json!({"filter": "metrics.acc LIKE 1"}),
            "Invalid comparison operator for metrics.acc: 'LIKE'.",
        ),
        (
            json!({"order_by": [{"field_name": "params.x"}]}),
            "Invalid order by field name: params.x.",
        ),
        (json!({"datasets": [{"dataset_digest": "d"}]}), "`dataset_name` in the `datasets` clause"),
    ] {
        let mut body = body;
        body["experiment_ids"] = json!(["1"]);
        let (_, _, text) = mount.refused("/logged-models/search", body).await;
        assert!(text.starts_with(wanted), "{text}");
    }
    let none = mount.refused("/logged-models/search", json!({})).await.2;
    assert!(none.starts_with("Missing value for required parameter 'experiment_ids'."), "{none}");
}

#[tokio::test]
async fn a_model_needs_a_plain_name_and_an_experiment() {
    let (mount, _) = Mount::with_run().await;
    let bad = json!({"experiment_id": "1", "name": "a/b"});
    assert!(mount.refused("/logged-models", bad).await.2.starts_with("Invalid model name ('a/b')"));
    assert_eq!(mount.refused("/logged-models", json!({"experiment_id": "9"})).await.0, 404);
    let (_, _, text) = mount.refused("/runs/log-metric", json!({"run_id": "x"})).await;
    assert!(text.starts_with("Missing value for required parameter 'key'."), "{text}");
}
