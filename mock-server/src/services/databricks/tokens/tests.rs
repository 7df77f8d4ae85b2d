use std::time::Duration;

use serde_json::json;
use tokio::time::advance;

use crate::{
    MockCloud,
    services::databricks::tests::{ask, get, post, read},
};

const LIST: &str = "/api/2.0/token/list";

#[tokio::test(start_paused = true)]
async fn a_token_works_until_it_expires_or_is_deleted() {
    let cloud = MockCloud::new();
    let (_, made) = post(&cloud, "/api/2.0/token/create", json!({ "lifetime_seconds": 60 })).await;
    let value = made["token_value"].as_str().unwrap().to_owned();
    assert!(value.starts_with("dapi"));
    let status = async |token: &str| {
        read(ask(&cloud, Some(token), "GET", LIST, String::new()).await).await.0
    };
    assert_eq!(status(&value).await, 200);
    advance(Duration::from_secs(61)).await;
    assert_eq!(status(&value).await, 403);

    let (_, other) = post(&cloud, "/api/2.0/token/create", json!({ "comment": "ci" })).await;
    let (_, listed) = get(&cloud, LIST).await;
    assert_eq!(listed["token_infos"].as_array().unwrap().len(), 3, "an expired one is listed");
    assert_eq!(other["token_info"]["expiry_time"], -1);
    let id = json!({ "token_id": other["token_info"]["token_id"] });
    assert_eq!(post(&cloud, "/api/2.0/token/delete", id.clone()).await.0, 200);
    assert_eq!(post(&cloud, "/api/2.0/token/delete", id).await.0, 404);
    assert_eq!(status(other["token_value"].as_str().unwrap()).await, 403);
}
