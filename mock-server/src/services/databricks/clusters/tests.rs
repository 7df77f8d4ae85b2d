use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

pub(in crate::services::databricks) async fn create(cloud: &MockCloud, more: Value) -> String {
    let mut body = json!({
        "cluster_name": "c", "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2", "num_workers": 1,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, made) = post(cloud, "/api/2.1/clusters/create", body).await;
    assert_eq!(status, 200, "{made}");
    made["cluster_id"].as_str().unwrap().to_owned()
}

async fn state(cloud: &MockCloud, id: &str) -> Value {
    get(cloud, &format!("/api/2.0/clusters/get?cluster_id={id}")).await.1["state"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_cluster_lives_as_long_as_it_is_wanted() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let by_id = json!({ "cluster_id": id });
    assert_eq!(state(&cloud, &id).await, "PENDING");
    advance(Duration::from_secs(240)).await;
    assert_eq!(state(&cloud, &id).await, "RUNNING");
    post(&cloud, "/api/2.1/clusters/restart", by_id.clone()).await;
    assert_eq!(state(&cloud, &id).await, "RESTARTING");
    advance(Duration::from_secs(120)).await;
    post(&cloud, "/api/2.1/clusters/resize", json!({ "cluster_id": id, "num_workers": 3 })).await;
    assert_eq!(state(&cloud, &id).await, "RESIZING");
    advance(Duration::from_secs(60)).await;
    assert_eq!(
        post(&cloud, "/api/2.1/clusters/start", by_id.clone()).await.1["error_code"],
        "INVALID_STATE"
    );
    post(&cloud, "/api/2.1/clusters/delete", by_id.clone()).await;
    assert_eq!(state(&cloud, &id).await, "TERMINATING");
    advance(Duration::from_secs(20)).await;
    let (_, it) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!((&it["state"], &it["num_workers"]), (&json!("TERMINATED"), &json!(3)));
    assert_eq!(it["termination_reason"]["parameters"]["username"], "tester@example.com");
    assert_eq!(post(&cloud, "/api/2.1/clusters/start", by_id.clone()).await.0, 200);
    assert_eq!(state(&cloud, &id).await, "PENDING");
    let (_, events) = post(&cloud, "/api/2.1/clusters/events", by_id.clone()).await;
    assert_eq!(events["events"][0]["type"], "STARTING");

    post(&cloud, "/api/2.1/clusters/permanent-delete", by_id).await;
    let (status, gone) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!((status, &gone["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_nobody_uses_ends_by_itself() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({ "autotermination_minutes": 10 })).await;
    advance(Duration::from_secs(240 + 599)).await;
    assert_eq!(state(&cloud, &id).await, "RUNNING");
    advance(Duration::from_secs(30)).await;
    let (_, it) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!(it["termination_reason"]["code"], "INACTIVITY");
}

#[tokio::test]
async fn a_description_without_what_is_needed_names_the_field() {
    let cloud = MockCloud::new();
    let (status, answer) =
        post(&cloud, "/api/2.1/clusters/create", json!({ "node_type_id": "n" })).await;
    assert_eq!(
        (status, answer["message"].as_str().unwrap()),
        (400, "Missing required field: spark_version")
    );
}

#[tokio::test]
async fn one_idempotency_token_makes_one_cluster() {
    let cloud = MockCloud::new();
    let first = create(&cloud, json!({ "idempotency_token": "t" })).await;
    assert_eq!(create(&cloud, json!({ "idempotency_token": "t" })).await, first);
    // A cluster that is terminated does not hold its token.
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": first })).await;
    let second = create(&cloud, json!({ "idempotency_token": "t" })).await;
    assert_ne!(second, first);
    assert_eq!(create(&cloud, json!({ "idempotency_token": "t" })).await, second);
    let (_, listed) = get(&cloud, "/api/2.1/clusters/list").await;
    assert_eq!(listed["clusters"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_only_what_the_mask_names() {
    let cloud = MockCloud::new();
    let id =
        create(&cloud, json!({ "custom_tags": { "a": "b" }, "autotermination_minutes": 30 })).await;
    advance(Duration::from_secs(240)).await;
    let update = json!({
        "cluster_id": id, "update_mask": "autoscale,cluster_name",
        "cluster": { "autoscale": { "min_workers": 1, "max_workers": 3 }, "cluster_name": "new" },
    });
    assert_eq!(post(&cloud, "/api/2.1/clusters/update", update).await, (200, json!({})));
    let (_, it) = get(&cloud, &format!("/api/2.1/clusters/get?cluster_id={id}")).await;
    assert_eq!((&it["cluster_name"], &it["state"]), (&json!("new"), &json!("RESTARTING")));
    assert_eq!((&it["autoscale"]["max_workers"], &it["num_workers"]), (&json!(3), &Value::Null));
    assert_eq!(
        (&it["custom_tags"], &it["autotermination_minutes"]),
        (&json!({ "a": "b" }), &json!(30))
    );
    let blind = json!({ "cluster_id": id, "cluster": {} });
    assert_eq!(post(&cloud, "/api/2.1/clusters/update", blind).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn events_come_in_pages_by_kind_and_order() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    advance(Duration::from_secs(240)).await;
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": id })).await;
    let ask = json!({
        "cluster_id": id, "order": "ASC", "limit": 1, "event_types": ["CREATING", "TERMINATING"],
    });
    let (_, first) = post(&cloud, "/api/2.1/clusters/events", ask).await;
    assert_eq!(
        (&first["events"][0]["type"], &first["total_count"]),
        (&json!("CREATING"), &json!(2))
    );
    let (_, second) = post(&cloud, "/api/2.0/clusters/events", first["next_page"].clone()).await;
    let event = &second["events"][0];
    assert_eq!(
        (&event["type"], &event["details"]["reason"]["code"]),
        (&json!("TERMINATING"), &json!("USER_REQUEST"))
    );
    assert!(second.get("next_page").is_none());
    let wrong = json!({ "cluster_id": id, "limit": 501 });
    assert_eq!(post(&cloud, "/api/2.1/clusters/events", wrong).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_and_sorted() {
    let cloud = MockCloud::new();
    let first = create(&cloud, json!({ "cluster_name": "b" })).await;
    create(&cloud, json!({ "cluster_name": "a" })).await;
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": first })).await;
    post(&cloud, "/api/2.1/clusters/pin", json!({ "cluster_id": first })).await;
    let names = async |query: &str| -> Vec<Value> {
        let (_, it) = get(&cloud, &format!("/api/2.1/clusters/list?{query}")).await;
        let them = it["clusters"].as_array().cloned().unwrap_or_default();
        them.iter().map(|it| it["cluster_name"].clone()).collect()
    };
    assert_eq!(
        names("filter_by.cluster_states=TERMINATING&filter_by.cluster_states=ERROR").await,
        ["b"]
    );
    assert_eq!(names("filter_by.is_pinned=false").await, ["a"]);
    assert_eq!(names("sort_by.field=CLUSTER_NAME&sort_by.direction=DESC").await, ["b", "a"]);
    assert_eq!(get(&cloud, "/api/2.1/clusters/list?page_token=x").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn an_owner_changes_while_the_cluster_rests_and_it_is_forgotten_after_30_days() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let owner =
        json!({ "cluster_id": id, "owner_username": "55555555-5555-5555-5555-555555555555" });
    let (_, refused) = post(&cloud, "/api/2.1/clusters/change-owner", owner.clone()).await;
    assert_eq!(refused["error_code"], "INVALID_STATE");
    post(&cloud, "/api/2.1/clusters/delete", json!({ "cluster_id": id })).await;
    advance(Duration::from_secs(20)).await;
    assert_eq!(post(&cloud, "/api/2.1/clusters/change-owner", owner).await.0, 200);
    let path = format!("/api/2.1/clusters/get?cluster_id={id}");
    assert_eq!(
        get(&cloud, &path).await.1["creator_user_name"],
        "55555555-5555-5555-5555-555555555555"
    );
    advance(Duration::from_secs(30 * 24 * 3600)).await;
    assert_eq!(get(&cloud, &path).await.0, 400);
}

#[tokio::test]
async fn there_are_zones() {
    let (_, zones) = get(&MockCloud::new(), "/api/2.0/clusters/list-zones").await;
    assert_eq!(zones["default_zone"], "1");
}
