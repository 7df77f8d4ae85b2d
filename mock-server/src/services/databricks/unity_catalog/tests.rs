use serde_json::{Value, json};

use crate::{
    MockCloud,
    services::databricks::tests::{get, post, send},
};

const ROOT: &str = "/api/2.1/unity-catalog";

async fn make(cloud: &MockCloud, kind: &str, body: Value) -> Value {
    let (status, made) = post(cloud, &format!("{ROOT}/{kind}"), body).await;
    assert_eq!(status, 200, "{made}");
    made
}

#[tokio::test]
async fn a_workspace_has_a_metastore_and_the_catalog_main() {
    let cloud = MockCloud::new();
    let (_, assigned) = get(&cloud, &format!("{ROOT}/current-metastore-assignment")).await;
    assert_eq!(assigned["default_catalog_name"], "main");
    let (_, summary) = get(&cloud, &format!("{ROOT}/metastore_summary")).await;
    assert_eq!(summary["metastore_id"], assigned["metastore_id"]);
    let (_, main) = get(&cloud, &format!("{ROOT}/catalogs/main")).await;
    assert_eq!(main["catalog_type"], "MANAGED_CATALOG");
    let (_, schemas) =
        get(&cloud, &format!("{ROOT}/schemas?catalog_name=main&max_results=1")).await;
    assert_eq!(
        (&schemas["schemas"][0]["full_name"], &schemas["next_page_token"]),
        (&json!("main.default"), &json!("1"))
    );
    assert_eq!(post(&cloud, &format!("{ROOT}/metastores"), json!({})).await.0, 501);
}

#[tokio::test]
async fn names_nest_and_move_together() {
    let cloud = MockCloud::new();
    make(&cloud, "catalogs", json!({ "name": "c", "comment": "x" })).await;
    make(&cloud, "schemas", json!({ "name": "s", "catalog_name": "c" })).await;
    let place = json!({ "name": "t", "catalog_name": "c", "schema_name": "s" });
    let mut table = place.clone();
    table["table_type"] = json!("EXTERNAL");
    assert_eq!(post(&cloud, &format!("{ROOT}/tables"), table.clone()).await.0, 400);
    table["storage_location"] = json!("abfss://c@a.dfs.core.windows.net/t");
    table["columns"] = json!([{ "name": "a" }]);
    assert_eq!(make(&cloud, "tables", table.clone()).await["full_name"], "c.s.t");
    assert_eq!(
        post(&cloud, &format!("{ROOT}/tables"), table).await.1["error_code"],
        "TABLE_ALREADY_EXISTS"
    );
    let mut volume = place;
    volume["volume_type"] = json!("MANAGED");
    let volume = make(&cloud, "volumes", volume).await;
    assert!(volume["storage_location"].as_str().unwrap().starts_with("abfss://"));

    let rename = json!({ "new_name": "d", "comment": "y" });
    let (_, it) = send(&cloud, "PATCH", &format!("{ROOT}/catalogs/c"), rename).await;
    assert_eq!((&it["full_name"], &it["comment"]), (&json!("d"), &json!("y")));
    let (_, exists) = get(&cloud, &format!("{ROOT}/tables/d.s.t/exists")).await;
    assert_eq!(exists["table_exists"], true);
    let path = format!("{ROOT}/tables?catalog_name=d&schema_name=s&omit_columns=true");
    let (_, listed) = get(&cloud, &path).await;
    assert_eq!(
        (&listed["tables"][0]["name"], &listed["tables"][0]["columns"]),
        (&json!("t"), &Value::Null)
    );
    let path = format!("{ROOT}/table-summaries?catalog_name=d&table_name_pattern=%25t");
    assert_eq!(get(&cloud, &path).await.1["tables"][0]["full_name"], "d.s.t");

    let catalog = format!("{ROOT}/catalogs/d");
    let (status, refused) = send(&cloud, "DELETE", &catalog, Value::Null).await;
    assert_eq!((status, &refused["error_code"]), (400, &json!("INVALID_STATE")));
    assert_eq!(send(&cloud, "DELETE", &format!("{catalog}?force=true"), Value::Null).await.0, 200);
    let (status, gone) = get(&cloud, &format!("{ROOT}/volumes/d.s.t")).await;
    assert_eq!((status, &gone["error_code"]), (404, &json!("VOLUME_DOES_NOT_EXIST")));
}

#[tokio::test]
async fn grants_are_kept_and_inherited() {
    let cloud = MockCloud::new();
    let change = json!({ "changes": [{ "principal": "users", "add": ["USE_CATALOG", "SELECT"] }] });
    let path = format!("{ROOT}/permissions/catalog/main");
    let (_, granted) = send(&cloud, "PATCH", &path, change).await;
    let wanted = json!([{ "principal": "users", "privileges": ["SELECT", "USE_CATALOG"] }]);
    assert_eq!(granted["privilege_assignments"], wanted);
    let schema = format!("{ROOT}/effective-permissions/schema/main.default");
    let (_, inherited) = get(&cloud, &schema).await;
    let first = &inherited["privilege_assignments"][0]["privileges"][0];
    assert_eq!(
        (&first["privilege"], &first["inherited_from_name"]),
        (&json!("SELECT"), &json!("main"))
    );
    let remove =
        json!({ "changes": [{ "principal": "users", "remove": ["SELECT", "USE_CATALOG"] }] });
    assert_eq!(send(&cloud, "PATCH", &path, remove).await.1, json!({}));
    let unknown = json!({ "changes": [{ "principal": "nobody", "add": ["SELECT"] }] });
    assert_eq!(send(&cloud, "PATCH", &path, unknown).await.0, 404);
    assert_eq!(get(&cloud, &format!("{ROOT}/permissions/catalog/none")).await.0, 404);
}
