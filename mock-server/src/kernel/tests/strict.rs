use serde_json::json;

use crate::{kernel::MockCloud, tests::send};

const CREATE: &str = "/mlflow/api/2.0/mlflow/experiments/create";

#[tokio::test]
async fn unknown_fields_are_ignored_and_noted() {
    let cloud = MockCloud::new();
    let body = json!({"name": "wine", "colour": "red"}).to_string();
    assert_eq!(send(&cloud, "POST", CREATE, &body).await.0, 200);
    let path = "/mlflow/api/2.0/mlflow/experiments/get?experiment_id=1&view=FULL&api-version=1";
    assert_eq!(send(&cloud, "GET", path, "").await.0, 200);
    let (_, journal) = send(&cloud, "GET", "/_mock/journal", "").await;
    let unknown = |index: usize| journal["exchanges"][index]["unknown"].clone();
    assert_eq!((unknown(0), unknown(1)), (json!(["colour"]), json!(["view"])));
}

#[tokio::test]
async fn a_strict_cloud_refuses_unknown_fields() {
    let cloud = MockCloud::builder().with_strict(true).build().unwrap();
    let body = json!({"name": "wine", "colour": "red", "tags": []}).to_string();
    let (status, error) = send(&cloud, "POST", CREATE, &body).await;
    let wanted = json!({
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "azml-mock --strict does not know: colour",
    });
    assert_eq!((status, error), (400, wanted));
    assert_eq!(send(&cloud, "POST", CREATE, r#"{"name": "wine"}"#).await.0, 200);
}

#[tokio::test]
async fn a_body_beyond_all_measure_is_refused() {
    let cloud = MockCloud::new();
    let body = " ".repeat((32 << 20) + 1);
    assert_eq!(send(&cloud, "POST", CREATE, &body).await.0, 413);
}
