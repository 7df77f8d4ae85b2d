use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{MockCloud, kernel::auth};

const CLIENT: &str = "55555555-5555-5555-5555-555555555555";
const RESOURCE: &str = "resource=https%3A%2F%2Fmanagement.azure.com%2F";

async fn ask(method: &str, path: &str, header: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in header {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = MockCloud::new().router().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn imds(query: &str) -> (u16, Value) {
    let url = format!("http://169.254.169.254/metadata/identity/oauth2/token?{query}");
    ask("GET", &url, &[("Metadata", "true")], "").await
}

#[tokio::test]
async fn the_metadata_service_gives_a_token_for_the_resource_and_writes_numbers_as_texts() {
    for identity in ["", "&client_id=55555555-5555-5555-5555-555555555555", "&msi_res_id=%2Fx"] {
        let (status, answer) = imds(&format!("api-version=2018-02-01&{RESOURCE}{identity}")).await;
        assert_eq!(status, 200, "{answer}");
        let claims = auth::check(answer["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(
            (claims.aud.as_str(), claims.appid.as_str()),
            ("https://management.azure.com/", CLIENT)
        );
        assert_eq!(answer["expires_on"], claims.exp.to_string());
        assert_eq!(answer["client_id"], CLIENT);
    }
}

#[tokio::test]
async fn the_metadata_service_refuses_who_lacks_the_header_the_resource_or_the_identity() {
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{RESOURCE}");
    let (status, answer) = ask("GET", &path, &[], "").await;
    assert_eq!((status, &answer["error"]), (400, &"bad_request_102".into()));
    let (status, answer) = imds("api-version=2018-02-01").await;
    assert_eq!((status, &answer["error"]), (400, &"bad_request_101".into()));
    let (status, answer) = imds(RESOURCE).await;
    assert_eq!((status, &answer["error"]), (400, &"bad_request_100".into()));
    let (status, answer) = imds(&format!("api-version=2018-02-01&{RESOURCE}&client_id=6")).await;
    assert_eq!((status, &answer["error_description"]), (400, &"Identity not found".into()));
}

#[tokio::test]
async fn app_service_has_a_header_of_its_own_in_each_version() {
    let cases = [
        ("/msi/token?api-version=2019-08-01", "X-IDENTITY-HEADER"),
        ("/msi?api-version=2017-09-01", "secret"),
        ("/msi/?api-version=2017-09-01", "secret"),
    ];
    for (path, header) in cases {
        let path = format!("{path}&{RESOURCE}");
        let (status, answer) = ask("GET", &path, &[(header, "fake")], "").await;
        assert_eq!((status, &answer["token_type"]), (200, &"Bearer".into()), "{path}");
        assert!(answer["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
        let (status, answer) = ask("GET", &path, &[], "").await;
        assert_eq!((status, &answer["statusCode"]), (401, &401.into()), "{path}");
    }
    let path = format!("/msi?api-version=2001-01-01&{RESOURCE}");
    assert_eq!(ask("GET", &path, &[("secret", "fake")], "").await.0, 400);
}

#[tokio::test]
async fn azureml_posts_a_form() {
    let (status, answer) = ask("POST", "/msi", &[("Metadata", "true")], RESOURCE).await;
    assert_eq!((status, &answer["resource"]), (200, &"https://management.azure.com/".into()));
    assert_eq!(ask("POST", "/msi", &[], RESOURCE).await.0, 400);
}
