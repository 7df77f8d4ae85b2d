use serde_json::json;

use crate::{
    MockCloud,
    services::databricks::tests::{HOST, ask, read},
};

#[tokio::test]
async fn the_host_says_which_workspace_it_is_without_a_sign_in() {
    let cloud = MockCloud::new();
    let path = "/.well-known/databricks-config";
    let (status, config) = read(ask(&cloud, None, "GET", path, String::new()).await).await;
    assert_eq!(status, 200);
    assert_eq!(config["workspace_id"], "1234567890123456");
    assert_eq!(config["oidc_endpoint"], json!(format!("{HOST}/oidc")));
}
