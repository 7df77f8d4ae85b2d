use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

const ROOT: &str = "/api/2.0/policies/clusters";

async fn create(cloud: &MockCloud, name: &str, definition: &Value) -> (u16, Value) {
    let body = json!({ "name": name, "definition": definition.to_string() });
    post(cloud, &format!("{ROOT}/create"), body).await
}

async fn cluster(cloud: &MockCloud, policy: &Value, more: Value) -> (u16, Value) {
    let mut body = json!({ "spark_version": "15.4.x-scala2.12", "policy_id": policy["policy_id"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(cloud, "/api/2.1/clusters/create", body).await
}

#[tokio::test]
async fn a_policy_is_made_changed_and_deleted() {
    let cloud = MockCloud::new();
    let (_, made) = create(&cloud, "p", &json!({})).await;
    let id = made["policy_id"].as_str().unwrap();
    assert_eq!(create(&cloud, "p", &json!({})).await.0, 400, "names are taken once");
    let edit = json!({ "policy_id": id, "name": "q", "policy_family_id": "personal-vm",
        "policy_family_definition_overrides": "{\"node_type_id\":{\"type\":\"unlimited\"}}" });
    assert_eq!(post(&cloud, &format!("{ROOT}/edit"), edit).await, (200, json!({})));
    let (_, it) = get(&cloud, &format!("{ROOT}/get?policy_id={id}")).await;
    let definition: Value = serde_json::from_str(it["definition"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&it["name"], &definition["node_type_id"]),
        (&json!("q"), &json!({ "type": "unlimited" }))
    );
    assert_eq!(get(&cloud, &format!("{ROOT}/list")).await.1["total_count"], 1);
    let named = json!({ "policy_id": id });
    assert_eq!(post(&cloud, &format!("{ROOT}/delete"), named.clone()).await.0, 200);
    assert_eq!(post(&cloud, &format!("{ROOT}/delete"), named).await.0, 404);
}

#[tokio::test]
async fn clusters_get_what_their_policy_fixes_and_defaults() {
    let cloud = MockCloud::new();
    let rules = json!({
        "node_type_id": { "type": "allowlist", "values": ["Standard_F4s"], "defaultValue": "Standard_F4s" },
        "autotermination_minutes": { "type": "fixed", "value": 20 },
        "custom_tags.team": { "type": "fixed", "value": "a" },
        "spark_conf.spark.x": { "type": "fixed", "value": "y" },
    });
    let (_, policy) = create(&cloud, "p", &rules).await;
    let (status, made) =
        cluster(&cloud, &policy, json!({ "apply_policy_default_values": true })).await;
    assert_eq!(status, 200, "{made}");
    let path = format!("/api/2.1/clusters/get?cluster_id={}", made["cluster_id"].as_str().unwrap());
    let (_, it) = get(&cloud, &path).await;
    assert_eq!(
        (&it["node_type_id"], &it["autotermination_minutes"]),
        (&json!("Standard_F4s"), &json!(20))
    );
    assert_eq!(
        (&it["custom_tags"]["team"], &it["spark_conf"]["spark.x"]),
        (&json!("a"), &json!("y"))
    );
}

#[tokio::test]
async fn clusters_outside_their_policy_are_refused_by_field() {
    let cloud = MockCloud::new();
    let rules = json!({
        "num_workers": { "type": "range", "maxValue": 3 },
        "cluster_name": { "type": "regex", "pattern": "team-.*" },
        "custom_tags.secret": { "type": "forbidden" },
        "node_type_id": { "type": "blocklist", "values": ["Standard_NC6s_v3"] },
    });
    let (_, policy) = create(&cloud, "p", &rules).await;
    let good =
        json!({ "num_workers": 3, "cluster_name": "team-a", "node_type_id": "Standard_F4s" });
    assert_eq!(cluster(&cloud, &policy, good.clone()).await.0, 200);
    let cases = [
        ("num_workers", json!(4)),
        ("cluster_name", json!("other")),
        ("custom_tags", json!({ "secret": "x" })),
        ("node_type_id", json!("Standard_NC6s_v3")),
    ];
    for (field, value) in cases {
        let mut bad = good.clone();
        bad[field] = value;
        let (status, refused) = cluster(&cloud, &policy, bad).await;
        let text = refused["message"].as_str().unwrap();
        assert!(
            status == 400 && text.contains(&format!("Validation failed for {field}")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_definition_that_is_none_is_refused() {
    let cloud = MockCloud::new();
    assert_eq!(create(&cloud, "p", &json!({ "x": { "type": "odd" } })).await.0, 400);
    assert_eq!(create(&cloud, "p", &json!({ "x": { "type": "fixed" } })).await.0, 400);
    let (status, it) = post(&cloud, &format!("{ROOT}/create"), json!({ "name": "p" })).await;
    assert_eq!(
        (status, &it["message"]),
        (400, &json!("One of definition and policy_family_id is required"))
    );
}

#[tokio::test]
async fn families_are_listed_in_pages() {
    let cloud = MockCloud::new();
    let (_, page) = get(&cloud, "/api/2.0/policy-families?max_results=3").await;
    assert_eq!(
        (page["policy_families"].as_array().unwrap().len(), &page["next_page_token"]),
        (3, &json!("3"))
    );
    assert_eq!(
        get(&cloud, "/api/2.0/policy-families/personal-vm").await.1["name"],
        "Personal Compute"
    );
    assert_eq!(get(&cloud, "/api/2.0/policy-families/none").await.0, 404);
}
