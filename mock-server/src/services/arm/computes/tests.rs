use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{ARM, begin, call};
use crate::{
    MockCloud,
    kernel::Kernel,
    tests::{WORKSPACE, assert_replays, send, token_for},
};

const DATABRICKS: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg/providers/Microsoft.Databricks/workspaces/dbx-ws";

fn at(name: &str, rest: &str) -> String {
    format!("{WORKSPACE}/computes/{name}{rest}?api-version=2020-02-02")
}

fn attachment(resource_id: &str, token: &str) -> String {
    json!({"location": "eastus", "properties": {
        "computeType": "Databricks", "resourceId": resource_id,
        "properties": {"databricksAccessToken": token},
    }})
    .to_string()
}

async fn shown(cloud: &MockCloud, name: &str) -> (u16, Value) {
    let path = format!("/rp/workspaces{WORKSPACE}/computes/{name}?api-version=2020-02-02");
    send(cloud, "GET", &path, "").await
}

#[tokio::test(start_paused = true)]
async fn attaching_takes_ten_seconds_and_both_sides_show_the_same() {
    let cloud = MockCloud::new();
    let body = attachment(DATABRICKS, "dapi-fake-token");
    let (status, operation) = begin(&cloud, "PUT", &at("my-dbx", ""), &body).await;
    assert_eq!(status, 201);
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "InProgress");
    assert_eq!(shown(&cloud, "my-dbx").await.1["properties"]["provisioningState"], "Creating");

    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
    let (_, by_data_plane) = shown(&cloud, "my-dbx").await;
    assert_eq!(by_data_plane["properties"]["provisioningState"], "Succeeded");
    let (_, by_arm) = call(&cloud, "GET", &at("my-dbx", ""), "").await;
    assert_eq!(by_arm["properties"]["resourceId"], by_data_plane["properties"]["resourceId"]);
    let kernel: std::sync::Arc<Kernel> = cloud.kernel();
    let subscription = "11111111-1111-1111-1111-111111111111";
    kernel.inspect(|world| {
        let compute = world.arm.compute(subscription, "RG1", "ws1", "MY-DBX").unwrap();
        assert_eq!(compute.databricks_workspace, 1_234_567_890_123_456);
        assert!(!format!("{compute:?}").contains("dapi-fake-token"));
    });
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_comes_back() {
    let cloud = MockCloud::new();
    let token = token_for(ARM);
    assert_replays(&cloud, "rp/computes-get-missing", &token).await;
    assert_replays(&cloud, "arm/computes-attach", &token).await;
    assert_replays(&cloud, "rp/computes-get", &token).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_replays(&cloud, "rp/computes-list", &token).await;
    assert_replays(&cloud, "arm/computes-list-keys", &token).await;
    assert_replays(&cloud, "arm/computes-detach", &token).await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_or_workspace_fails_the_operation_with_the_reason() {
    let cloud = MockCloud::new();
    let elsewhere = DATABRICKS.replace("dbx-ws", "other");
    let attached =
        [("badone", attachment(DATABRICKS, "bad")), ("nowhere", attachment(&elsewhere, "x"))];
    let reasons = [
        "Databricks token is not valid.".to_owned(),
        format!("Databricks workspace {elsewhere} was not found."),
    ];
    for ((name, body), reason) in attached.into_iter().zip(reasons) {
        let (_, operation) = begin(&cloud, "PUT", &at(name, ""), &body).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        let (_, ended) = call(&cloud, "GET", &operation, "").await;
        let error = json!({"code": "BadArgument", "message": reason, "statusCode": 400});
        assert_eq!(ended, json!({"status": "Failed", "error": error}));
        let (_, compute) = shown(&cloud, name).await;
        assert_eq!(compute["properties"]["provisioningState"], "Failed");
        assert_eq!(compute["properties"]["provisioningErrors"][0]["error"]["message"], reason);
    }
    assert_replays(&cloud, "rp/computes-get-failed", &token_for(ARM)).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_says_nothing_of_a_next_page() {
    let cloud = MockCloud::new();
    let path = format!("/rp/workspaces{WORKSPACE}/computes?api-version=2020-02-02");
    assert_eq!(send(&cloud, "GET", &path, "").await, (200, json!({"value": []})));
}

#[tokio::test(start_paused = true)]
async fn a_detached_compute_is_gone_when_the_operation_ends() {
    let cloud = MockCloud::new();
    begin(&cloud, "PUT", &at("dbx", ""), &attachment(DATABRICKS, "dapi-fake-token")).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let path = format!("{}&underlyingResourceAction=detach", at("dbx", ""));
    let (status, operation) = begin(&cloud, "DELETE", &path, "").await;
    assert_eq!(status, 202);
    let (_, again) = begin(&cloud, "DELETE", &path, "").await;
    assert_eq!(again, operation, "a second request does not start a second detachment");
    assert_eq!(shown(&cloud, "dbx").await.1["properties"]["provisioningState"], "Deleting");
    let body = attachment(DATABRICKS, "dapi-fake-token");
    assert_eq!(call(&cloud, "PUT", &at("dbx", ""), &body).await.0, 409);

    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
    assert_eq!(shown(&cloud, "dbx").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn attaching_again_voids_the_operation_that_goes_on() {
    let cloud = MockCloud::new();
    let (_, first) = begin(&cloud, "PUT", &at("dbx", ""), &attachment(DATABRICKS, "bad")).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let body = attachment(DATABRICKS, "dapi-fake-token");
    let (status, second) = begin(&cloud, "PUT", &at("dbx", ""), &body).await;
    assert_eq!(status, 200);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(call(&cloud, "GET", &first, "").await.1["status"], "Canceled");
    assert_eq!(call(&cloud, "GET", &second, "").await.1["status"], "Succeeded");
    assert_eq!(shown(&cloud, "dbx").await.1["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn what_cannot_be_attached_is_refused_at_once() {
    let cloud = MockCloud::new();
    let good = attachment(DATABRICKS, "dapi-fake-token");
    let cases = [
        ("1st", good.clone(), 400),
        ("much-too-long-a-name", good.clone(), 400),
        ("dbx", attachment("/subscriptions/s", "t"), 400),
        ("dbx", attachment(DATABRICKS, ""), 400),
        ("dbx", good.replace("\"Databricks\"", "\"AmlCompute\""), 501),
    ];
    for (name, body, status) in cases {
        assert_eq!(call(&cloud, "PUT", &at(name, ""), &body).await.0, status, "{name}: {body}");
    }
}

#[tokio::test]
async fn without_delay_it_is_over_at_once() {
    let cloud = MockCloud::builder().with_delay(0.0).build().unwrap();
    let body = attachment(DATABRICKS, "dapi-fake-token");
    let (_, operation) = begin(&cloud, "PUT", &at("dbx", ""), &body).await;
    assert_eq!(call(&cloud, "GET", &operation, "").await.1["status"], "Succeeded");
}
