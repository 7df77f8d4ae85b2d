use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, send},
};

const PATH: &str = "/api/2.0/workspace-conf";

#[tokio::test]
async fn a_switch_has_its_default_until_it_is_set() {
    let cloud = MockCloud::new();
    let path = format!("{PATH}?keys=enableIpAccessLists,maxTokenLifetimeDays,enableTokensConfig");
    let (_, first) = get(&cloud, &path).await;
    let wanted = json!({
        "enableIpAccessLists": "false", "maxTokenLifetimeDays": null, "enableTokensConfig": "true",
    });
    assert_eq!(first, wanted);
    let set = json!({ "enableIpAccessLists": "true", "maxTokenLifetimeDays": 90 });
    assert_eq!(send(&cloud, "PATCH", PATH, set).await, (204, Value::Null));
    let (_, then) = get(&cloud, &path).await;
    assert_eq!(
        (&then["enableIpAccessLists"], &then["maxTokenLifetimeDays"]),
        (&json!("true"), &json!("90"))
    );
    assert_eq!(get(&cloud, PATH).await.0, 400);
}
