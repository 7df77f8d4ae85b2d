use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    MockCloud,
    services::databricks::tests::{ask, get, post, read, send},
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

#[tokio::test]
async fn admins_see_and_end_the_tokens_of_all() {
    let cloud = MockCloud::new();
    let body = json!({ "application_id": "55555555-5555-5555-5555-555555555555", "comment": "ci" });
    let path = "/api/2.0/token-management/on-behalf-of/tokens";
    let (status, made) = post(&cloud, path, body).await;
    assert_eq!((status, &made["token_info"]["owner_id"]), (200, &json!(1002)));
    let value = made["token_value"].as_str().unwrap();
    assert_eq!(ask(&cloud, Some(value), "GET", LIST, String::new()).await.status(), 200);

    let all = "/api/2.0/token-management/tokens";
    let (_, listed) = get(&cloud, &format!("{all}?created_by_username=tester@example.com")).await;
    assert_eq!(listed["token_infos"].as_array().unwrap().len(), 2);
    let one = format!("{all}/{}", made["token_info"]["token_id"].as_str().unwrap());
    let change = json!({ "token": { "comment": "new" }, "update_mask": "comment" });
    assert_eq!(send(&cloud, "PATCH", &one, change).await.1["comment"], "new");
    assert_eq!(get(&cloud, &one).await.1["token_info"]["created_by_id"], 1001);
    assert_eq!(send(&cloud, "DELETE", &one, Value::Null).await.0, 200);
    assert_eq!(get(&cloud, &one).await.0, 404);
    assert_eq!(ask(&cloud, Some(value), "GET", LIST, String::new()).await.status(), 403);
    let unknown = json!({ "application_id": "x" });
    assert_eq!(post(&cloud, path, unknown).await.0, 404);
}

#[tokio::test]
async fn an_owner_changes_what_is_said_about_a_token() {
    let cloud = MockCloud::new();
    let (_, made) = post(&cloud, "/api/2.0/token/create", json!({})).await;
    let path = format!("/api/2.0/token/{}", made["token_info"]["token_id"].as_str().unwrap());
    let change =
        json!({ "token": { "comment": "c", "scopes": ["sql"] }, "update_mask": "comment,scopes" });
    assert_eq!(send(&cloud, "PATCH", &path, change).await, (200, json!({})));
    let (_, listed) = get(&cloud, LIST).await;
    let is_it = |it: &&Value| it["comment"] == "c" && it["scopes"] == json!(["sql"]);
    assert_eq!(listed["token_infos"].as_array().unwrap().iter().filter(is_it).count(), 1);
}
