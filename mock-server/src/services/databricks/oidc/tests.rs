use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    MockCloud,
    services::databricks::tests::{HOST, ask, get, post, read, send},
};

const CLIENT: &str = "55555555-5555-5555-5555-555555555555";
const ME: &str = "/api/2.0/preview/scim/v2/Me";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

async fn token(cloud: &MockCloud, fields: &[(&str, &str)]) -> (u16, Value) {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    read(ask(cloud, None, "POST", "/oidc/v1/token", body).await).await
}

async fn who(cloud: &MockCloud, token: &Value) -> (u16, Value) {
    let answer = ask(cloud, token["access_token"].as_str(), "GET", ME, String::new()).await;
    let (status, me) = read(answer).await;
    (status, me["userName"].clone())
}

#[tokio::test]
async fn discovery_leads_to_a_token_that_the_gate_accepts() {
    let cloud = MockCloud::new();
    let (_, found) = get(&cloud, "/oidc/.well-known/oauth-authorization-server").await;
    assert_eq!(found["token_endpoint"], json!(format!("{HOST}/oidc/v1/token")));
    let request = Request::post(format!("{HOST}/oidc/v1/token"))
        .header(
            header::AUTHORIZATION,
            "Basic NTU1NTU1NTUtNTU1NS01NTU1LTU1NTUtNTU1NTU1NTU1NTU1OmZha2Utc2VjcmV0",
        )
        .body(Body::from("grant_type=client_credentials&scope=all-apis"))
        .unwrap();
    let (status, made) = read(cloud.router().oneshot(request).await.unwrap()).await;
    assert_eq!(
        (status, &made["token_type"], &made["expires_in"]),
        (200, &json!("Bearer"), &json!(3600))
    );
    assert_eq!(who(&cloud, &made).await, (200, json!(CLIENT)));
}

#[tokio::test]
async fn tokens_are_exchanged() {
    let cloud = MockCloud::new();
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    let fields = |subject, kind| {
        [("grant_type", EXCHANGE), ("subject_token", subject), ("subject_token_type", kind)]
    };
    let mut of_client = fields("good.id.token", jwt).to_vec();
    of_client.push(("client_id", CLIENT));
    let (_, made) = token(&cloud, &of_client).await;
    assert_eq!(who(&cloud, &made).await, (200, json!(CLIENT)));
    let (_, made) = token(&cloud, &fields("good.id.token", jwt)).await;
    assert_eq!(who(&cloud, &made).await, (200, json!(CLIENT)));
    let personal = "urn:databricks:params:oauth:token-type:personal-access-token";
    let (_, made) = token(&cloud, &fields("dapi-fake-token", personal)).await;
    assert_eq!(who(&cloud, &made).await, (200, json!("tester@example.com")));
    let (status, refused) = token(&cloud, &fields("bad", jwt)).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_request_is_said_in_oauths_words() {
    let cloud = MockCloud::new();
    let error = async |fields: &[(&str, &str)]| {
        let (status, it) = token(&cloud, fields).await;
        (status, it["error"].as_str().unwrap_or_default().to_owned())
    };
    let client = ("client_id", CLIENT);
    let grant = ("grant_type", "client_credentials");
    assert_eq!(
        error(&[grant, client, ("client_secret", "bad")]).await,
        (401, "invalid_client".into())
    );
    assert_eq!(error(&[grant, client]).await, (401, "invalid_client".into()));
    assert_eq!(error(&[client]).await, (400, "invalid_request".into()));
    let bearer = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(error(&[bearer, ("assertion", "x")]).await, (400, "unsupported_grant_type".into()));
}

#[tokio::test]
async fn a_secret_that_was_made_signs_in_until_it_is_deleted() {
    let cloud = MockCloud::new();
    let path = "/api/2.0/preview/scim/v2/ServicePrincipals";
    let (_, principal) = post(&cloud, path, json!({ "displayName": "robot" })).await;
    let id = principal["id"].as_str().unwrap();
    let secrets = format!("/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets");
    let (_, secret) = post(&cloud, &secrets, json!({})).await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", principal["applicationId"].as_str().unwrap()),
        ("client_secret", secret["secret"].as_str().unwrap()),
    ];
    let (status, made) = token(&cloud, &fields).await;
    assert_eq!(status, 200);
    let secret_path = "/api/2.0/secrets/scopes/list";
    let answer =
        ask(&cloud, made["access_token"].as_str(), "GET", secret_path, String::new()).await;
    assert_eq!(answer.status(), 200);
    let one = format!("{secrets}/{}", secret["id"].as_str().unwrap());
    assert_eq!(send(&cloud, "DELETE", &one, Value::Null).await.0, 200);
    assert_eq!(token(&cloud, &fields).await.0, 401);
    assert_eq!(get(&cloud, &secrets).await.1, json!({}));
}

#[tokio::test]
async fn local_tools_get_a_token_from_the_metadata_service() {
    let cloud = MockCloud::new();
    let request = Request::get(format!("{HOST}/metadata-service/token"))
        .header("x-databricks-metadata-version", "1")
        .body(Body::empty())
        .unwrap();
    let (status, made) = read(cloud.router().oneshot(request).await.unwrap()).await;
    assert_eq!((status, who(&cloud, &made).await.0), (200, 200));
    assert!(made["expires_on"].is_i64());
}
