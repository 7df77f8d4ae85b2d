use serde_json::json;

use crate::{
    MockCloud,
    services::databricks::tests::{get, post},
};

#[tokio::test]
async fn the_groups_of_every_workspace_are_listed_and_the_rest_is_refused_by_name() {
    let cloud = MockCloud::new();
    let listed = json!({ "group_names": ["admins", "users"] });
    assert_eq!(get(&cloud, "/api/2.0/groups/list").await, (200, listed));
    let body = json!({ "group_name": "g" });
    let (status, refusal) = post(&cloud, "/api/2.0/groups/create", body).await;
    let text = "azml-mock does not emulate databricks.legacy_groups.create";
    assert_eq!((status, &refusal["message"]), (501, &json!(text)));
}
