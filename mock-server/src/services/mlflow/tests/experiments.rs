use serde_json::json;

use super::{Mount, refusal, text};

#[tokio::test]
async fn the_first_experiment_is_number_one_because_zero_is_default() {
    let mount = Mount::plain();
    assert_eq!(mount.experiment("wine").await, "1");
    let (_, default) = mount.get("/experiments/get?experiment_id=0").await;
    assert_eq!(default["experiment"]["name"], "Default");
    assert_eq!(default["experiment"]["artifact_location"], "mlflow-artifacts:/0");
    let (_, named) = mount.get("/experiments/get-by-name?experiment_name=wine").await;
    assert_eq!(named["experiment"]["lifecycle_stage"], "active");
    assert_eq!(named["experiment"].get("tags"), None, "what is empty is left out");
}

#[tokio::test]
async fn what_is_wrong_with_an_experiment_is_said_in_the_words_of_mlflow() {
    let mount = Mount::plain();
    mount.experiment("wine").await;
    let create = "/experiments/create";
    for (body, wanted) in [
        (json!({"name": "wine"}), "Experiment(name=wine) already exists."),
        (json!({}), "Missing value for required parameter 'name'. See the API docs"),
        (json!({"name": ""}), "Missing value for required parameter 'name'."),
        (
            json!({"name": 5}),
            "Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'.",
        ),
        (json!({"name": "x".repeat(501)}), "'name' exceeds the maximum length of 500 characters"),
        (
            json!({"name": "x", "artifact_location": "runs:/a"}),
            "Artifact location cannot be a runs:/ URI.",
        ),
    ] {
        let (status, _, text) = mount.refused(create, body).await;
        assert_eq!(status, 400);
        assert!(text.starts_with(wanted), "{text}");
    }
    let (_, code, _) = mount.refused(create, json!({"name": "wine"})).await;
    assert_eq!(code, "RESOURCE_ALREADY_EXISTS");
    for (path, status, code) in [
        ("/experiments/get?experiment_id=77", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("/experiments/get?experiment_id=x", 400, "INVALID_PARAMETER_VALUE"),
        ("/experiments/get-by-name?experiment_name=beer", 404, "RESOURCE_DOES_NOT_EXIST"),
    ] {
        let refused = refusal(mount.get(path).await);
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn a_deleted_experiment_takes_its_runs_along_and_brings_them_back() {
    let (mount, run) = Mount::with_run().await;
    let id = json!({"experiment_id": "1"});
    mount.did("/experiments/delete", id.clone()).await;
    assert_eq!(mount.shown(&run).await["info"]["lifecycle_stage"], "deleted");
    let (status, _, text) = mount.refused("/runs/create", id.clone()).await;
    assert_eq!(status, 400);
    assert!(text.starts_with("The experiment 1 must be in the 'active' state."), "{text}");
    assert_eq!(mount.refused("/experiments/delete", id.clone()).await.0, 404);
    let rename = json!({"experiment_id": "1", "new_name": "beer"});
    let (status, code, _) = mount.refused("/experiments/update", rename.clone()).await;
    assert_eq!((status, code.as_str()), (500, "INVALID_STATE"));

    mount.did("/experiments/restore", id).await;
    assert_eq!(mount.shown(&run).await["info"]["lifecycle_stage"], "active");
    mount.did("/experiments/update", rename).await;
    let (_, named) = mount.get("/experiments/get-by-name?experiment_name=beer").await;
    assert_eq!(named["experiment"]["experiment_id"], "1");
    let taken = json!({"experiment_id": "1", "new_name": "Default"});
    assert_eq!(mount.refused("/experiments/update", taken).await.1, "BAD_REQUEST");
}

#[tokio::test]
async fn tags_of_an_experiment_are_set_and_removed() {
    let mount = Mount::plain();
    mount.experiment("wine").await;
    let tag = json!({"experiment_id": "1", "key": "team", "value": "a"});
    mount.did("/experiments/set-experiment-tag", tag.clone()).await;
    let (_, it) = mount.get("/experiments/get?experiment_id=1").await;
    assert_eq!(it["experiment"]["tags"], json!([{"key": "team", "value": "a"}]));
    mount.did("/experiments/delete-experiment-tag", tag.clone()).await;
    assert_eq!(mount.refused("/experiments/delete-experiment-tag", tag).await.0, 404);
}

#[tokio::test]
async fn experiments_are_searched_in_pages() {
    let mount = Mount::plain();
    for name in ["a", "b", "c"] {
        let tags = json!([{"key": "kind", "value": name}]);
        mount.did("/experiments/create", json!({"name": name, "tags": tags})).await;
    }
    mount.did("/experiments/delete", json!({"experiment_id": "2"})).await;
    let names = |body: serde_json::Value| {
        let mount = mount.clone();
        async move {
            let answer = mount.did("/experiments/search", body).await;
            let found = answer["experiments"].as_array().cloned().unwrap_or_default();
            let names: Vec<String> = found.iter().map(|it| text(&it["name"])).collect();
            (names, answer["next_page_token"].clone())
        }
    };
    let (found, next) = names(json!({"max_results": 2, "order_by": ["name DESC"]})).await;
    assert_eq!(found, ["c", "a"]);
    let page = json!({"max_results": 2, "order_by": ["name DESC"], "page_token": next});
    assert_eq!(names(page).await, (vec!["Default".to_owned()], serde_json::Value::Null));
    let all = json!({"max_results": 9, "view_type": "ALL", "filter": "name LIKE '_'"});
    assert_eq!(names(all).await.0.len(), 3);
    let tagged = json!({"max_results": 9, "filter": "tags.kind = 'a'"});
    assert_eq!(names(tagged).await.0, ["a"]);
    let numbered =
        json!({"max_results": 9, "filter": "experiment_id IN ('0', '3')", "order_by": ["name"]});
    assert_eq!(names(numbered).await.0, ["Default", "c"]);

    let (status, _, text) = mount.refused("/experiments/search", json!({})).await;
    assert_eq!(status, 400);
    assert!(text.starts_with("Invalid value 0 for parameter 'max_results' supplied."), "{text}");
    let (_, _, text) = mount.refused("/experiments/search", json!({"max_results": 50_001})).await;
    assert!(text.ends_with("It must be at most 50000"), "{text}");
}
