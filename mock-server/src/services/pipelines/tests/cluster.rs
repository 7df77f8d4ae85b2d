use serde_json::{Value, json};

use super::{
    attached, body, in_history, literals, notebook, seconds, statuses, step_run, submit, task,
};
use crate::{MockCloud, services::databricks::tests as databricks};

/// A notebook whose cluster is described by `pairs`.
async fn on(cloud: &MockCloud, name: &str, pairs: &[(&str, &str)]) -> Value {
    let mut node = notebook(cloud, name).await;
    let mut described = literals(pairs);
    described
        .as_array_mut()
        .unwrap()
        .extend(literals(&[("compute_name", "dbx")]).as_array().cloned().unwrap());
    node["ModuleMetadataParameters"] = described;
    node
}

/// The cluster that was made for a step, as the Clusters API shows it.
async fn cluster(cloud: &MockCloud, run: &str, node: &str) -> Value {
    let found = task(cloud, run, node).await;
    let id = found["cluster_instance"]["cluster_id"].as_str().unwrap_or_else(|| panic!("{found}"));
    let path = format!("/api/2.1/clusters/get?cluster_id={id}");
    databricks::get(cloud, &path).await.1
}

/// The words with which a step failed.
async fn failure(cloud: &MockCloud, run: &str, node: &str) -> String {
    assert_eq!(
        statuses(cloud, run, &[node]).await,
        [format!("{node} Failed"), "Failed".to_owned()]
    );
    let error = in_history(cloud, &step_run(cloud, run, node)).await;
    error["error"]["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_step_says_of_its_cluster_reaches_databricks() {
    let cloud = attached(json!([])).await;
    let pool = json!({ "instance_pool_name": "p", "node_type_id": "Standard_DS4_v2" });
    let (_, pool) = databricks::post(&cloud, "/api/2.0/instance-pools/create", pool).await;
    let pool = pool["instance_pool_id"].as_str().unwrap();
    let node = on(
        &cloud,
        "one",
        &[
            ("spark_version", "15.4.x-scala2.12"),
            ("instance_pool_id", pool),
            ("min_workers", "1"),
            ("max_workers", "4"),
            ("spark_conf", "spark.a=1;spark.b=x y"),
            ("spark_env_vars", "A=b"),
            ("init_scripts", "dbfs:/init.sh,/Volumes/a/b/c.sh,/Users/me/d.sh"),
            ("cluster_log_dbfs_path", "dbfs:/logs"),
        ],
    )
    .await;
    let run = submit(&cloud, &body(&[node], &[])).await;
    let found = cluster(&cloud, &run, "one").await;
    for (field, value) in [
        ("instance_pool_id", json!(pool)),
        ("node_type_id", json!("Standard_DS4_v2")),
        ("autoscale", json!({ "min_workers": 1, "max_workers": 4 })),
        ("spark_conf", json!({ "spark.a": "1", "spark.b": "x y" })),
        ("spark_env_vars", json!({ "A": "b" })),
        (
            "init_scripts",
            json!([
                { "dbfs": { "destination": "dbfs:/init.sh" } },
                { "volumes": { "destination": "/Volumes/a/b/c.sh" } },
                { "workspace": { "destination": "/Users/me/d.sh" } },
            ]),
        ),
        ("cluster_log_conf", json!({ "dbfs": { "destination": "dbfs:/logs" } })),
    ] {
        assert_eq!(found[field], value, "{field}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_library_reaches_databricks() {
    let cloud = attached(json!([{ "task": "*", "result": "RUNNING" }])).await;
    let mut node = notebook(&cloud, "one").await;
    let libraries = literals(&[
        ("pypi_libraries", "package=a==1|repo=https://x.test;package=b"),
        ("rcran_libraries", "package=c"),
        ("maven_libraries", "coordinates=g:a:1|repo=r|exclusions=x:y,z:w"),
        ("jar_libraries", "dbfs:/a.jar,dbfs:/b.jar"),
        ("egg_libraries", "dbfs:/c.egg,dbfs:/d.whl"),
    ]);
    let parameters = node["ModuleMetadataParameters"].as_array_mut().unwrap();
    parameters.extend(libraries.as_array().cloned().unwrap());
    let run = submit(&cloud, &body(&[node], &[])).await;
    assert_eq!(
        task(&cloud, &run, "one").await["libraries"],
        json!([
            { "pypi": { "package": "a==1", "repo": "https://x.test" } },
            { "pypi": { "package": "b" } },
            { "cran": { "package": "c" } },
            { "maven": { "coordinates": "g:a:1", "repo": "r", "exclusions": ["x:y", "z:w"] } },
            { "jar": "dbfs:/a.jar" },
            { "jar": "dbfs:/b.jar" },
            { "egg": "dbfs:/c.egg" },
            { "whl": "dbfs:/d.whl" },
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_uses_the_cluster_that_it_names_and_starts_it_if_it_may() {
    let cloud = attached(json!([])).await;
    let source = json!({
        "path": "/Shared/nb", "format": "SOURCE", "language": "PYTHON", "content": "MQ==",
    });
    assert_eq!(databricks::post(&cloud, "/api/2.0/workspace/import", source).await.0, 200);
    let spec = json!({
        "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1,
    });
    let (_, made) = databricks::post(&cloud, "/api/2.1/clusters/create", spec).await;
    let id = made["cluster_id"].as_str().unwrap().to_owned();
    seconds(300).await;
    let run_with = async |more: &[(&str, &str)]| {
        let pairs: Vec<_> =
            [("existing_cluster_id", id.as_str())].iter().chain(more).copied().collect();
        let node = on(&cloud, "one", &pairs).await;
        submit(&cloud, &body(&[node], &[])).await
    };
    let run = run_with(&[]).await;
    assert_eq!(task(&cloud, &run, "one").await["existing_cluster_id"], id);
    seconds(120).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Finished", "Finished"]);

    databricks::post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": id })).await;
    seconds(60).await;
    let run = run_with(&[("permit_cluster_restart", "False")]).await;
    let text = format!("Cluster {id} is in state TERMINATED, and permit_cluster_restart is False");
    assert_eq!(failure(&cloud, &run, "one").await, text);

    let run = run_with(&[("permit_cluster_restart", "True")]).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Queued", "Running"]);
    seconds(600).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Finished", "Finished"]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_cannot_start_fails_the_step_as_databricks_says() {
    let quota = "Cluster 0101-000000-abc was terminated. Reason: AZURE_QUOTA_EXCEEDED_EXCEPTION";
    let cloud =
        attached(json!([{ "task": "greedy", "result": "FAILED", "cluster_error": quota }])).await;
    let new = [("spark_version", "15.4.x-scala2.12"), ("num_workers", "1")];
    let machine = ("node_type_id", "Standard_DS3_v2");
    let cases = [
        ("greedy", vec![machine], quota),
        ("lost", vec![("existing_cluster_id", "no-such-1")], "Cluster no-such-1 does not exist"),
        (
            "poolless",
            vec![("instance_pool_id", "no-such-pool")],
            "Instance pool no-such-pool does not exist",
        ),
        ("many", vec![machine, ("num_workers", "many")], "num_workers must be a whole number"),
    ];
    for (name, more, message) in cases {
        let pairs: Vec<_> = more.into_iter().chain(new).collect();
        let node = on(&cloud, name, &pairs).await;
        let run = submit(&cloud, &body(&[node], &[])).await;
        assert_eq!(failure(&cloud, &run, name).await, message, "{name}");
        if name == "greedy" {
            let task = task(&cloud, &run, name).await;
            assert_eq!(task["status"]["termination_details"]["code"], "CLUSTER_ERROR");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_a_rule_decides_needs_no_cluster_and_so_no_pool() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS" }])).await;
    let asked = [("instance_pool_id", "pool-1"), ("num_workers", "1")];
    let runtime = [("spark_version", "15.4.x-scala2.12")];
    let node = on(&cloud, "one", &[&asked[..], &runtime[..]].concat()).await;
    let run = submit(&cloud, &body(&[node], &[])).await;
    seconds(600).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Finished", "Finished"]);
}
