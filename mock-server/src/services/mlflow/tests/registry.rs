use serde_json::{Value, json};

use super::{Mount, refusal, text};

async fn with_versions(count: usize) -> (Mount, String) {
    let (mount, run) = Mount::with_run().await;
    let new = json!({"name": "wine", "description": "d", "tags": [{"key": "a", "value": "b"}]});
    mount.did("/registered-models/create", new).await;
    for _ in 0..count {
        let version = json!({"name": "wine", "source": format!("runs:/{run}/m"), "run_id": run});
        mount.did("/model-versions/create", version).await;
    }
    (mount, run)
}

fn at(version: u64) -> Value {
    json!({"name": "wine", "version": version.to_string()})
}

async fn send(mount: &Mount, method: &str, path: &str, body: Value) -> (u16, Value) {
    mount.ask(method, path, &body.to_string()).await
}

#[tokio::test]
async fn a_registered_model_is_changed_renamed_and_deleted_with_its_versions() {
    let (mount, _) = with_versions(1).await;
    let (_, _, text) = mount.refused("/registered-models/create", json!({"name": "wine"})).await;
    assert_eq!(text, "Registered Model (name=wine) already exists.");
    let change = json!({"name": "wine", "description": "new"});
    let (_, it) = send(&mount, "PATCH", "/registered-models/update", change).await;
    assert_eq!(it["registered_model"]["description"], "new");
    mount
        .did("/registered-models/set-tag", json!({"name": "wine", "key": "c", "value": "d"}))
        .await;
    let tag = json!({"name": "wine", "key": "a"});
    assert_eq!(send(&mount, "DELETE", "/registered-models/delete-tag", tag).await.0, 200);
    mount
        .did("/registered-models/alias", json!({"name": "wine", "alias": "best", "version": "1"}))
        .await;

    let rename = json!({"name": "wine", "new_name": "beer"});
    let it = mount.did("/registered-models/rename", rename).await;
    let model = &it["registered_model"];
    assert_eq!(model["tags"], json!([{"key": "c", "value": "d"}]));
    assert_eq!(model["aliases"], json!([{"alias": "best", "version": "1"}]));
    assert_eq!(model["latest_versions"][0]["name"], "beer");
    assert_eq!(
        refusal(mount.get("/registered-models/get?name=wine").await).2,
        "Registered Model with name=wine not found"
    );
    assert_eq!(
        send(&mount, "DELETE", "/registered-models/delete", json!({"name": "beer"})).await.0,
        200
    );
    let gone = refusal(mount.get("/model-versions/get?name=beer&version=1").await);
    assert_eq!((gone.0, gone.2.as_str()), (404, "Model Version (name=beer, version=1) not found"));
    for (name, wanted) in [
        ("a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
        (" ", "Missing value for required parameter 'name'."),
        ("..", "Invalid value \"..\" for parameter 'name' supplied: Names may be treated"),
    ] {
        let refused = mount.refused("/registered-models/create", json!({"name": name})).await;
        assert!(refused.2.starts_with(wanted), "{}", refused.2);
    }
}

#[tokio::test]
async fn stages_are_moved_and_archived() {
    let (mount, _) = with_versions(2).await;
    let stage = |version: u64, stage: &str, archives: bool| {
        let mut body = at(version);
        body["stage"] = stage.into();
        body["archive_existing_versions"] = archives.into();
        body
    };
    mount.did("/model-versions/transition-stage", stage(1, "production", false)).await;
    let moved = mount.did("/model-versions/transition-stage", stage(2, "PRODUCTION", true)).await;
    assert_eq!(moved["model_version"]["current_stage"], "Production");
    let (_, first) = mount.get("/model-versions/get?name=wine&version=1").await;
    assert_eq!(first["model_version"]["current_stage"], "Archived");
    let latest = json!({"name": "wine", "stages": ["Production"]});
    let latest = mount.did("/registered-models/get-latest-versions", latest).await;
    assert_eq!(latest["model_versions"].as_array().unwrap().len(), 1);
    let (_, _, text) =
        mount.refused("/model-versions/transition-stage", stage(1, "x", false)).await;
    assert_eq!(
        text,
        "Invalid Model Version stage: x. Value must be one of None, Staging, Production, Archived."
    );
    assert_eq!(
        mount.refused("/model-versions/transition-stage", stage(1, "None", true)).await.0,
        500
    );
}

#[tokio::test]
async fn an_alias_points_to_one_version_and_goes_with_it() {
    let (mount, _) = with_versions(2).await;
    let alias = |name: &str, version: u64| {
        let mut body = at(version);
        body["alias"] = name.into();
        body
    };
    for version in [1, 2] {
        mount.did("/registered-models/alias", alias("best", version)).await;
    }
    let path = "/registered-models/alias?name=wine&alias=best";
    assert_eq!(mount.get(path).await.1["model_version"]["version"], "2");
    assert_eq!(mount.get(path).await.1["model_version"]["aliases"], json!(["best"]));
    let latest = mount.get("/registered-models/alias?name=wine&alias=latest").await.1;
    assert_eq!(latest["model_version"]["version"], "2");
    for (name, wanted) in [
        ("latest", "'latest' alias name (case insensitive) is reserved."),
        ("v12", "Version alias name 'v12' is reserved."),
        ("a b", "Invalid alias name: 'a b'."),
    ] {
        let refused = mount.refused("/registered-models/alias", alias(name, 1)).await;
        assert!(refused.2.starts_with(wanted), "{}", refused.2);
    }
    assert_eq!(send(&mount, "DELETE", "/model-versions/delete", at(2)).await.0, 200);
    let gone = refusal(mount.get(path).await);
    assert_eq!(gone.2, "Registered model alias best not found.");
    mount.did("/registered-models/alias", alias("other", 1)).await;
    let other = json!({"name": "wine", "alias": "other"});
    assert_eq!(send(&mount, "DELETE", "/registered-models/alias", other).await.0, 200);
}

#[tokio::test]
async fn a_version_number_is_never_used_again() {
    let (mount, run) = with_versions(2).await;
    assert_eq!(send(&mount, "DELETE", "/model-versions/delete", at(2)).await.0, 200);
    let new =
        json!({"name": "wine", "source": format!("runs:/{run}/m"), "run_id": run, "run_link": "l"});
    let made = mount.did("/model-versions/create", new).await;
    assert_eq!(made["model_version"]["version"], "3");
    let (_, uri) = mount.get("/model-versions/get-download-uri?name=wine&version=3").await;
    assert_eq!(uri["artifact_uri"], format!("runs:/{run}/m"));
    let change = json!({"name": "wine", "version": "3", "description": "new"});
    let (_, it) = send(&mount, "PATCH", "/model-versions/update", change).await;
    assert_eq!(it["model_version"]["description"], "new");
    let tag = json!({"name": "wine", "version": "3", "key": "k", "value": "v"});
    mount.did("/model-versions/set-tag", tag.clone()).await;
    let (_, it) = mount.get("/model-versions/get?name=wine&version=3").await;
    assert_eq!(it["model_version"]["tags"], json!([{"key": "k", "value": "v"}]));
    assert_eq!(send(&mount, "DELETE", "/model-versions/delete-tag", tag).await.0, 200);
    let (status, _, text) = refusal(mount.get("/model-versions/get?name=wine&version=x").await);
    assert_eq!((status, text.as_str()), (400, "Parameter 'version' must be an integer, got 'x'."));
}

#[tokio::test]
async fn sources_that_lead_elsewhere_are_refused() {
    let (mount, run) = with_versions(0).await;
    for (source, wanted) in [
        ("/tmp/model".to_owned(), "To use a local path as a model version source"),
        ("file:///tmp/model".to_owned(), "To use a local path as a model version source"),
        ("mlflow-artifacts:/1/../2".to_owned(), "an absolute path must be provided"),
        ("mlflow-artifacts:/1/..%2f2".to_owned(), "an absolute path must be provided"),
        ("runs:/other/m".to_owned(), "The run_id request parameter must identify the resource"),
    ] {
        let body = json!({"name": "wine", "source": source, "run_id": run});
        let (status, _, text) = mount.refused("/model-versions/create", body).await;
        assert_eq!(status, 400);
        assert!(text.contains(wanted), "{text}");
    }
    let lost = json!({"name": "beer", "source": "s3://b/m"});
    assert_eq!(mount.refused("/model-versions/create", lost).await.0, 404);
}

#[tokio::test]
async fn a_version_of_a_logged_model_knows_where_it_is() {
    let (mount, run) = with_versions(0).await;
    let new = json!({"experiment_id": "1", "name": "m", "source_run_id": run});
    let id = text(&mount.did("/logged-models", new).await["model"]["info"]["model_id"]);
    let version = json!({"name": "wine", "source": format!("models:/{id}"), "model_id": id});
    let made = mount.did("/model-versions/create", version).await;
    assert_eq!(made["model_version"]["run_id"], json!(run), "the run of the model");
    let (_, uri) = mount.get("/model-versions/get-download-uri?name=wine&version=1").await;
    assert_eq!(uri["artifact_uri"], format!("mlflow-artifacts:/1/models/{id}/artifacts"));
    let (_, model) = mount.get(&format!("/logged-models/{id}")).await;
    assert!(model.to_string().contains("mlflow.modelVersions"), "{model}");
    let copied = json!({"name": "wine", "source": "models:/wine/1"});
    mount.did("/model-versions/create", copied).await;
    let (_, copy) = mount.get("/model-versions/get-download-uri?name=wine&version=2").await;
    assert_eq!(copy, uri);
}

#[tokio::test]
async fn the_registry_is_searched_without_prompts_unless_they_are_asked_for() {
    let (mount, run) = with_versions(2).await;
    let prompt = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    mount.did("/registered-models/create", json!({"name": "ask", "tags": prompt})).await;
    let found = |kind: &'static str, filter: &'static str| {
        let mount = mount.clone();
        async move {
            let body = json!({"filter": filter}).to_string();
            let (status, answer) = mount.ask("POST", &format!("/{kind}/search"), &body).await;
            assert_eq!(status, 200, "{filter}: {answer}");
            let list = answer[kind.replace('-', "_")].as_array().cloned().unwrap_or_default();
            list.iter()
                .map(|it| format!("{}{}", text(&it["name"]), it["version"].as_str().unwrap_or("")))
                .collect::<Vec<_>>()
        }
    };
    let models = "registered-models";
    assert_eq!(found(models, "").await, ["wine"]);
    assert_eq!(found(models, "tags.`mlflow.prompt.is_prompt` = 'true'").await, ["ask"]);
    assert_eq!(found(models, "tag.`mlflow.prompt.is_prompt` != 'true'").await, ["wine"]);
    assert_eq!(found(models, "name ILIKE 'W%' AND tags.a = 'b'").await, ["wine"]);
    assert_eq!(found(models, "name IN ('x')").await, [""; 0]);
    let versions = "model-versions";
    assert_eq!(found(versions, "version_number < 2").await, ["wine1"]);
    assert_eq!(found(versions, "source_path LIKE 'runs:/%'").await, ["wine2", "wine1"]);
    let by_run = format!(
        "/model-versions/search?filter=run_id%20%3D%20%27{run}%27&max_results=1&order_by=version_number"
    );
    let (_, page) = mount.get(&by_run).await;
    assert_eq!(page["model_versions"][0]["version"], "1");
    assert!(page["next_page_token"].is_string());
    for (kind, body, wanted) in [
        (models, json!({"filter": "run_id = 'x'"}), "Invalid attribute key 'run_id' specified."),
        (models, json!({"order_by": ["x"]}), "Invalid order by key 'x' specified."),
        (models, json!({"max_results": 1001}), "Invalid value 1001 for parameter 'max_results'"),
        (versions, json!({"filter": "name > 'x'"}), "Invalid comparator for attribute: >"),
        (
            versions,
            json!({"max_results": 0}),
            "Invalid value for max_results. It must be a positive",
        ),
    ] {
        let refused = mount.refused(&format!("/{kind}/search"), body).await;
        assert!(refused.2.starts_with(wanted), "{}", refused.2);
    }
}
