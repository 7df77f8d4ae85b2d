use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{MockCloud, kernel::auth};

mod assertions;
mod users;

const TENANT: &str = "22222222-2222-2222-2222-222222222222";
const GOOD: &str = "grant_type=client_credentials&client_id=55555555-5555-5555-5555-555555555555";

async fn call(method: &str, url: &str, body: &str) -> (StatusCode, Value) {
    call_at(&MockCloud::new(), method, url, body).await
}

async fn call_at(cloud: &MockCloud, method: &str, url: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(url).body(Body::from(body.to_owned()));
    let answer = cloud.router().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn refused(body: &str) -> (u16, String, u64) {
    let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    let (status, answer) = call("POST", &url, body).await;
    let error = answer["error"].as_str().unwrap().to_owned();
    (status.as_u16(), error, answer["error_codes"][0].as_u64().unwrap())
}

#[tokio::test]
async fn a_secret_or_an_assertion_buys_a_token_for_the_resource_asked_for() {
    let scope = "scope=https%3A%2F%2Fmanagement.azure.com%2F.default";
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b.c";
    for proof in ["client_secret=fake-secret", assertion] {
        let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
        let (status, answer) = call("POST", &url, &format!("{GOOD}&{proof}&{scope}")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["expires_in"], 3600);
        let claims = auth::check(answer["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(claims.aud, "https://management.azure.com");
        assert_eq!(claims.tid, TENANT);
        assert_eq!(claims.exp - claims.iat, 3600);
    }
}

#[tokio::test]
async fn the_first_generation_takes_a_resource_and_writes_numbers_as_texts() {
    let body = format!("{GOOD}&client_secret=fake-secret&resource=https%3A%2F%2Fml.azure.com");
    let (_, answer) = call("POST", &format!("http://127.0.0.1/{TENANT}/oauth2/token"), &body).await;
    assert_eq!(answer["expires_in"], "3600");
    assert_eq!(answer["resource"], "https://ml.azure.com");
}

#[tokio::test]
async fn each_wrong_sign_in_has_its_own_number() {
    let scope = "scope=x%2F.default";
    let wrong = format!("{GOOD}&client_secret=hunter2&{scope}");
    assert_eq!(refused(&wrong).await, (401, "invalid_client".into(), 7_000_215));
    let unknown = format!("grant_type=client_credentials&client_id=6&client_secret=s&{scope}");
    assert_eq!(refused(&unknown).await, (400, "unauthorized_client".into(), 700_016));
    let missing = format!("{GOOD}&client_secret=fake-secret");
    assert_eq!(refused(&missing).await, (400, "invalid_request".into(), 900_144));
    let scopes = format!("{GOOD}&client_secret=fake-secret&scope=user.read");
    assert_eq!(refused(&scopes).await, (400, "invalid_scope".into(), 70_011));

    let elsewhere = "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token";
    let good = format!("{GOOD}&client_secret=fake-secret&{scope}");
    let (status, answer) = call("POST", elsewhere, &good).await;
    assert_eq!((status, &answer["error_codes"][0]), (StatusCode::BAD_REQUEST, &90_002.into()));
}

#[tokio::test]
async fn a_wrong_secret_is_not_repeated() {
    let url = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    let body = format!("{GOOD}&client_secret=hunter2&scope=x%2F.default");
    let (_, answer) = call("POST", &url, &body).await;
    assert!(!answer.to_string().contains("hunter2"));
}

#[tokio::test]
async fn below_adfs_the_document_leads_to_an_endpoint_that_makes_tokens() {
    for root in [format!("/adfs/{TENANT}"), "/adfs/adfs".into(), "/adfs".into()] {
        let url = format!("https://127.0.0.1:4711{root}/.well-known/openid-configuration");
        let (_, document) = call("GET", &url, "").await;
        let endpoint = document["token_endpoint"].as_str().unwrap();
        assert_eq!(endpoint, format!("https://127.0.0.1:4711{root}/oauth2/token"));
        let body =
            format!("{GOOD}&client_secret=fake-secret&scope=https%3A%2F%2Fa.test%2F.default");
        let (status, answer) = call("POST", endpoint, &body).await;
        assert_eq!((status, &answer["expires_in"]), (StatusCode::OK, &3600.into()));
    }
}

#[tokio::test]
async fn the_published_key_is_the_one_that_signs() {
    let url =
        format!("https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration");
    let (_, document) = call("GET", &url, "").await;
    let (_, keys) = call("GET", document["jwks_uri"].as_str().unwrap(), "").await;
    assert_eq!(keys["keys"][0]["n"], auth::public_key().0);
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", super::Entra::seeded());
    assert!(!shown.contains("fake-secret"));
}
