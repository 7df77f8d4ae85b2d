use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::{
        clusters::tests::create,
        tests::{get, post, send},
    },
};

fn list(grants: &[(&str, &str, &str)]) -> Value {
    let grants = grants.iter().map(|(who, name, level)| {
        let who = *who;
        json!({ who: name, "permission_level": level })
    });
    json!({ "access_control_list": grants.collect::<Vec<Value>>() })
}

/// `name level` of all grants that are not inherited.
fn granted(answer: &Value) -> Vec<String> {
    let own = answer["access_control_list"].as_array().unwrap().iter();
    let own = own.filter(|it| it["all_permissions"][0]["inherited"] == false);
    let text = |it: &Value| {
        let names = ["user_name", "group_name", "service_principal_name"];
        let name = names.iter().find_map(|name| it[name].as_str()).unwrap();
        format!("{name} {}", it["all_permissions"][0]["permission_level"].as_str().unwrap())
    };
    own.map(text).collect()
}

#[tokio::test]
async fn put_replaces_and_patch_merges() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let path = format!("/api/2.0/permissions/clusters/{id}");
    let (_, first) = get(&cloud, &path).await;
    assert_eq!(
        (&first["object_id"], &first["object_type"]),
        (&json!(format!("/clusters/{id}")), &json!("cluster"))
    );
    assert_eq!(granted(&first), ["tester@example.com CAN_MANAGE"]);

    let users = list(&[("group_name", "users", "CAN_RESTART")]);
    let (status, set) = send(&cloud, "PUT", &path, users).await;
    assert_eq!((status, granted(&set)), (200, vec!["users CAN_RESTART".to_owned()]));
    let more = list(&[
        ("group_name", "users", "CAN_ATTACH_TO"),
        ("service_principal_name", "55555555-5555-5555-5555-555555555555", "CAN_MANAGE"),
    ]);
    let (_, merged) = send(&cloud, "PATCH", &path, more).await;
    let robot = "55555555-5555-5555-5555-555555555555 CAN_MANAGE".to_owned();
    assert_eq!(granted(&merged), ["users CAN_ATTACH_TO".to_owned(), robot]);
    assert_eq!(
        merged["access_control_list"].as_array().unwrap().last().unwrap()["group_name"],
        "admins"
    );
}

#[tokio::test]
async fn a_job_keeps_exactly_one_owner() {
    let cloud = MockCloud::new();
    let (_, job) = post(&cloud, "/api/2.1/jobs/create", json!({ "name": "j" })).await;
    let path = format!("/api/2.0/permissions/jobs/{}", job["job_id"]);
    let none = list(&[("group_name", "users", "CAN_VIEW")]);
    for method in ["PUT", "PATCH"] {
        let (_, set) = send(&cloud, method, &path, none.clone()).await;
        assert_eq!(granted(&set), ["tester@example.com IS_OWNER", "users CAN_VIEW"], "{method}");
    }
    let robot = "55555555-5555-5555-5555-555555555555";
    let (_, given) =
        send(&cloud, "PATCH", &path, list(&[("service_principal_name", robot, "IS_OWNER")])).await;
    assert_eq!(granted(&given), ["users CAN_VIEW".to_owned(), format!("{robot} IS_OWNER")]);
}

#[tokio::test]
async fn what_does_not_exist_is_refused_by_name() {
    let cloud = MockCloud::new();
    let id = create(&cloud, json!({})).await;
    let path = format!("/api/2.0/permissions/clusters/{id}");
    let status = async |path: &str, grant: (&str, &str, &str)| {
        let (status, it) = send(&cloud, "PATCH", path, list(&[grant])).await;
        (status, it["error_code"].as_str().unwrap_or_default().to_owned())
    };
    let missing = "RESOURCE_DOES_NOT_EXIST".to_owned();
    assert_eq!(status(&path, ("user_name", "x@y", "CAN_MANAGE")).await, (404, missing.clone()));
    let unknown = "/api/2.0/permissions/clusters/nope";
    assert_eq!(status(unknown, ("group_name", "users", "CAN_MANAGE")).await, (404, missing));
    let invalid = "INVALID_PARAMETER_VALUE".to_owned();
    assert_eq!(status(&path, ("group_name", "users", "CAN_READ")).await, (400, invalid.clone()));
    assert_eq!(
        status("/api/2.0/permissions/x/1", ("group_name", "users", "CAN_USE")).await,
        (400, invalid)
    );
}

#[tokio::test]
async fn each_kind_has_its_levels() {
    let cloud = MockCloud::new();
    let path = "/api/2.0/permissions/authorization/tokens";
    let (_, levels) = get(&cloud, &format!("{path}/permissionLevels")).await;
    assert_eq!(levels["permission_levels"][0]["permission_level"], "CAN_USE");
    let (_, set) = send(&cloud, "PUT", path, list(&[("group_name", "users", "CAN_USE")])).await;
    assert_eq!(
        (&set["object_type"], granted(&set)),
        (&json!("tokens"), vec!["users CAN_USE".to_owned()])
    );
}
