use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, send},
};

const ROOT: &str = "/api/2.0/preview/scim/v2";

#[tokio::test]
async fn a_person_has_an_address_and_groups() {
    let (status, me) = get(&MockCloud::new(), &format!("{ROOT}/Me")).await;
    assert_eq!((status, &me["emails"][0]["value"]), (200, &"tester@example.com".into()));
    let groups: Vec<&Value> =
        me["groups"].as_array().unwrap().iter().map(|it| &it["display"]).collect();
    assert_eq!(groups, ["users", "admins"]);
}

#[tokio::test]
async fn a_user_is_made_found_changed_and_deleted() {
    let cloud = MockCloud::new();
    let (status, made) =
        post(&cloud, &format!("{ROOT}/Users"), json!({ "userName": "bob@example.com" })).await;
    assert_eq!((status, &made["active"]), (201, &json!(true)));
    let path = format!("{ROOT}/Users/{}", made["id"].as_str().unwrap());
    let second =
        post(&cloud, &format!("{ROOT}/Users"), json!({ "userName": "bob@example.com" })).await;
    assert_eq!((second.0, &second.1["scimType"]), (409, &json!("uniqueness")));

    let changes = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            { "op": "replace", "path": "displayName", "value": "Bob" },
            { "op": "add", "path": "entitlements", "value": [{ "value": "allow-cluster-create" }] },
            { "op": "replace", "value": { "active": false } },
        ],
    });
    let (status, it) = send(&cloud, "PATCH", &path, changes).await;
    assert_eq!((status, &it["displayName"], &it["active"]), (200, &json!("Bob"), &json!(false)));
    assert_eq!(it["entitlements"][0]["value"], "allow-cluster-create");

    let found =
        format!("{ROOT}/Users?filter=userName%20eq%20%22bob@example.com%22&attributes=id,userName");
    let (_, found) = get(&cloud, &found).await;
    assert_eq!((&found["totalResults"], &found["startIndex"]), (&json!(1), &json!(1)));
    assert_eq!(found["Resources"][0].as_object().unwrap().len(), 2);

    assert_eq!(send(&cloud, "DELETE", &path, Value::Null).await.0, 204);
    let (status, gone) = get(&cloud, &path).await;
    assert_eq!((status, &gone["status"]), (404, &json!("404")));
}

#[tokio::test]
async fn a_user_is_deactivated_in_whatever_form_the_flag_comes() {
    let cloud = MockCloud::new();
    let (_, made) =
        post(&cloud, &format!("{ROOT}/Users"), json!({ "userName": "bob@example.com" })).await;
    let path = format!("{ROOT}/Users/{}", made["id"].as_str().unwrap());
    for off in [json!(false), json!("false"), json!("False"), json!([{ "value": "false" }])] {
        for (flag, wanted) in [(off, false), (json!("true"), true)] {
            let operation = json!({ "op": "replace", "path": "active", "value": flag });
            let change = json!({ "Operations": [operation] });
            let (status, it) = send(&cloud, "PATCH", &path, change).await;
            assert_eq!((status, &it["active"]), (200, &json!(wanted)), "{flag}");
        }
    }
}

#[tokio::test]
async fn groups_have_members_and_forget_those_who_go() {
    let cloud = MockCloud::new();
    let (_, bob) = post(&cloud, &format!("{ROOT}/Users"), json!({ "userName": "b@x" })).await;
    let group = json!({ "displayName": "team", "members": [{ "value": bob["id"] }] });
    let (status, group) = post(&cloud, &format!("{ROOT}/Groups"), group).await;
    assert_eq!((status, &group["members"][0]["display"]), (201, &json!("b@x")));
    let path = format!("{ROOT}/Groups/{}", group["id"].as_str().unwrap());
    let remove = json!({ "Operations": [
        { "op": "remove", "path": format!("members[value eq {}]", bob["id"]) },
        { "op": "add", "value": { "members": [{ "value": "1002" }] } },
    ] });
    let (_, group) = send(&cloud, "PATCH", &path, remove).await;
    assert_eq!(group["members"][0]["value"], "1002");
    let user = format!("{ROOT}/Users/{}", bob["id"].as_str().unwrap());
    let (_, bob) = get(&cloud, &user).await;
    assert_eq!(bob["groups"].as_array().unwrap().len(), 1, "everybody is in users");
    let unknown = json!({ "displayName": "x", "members": [{ "value": "7" }] });
    assert_eq!(post(&cloud, &format!("{ROOT}/Groups"), unknown).await.0, 400);
    assert_eq!(send(&cloud, "DELETE", &format!("{ROOT}/Groups/1000"), Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_service_principal_gets_a_client_id() {
    let cloud = MockCloud::new();
    let path = format!("{ROOT}/ServicePrincipals");
    let (_, made) = post(&cloud, &path, json!({ "displayName": "robot" })).await;
    assert_eq!(made["applicationId"].as_str().unwrap().len(), 36);
    let id = made["id"].as_str().unwrap();
    let body = json!({ "displayName": "other", "applicationId": made["applicationId"] });
    let (status, it) = send(&cloud, "PUT", &format!("{path}/{id}"), body).await;
    assert_eq!((status, &it["displayName"]), (200, &json!("other")));
    assert_eq!(get(&cloud, &path).await.1["totalResults"], 2);
}

#[tokio::test]
async fn lists_are_paged_sorted_and_filtered() {
    let cloud = MockCloud::new();
    for name in ["b", "c", "a"] {
        post(&cloud, &format!("{ROOT}/Groups"), json!({ "displayName": name })).await;
    }
    let list = async |query: &str| get(&cloud, &format!("{ROOT}/Groups?{query}")).await;
    let names = |it: &Value| -> Vec<String> {
        let them = it["Resources"].as_array().unwrap().iter();
        them.map(|it| it["displayName"].as_str().unwrap().to_owned()).collect()
    };
    let (_, page) = list("sortBy=displayName&count=2&startIndex=2").await;
    assert_eq!(
        (names(&page), &page["itemsPerPage"]),
        (vec!["admins".into(), "b".into()], &json!(2))
    );
    let (_, found) = list("filter=displayName%20eq%20b%20or%20not%20(displayName%20co%20s)").await;
    assert_eq!(names(&found), ["b", "c", "a"]);
    let (status, refused) = list("filter=garbage").await;
    assert_eq!(
        (status, &refused["detail"]),
        (400, &json!("Given filter operator is not supported."))
    );
}
