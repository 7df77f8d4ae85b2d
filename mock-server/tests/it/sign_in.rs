//! Signing in over TLS, as programs on the other side of a socket do.

use azml_mock::{MockCloud, MockCloudBuilder, MockServer};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::http::{Answer, exchange_with, post, secured, soon};

const PROGRAM: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

async fn server(builder: MockCloudBuilder) -> MockServer {
    MockServer::start(builder).await.unwrap()
}

fn authority(server: &MockServer) -> &str {
    server.url().trim_start_matches("http://")
}

/// Asks over TLS.
async fn ask(server: &MockServer, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let stream = TcpStream::connect(authority(server)).await.unwrap();
    let stream = secured(stream, "127.0.0.1", server.ca_pem()).await.unwrap();
    let headers = format!("host: {}{headers}", authority(server));
    soon(exchange_with(stream, method, path, &headers, body)).await.unwrap()
}

/// Whether the resource manager takes the token.
async fn opens_arm(server: &MockServer, token: &Value) -> bool {
    let headers = format!("\r\nauthorization: Bearer {}", token.as_str().unwrap());
    let path = "/subscriptions?api-version=2022-12-01";
    ask(server, "GET", path, &headers, "").await.status == 200
}

#[tokio::test]
async fn a_user_signs_in_on_another_device_and_stays_signed_in() {
    let server = server(MockCloud::builder().with_device_codes_by_hand(true)).await;
    let document = "/adfs/adfs/.well-known/openid-configuration";
    let document = ask(&server, "GET", document, "", "").await.json();
    let path = |name: &str| {
        let url = document[name].as_str().unwrap();
        url.strip_prefix(server.tls_url()).unwrap().to_owned()
    };
    let (device, token) = (path("device_authorization_endpoint"), path("token_endpoint"));

    let scope = format!("scope={}/arm/.default+offline_access+openid", server.tls_url());
    let body = format!("client_id={PROGRAM}&{scope}");
    let started = ask(&server, "POST", &device, "", &body).await.json();
    let poll = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id={PROGRAM}&device_code={}",
        started["device_code"].as_str().unwrap()
    );
    let pending = ask(&server, "POST", &token, "", &poll).await;
    assert_eq!((pending.status, &pending.json()["error"]), (400, &json!("authorization_pending")));

    let approval = json!({ "user_code": started["user_code"], "approve": true });
    post(server.url(), "/_mock/device_codes", &approval).await;
    let signed = ask(&server, "POST", &token, "", &poll).await.json();
    assert!(opens_arm(&server, &signed["access_token"]).await, "{signed}");

    let refresh = signed["refresh_token"].as_str().unwrap();
    let body =
        format!("grant_type=refresh_token&client_id={PROGRAM}&refresh_token={refresh}&{scope}");
    let refreshed = ask(&server, "POST", &token, "", &body).await.json();
    assert!(opens_arm(&server, &refreshed["access_token"]).await, "{refreshed}");
}

#[tokio::test]
async fn a_machine_signs_in_without_a_secret() {
    let server = server(MockCloud::builder()).await;
    let resource = "resource=https%3A%2F%2Fmanagement.azure.com%2F";
    let cases = [
        (
            format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{resource}"),
            "\r\nmetadata: true",
        ),
        (format!("/msi/token?api-version=2019-08-01&{resource}"), "\r\nx-identity-header: fake"),
        (format!("/msi?api-version=2017-09-01&{resource}"), "\r\nsecret: fake"),
    ];
    for (path, header) in cases {
        let answer = ask(&server, "GET", &path, header, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(opens_arm(&server, &answer.json()["access_token"]).await, "{path}");
        assert!(ask(&server, "GET", &path, "", "").await.status >= 400, "{path}");
    }
    let form = ask(&server, "POST", "/msi", "\r\nmetadata: true", resource).await;
    assert!(opens_arm(&server, &form.json()["access_token"]).await, "{form:?}");
}
