use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

/// A cluster that runs, and a context on it.
pub(super) async fn context(cloud: &MockCloud) -> (String, String) {
    let body = json!({
        "cluster_name": "c", "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2", "num_workers": 0,
    });
    let (_, made) = post(cloud, "/api/2.1/clusters/create", body).await;
    let cluster_id = made["cluster_id"].as_str().unwrap().to_owned();
    let body = json!({ "clusterId": cluster_id, "language": "python" });
    let (status, made) = post(cloud, "/api/1.2/contexts/create", body).await;
    assert_eq!(status, 200, "{made}");
    (cluster_id, made["id"].as_str().unwrap().to_owned())
}

fn cloud() -> MockCloud {
    MockCloud::builder().with_delay(0.0).build().unwrap()
}

#[tokio::test]
async fn without_an_executor_a_command_ends_at_once_and_says_that_nothing_ran() {
    let cloud = cloud();
    let (cluster, context) = context(&cloud).await;
    let at = format!("clusterId={cluster}&contextId={context}");
    let (_, status) = get(&cloud, &format!("/api/1.2/contexts/status?{at}")).await;
    assert_eq!(status, json!({ "id": context, "status": "Running" }));
    let body = json!({
        "clusterId": cluster, "contextId": context, "language": "python", "command": "1",
    });
    let (_, made) = post(&cloud, "/api/1.2/commands/execute", body).await;
    let command = made["id"].as_str().unwrap();
    let path = format!("/api/1.2/commands/status?{at}&commandId={command}");
    let (_, status) = get(&cloud, &path).await;
    let text = "azml-mock has not run this command: it was started without --executor local";
    assert_eq!(
        status,
        json!({
            "id": command, "status": "Finished",
            "results": { "resultType": "text", "data": text },
        })
    );
    let body = json!({ "clusterId": cluster, "contextId": context, "commandId": command });
    assert_eq!(post(&cloud, "/api/1.2/commands/cancel", body).await.0, 200);
    assert_eq!(get(&cloud, &path).await.1["status"], "Finished", "what is over stays so");
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_refused_in_the_words_of_version_1_2() {
    let cloud = cloud();
    let (cluster, context) = context(&cloud).await;
    let refused = async |path: &str, body: Value| {
        let (status, refusal) = post(&cloud, &format!("/api/1.2/{path}"), body).await;
        assert_eq!(refusal["error_code"], Value::Null);
        (status, refusal["error"].as_str().unwrap().to_owned())
    };
    let missing = |it: &str| (400, format!("RuntimeException: requirement failed: missing {it}"));
    assert_eq!(
        refused("commands/execute", json!({ "clusterId": "x" })).await,
        missing("contextId")
    );
    assert_eq!(
        refused("contexts/create", json!({ "language": "sql" })).await,
        missing("clusterId")
    );
    let body = json!({ "clusterId": cluster, "contextId": context, "language": "sql" });
    assert_eq!(refused("commands/execute", body).await, missing("command"));
    let body = json!({ "clusterId": "nope", "language": "python" });
    let text = "RuntimeException: Cluster nope does not exist".to_owned();
    assert_eq!(refused("contexts/create", body).await, (400, text));
    let body = json!({ "clusterId": cluster, "contextId": "1", "command": "1" });
    let text = format!("ContextNotFound: Context 1 does not exist on cluster {cluster}");
    assert_eq!(refused("commands/execute", body).await, (404, text));
    let body = json!({ "clusterId": cluster, "contextId": context, "commandId": "1" });
    let text = "CommandNotFound: Command 1 does not exist in this context".to_owned();
    assert_eq!(refused("commands/cancel", body).await, (404, text));
}

#[tokio::test]
async fn contexts_end_when_they_are_destroyed_and_with_their_cluster() {
    let cloud = cloud();
    let (cluster, context) = context(&cloud).await;
    let body = json!({ "clusterId": cluster, "contextId": context });
    assert_eq!(
        post(&cloud, "/api/1.2/contexts/destroy", body.clone()).await,
        (200, json!({ "id": context }))
    );
    assert_eq!(post(&cloud, "/api/1.2/contexts/destroy", body).await.0, 404);

    let body = json!({ "clusterId": cluster, "language": "sql" });
    let (_, made) = post(&cloud, "/api/1.2/contexts/create", body.clone()).await;
    let context = made["id"].as_str().unwrap();
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": cluster })).await;
    let path = format!("/api/1.2/contexts/status?clusterId={cluster}&contextId={context}");
    assert_eq!(get(&cloud, &path).await.0, 404);
    let (status, refusal) = post(&cloud, "/api/1.2/contexts/create", body).await;
    let text = format!("ClusterNotRunningException: Cluster {cluster} is not running");
    assert_eq!((status, &refusal["error"]), (400, &json!(text)));
}

#[tokio::test]
async fn a_cluster_has_a_limit_of_contexts() {
    let cloud = cloud();
    let (cluster, _) = context(&cloud).await;
    let body = json!({ "clusterId": cluster, "language": "python" });
    for _ in 1..150 {
        assert_eq!(post(&cloud, "/api/1.2/contexts/create", body.clone()).await.0, 200);
    }
    let (status, refusal) = post(&cloud, "/api/1.2/contexts/create", body).await;
    let text =
        "TooManyExecutionContexts: Too many execution contexts are open right now (limit 150)";
    assert_eq!((status, &refusal["error"]), (400, &json!(text)));
}
