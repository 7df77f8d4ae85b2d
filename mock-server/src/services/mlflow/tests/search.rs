use serde_json::{Value, json};

use super::{Mount, text};

async fn found(mount: &Mount, mut body: Value) -> Vec<String> {
    body["experiment_ids"] = json!(["1"]);
    let answer = mount.did("/runs/search", body).await;
    let runs = answer["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|it| text(&it["info"]["run_name"])).collect()
}

/// Runs a, b, c and d, of which d has nothing.
async fn with_runs() -> Mount {
    let mount = Mount::plain();
    mount.experiment("wine").await;
    for (at, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let new =
            json!({"experiment_id": "1", "run_name": name, "start_time": 10 + at, "user_id": "me"});
        let run = text(&mount.did("/runs/create", new).await["run"]["info"]["run_id"]);
        if name == "d" {
            continue;
        }
        let value = if name == "c" { json!("NaN") } else { json!(at) };
        let batch = json!({"run_id": run, "metrics": [{"key": "acc", "value": value, "timestamp": 1}],
            "params": [{"key": "lr", "value": format!("1e-{at}")}], "tags": [{"key": "kind", "value": name}]});
        mount.did("/runs/log-batch", batch).await;
        let dataset = json!({"name": format!("data-{name}"), "digest": "x", "source_type": "t", "source": "s"});
        let tags = json!([{"key": "mlflow.data.context", "value": "train"}]);
        mount
            .did(
                "/runs/log-inputs",
                json!({"run_id": run, "datasets": [{"dataset": dataset, "tags": tags}]}),
            )
            .await;
    }
    mount
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let mount = with_runs().await;
    for (filter, wanted) in [
        ("", "dcba"),
        ("metrics.acc >= 0", "ba"),
        ("metrics.acc != 0", "cb"),
        ("params.lr = '1e-1'", "b"),
        ("params.lr != '1e-1'", "ca"),
        ("params.lr IS NULL", "d"),
        ("tags.kind IS NOT NULL and tags.kind LIKE '_'", "cba"),
        ("tags.kind ILIKE 'A'", "a"),
        ("run_name = 'd'", "d"),
        ("attributes.`Run name` LIKE '%'", "dcba"),
        ("start_time > 11", "dc"),
        ("created <= 11 AND user_id = 'me'", "ba"),
        ("end_time > 0", ""),
        ("status = 'RUNNING' AND artifact_uri LIKE 'mlflow-artifacts:/1/%'", "dcba"),
        ("dataset.name IN ('data-a', 'data-b')", "ba"),
        ("datasets.context = 'train' AND dataset.digest = 'x'", "cba"),
        ("metrics.acc > 0 AND metrics.acc < 1", ""),
    ] {
        let names = found(&mount, json!({"filter": filter})).await.concat();
        assert_eq!(names, wanted, "{filter}");
    }
}

#[tokio::test]
async fn what_is_missing_comes_last_in_both_directions() {
    let mount = with_runs().await;
    for (order, wanted) in [
        ("metrics.acc ASC", "abcd"),
        ("metrics.acc DESC", "bacd"),
        ("params.lr DESC", "cbad"),
        ("start_time", "abcd"),
        ("run_name DESC", "dcba"),
        ("tags.`kind` asc", "abcd"),
    ] {
        let names = found(&mount, json!({"order_by": [order]})).await.concat();
        assert_eq!(names, wanted, "{order}");
    }
}

#[tokio::test]
async fn paging_loses_nothing() {
    let mount = with_runs().await;
    let (mut names, mut token) = (String::new(), Value::Null);
    loop {
        let mut body = json!({"experiment_ids": ["1"], "max_results": 3});
        if !token.is_null() {
            body["page_token"] = token;
        }
        let answer = mount.did("/runs/search", body).await;
        for it in answer["runs"].as_array().unwrap() {
            names.push_str(&text(&it["info"]["run_name"]));
        }
        token = answer["next_page_token"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(names, "dcba");
}

#[tokio::test]
async fn deleted_runs_are_found_by_those_who_ask_for_them() {
    let mount = with_runs().await;
    let answer = mount
        .did("/runs/search", json!({"experiment_ids": ["1"], "filter": "run_name = 'a'"}))
        .await;
    let id = text(&answer["runs"][0]["info"]["run_id"]);
    mount.did("/runs/delete", json!({"run_id": id})).await;
    for (view, wanted) in [("ACTIVE_ONLY", "dcb"), ("DELETED_ONLY", "a"), ("ALL", "dcba")] {
        assert_eq!(found(&mount, json!({"run_view_type": view})).await.concat(), wanted);
    }
    assert_eq!(found(&mount, json!({"run_view_type": 2})).await.concat(), "a");
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused() {
    let mount = with_runs().await;
    for (body, wanted) in [
        (json!({"filter": "metrics.acc ~ 3"}), "Invalid comparator '~'"),
        (json!({"filter": 5}), "Invalid value 5 for parameter 'filter' supplied:"),
        (
            json!({"max_results": 0}),
            "Invalid value 0 for parameter 'max_results' supplied. It must be",
        ),
        (
            json!({"max_results": 50_001}),
            "Invalid value 50001 for parameter 'max_results' supplied",
        ),
        (json!({"order_by": ["x.y"]}), "Invalid entity type 'x'."),
        (json!({"page_token": "e30="}), "Invalid page token, parsed value={}"),
        (
            json!({"experiment_ids": ["x"]}),
            "Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
        ),
    ] {
        let (status, _, text) = mount.refused("/runs/search", body).await;
        assert_eq!(status, 400);
        assert!(text.starts_with(wanted), "{text}");
    }
}
