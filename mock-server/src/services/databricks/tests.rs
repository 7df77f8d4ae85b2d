//! What the tests of all Databricks services use, and what they have in common.

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
    response::Response,
};
use azml_fixtures::Exchange;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    MockCloud,
    kernel::auth::{Claims, mint},
    services::azure::DATABRICKS_AUDIENCE,
};

pub(super) const HOST: &str = "https://adb-1234567890123456.7.azuredatabricks.net";

pub(super) async fn ask(
    cloud: &MockCloud,
    token: Option<&str>,
    method: &str,
    path: &str,
    body: String,
) -> Response {
    let mut request = Request::builder().method(method).uri(format!("{HOST}{path}"));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    cloud.router().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

pub(super) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// Sends fields and a file as a form, whose file part bears `kind`.
pub(super) async fn post_form(
    cloud: &MockCloud,
    path: &str,
    fields: &[(&str, &str)],
    (part, kind, file): (&str, &str, &str),
) -> (u16, Value) {
    let fields = fields.iter().map(|(name, value)| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let file = format!(
        "--limit\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"f\"\r\n\
         Content-Type: {kind}\r\n\r\n{file}\r\n--limit--\r\n"
    );
    let body: String = fields.chain([file]).collect();
    let request = Request::post(format!("{HOST}{path}"))
        .header(AUTHORIZATION, "Bearer dapi-fake-token")
        .header("content-type", "multipart/form-data; boundary=limit")
        .body(Body::from(body));
    read(cloud.router().oneshot(request.unwrap()).await.unwrap()).await
}

/// As the admin.
pub(crate) async fn post(cloud: &MockCloud, path: &str, body: Value) -> (u16, Value) {
    read(ask(cloud, Some("dapi-fake-token"), "POST", path, body.to_string()).await).await
}

pub(crate) async fn get(cloud: &MockCloud, path: &str) -> (u16, Value) {
    read(ask(cloud, Some("dapi-fake-token"), "GET", path, String::new()).await).await
}

/// By any method, with a body unless it is `null`.
pub(crate) async fn send(cloud: &MockCloud, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    read(ask(cloud, Some("dapi-fake-token"), method, path, body).await).await
}

/// Sends what the fixture sends and expects what the fixture expects.
pub(super) async fn replay(exchange: Exchange) {
    let Exchange { request, response, .. } = exchange;
    let sent = request.body.map_or_else(String::new, |it| it.to_string());
    let cloud = MockCloud::new();
    let answer = ask(&cloud, Some("dapi-fake-token"), &request.method, &request.path, sent).await;
    assert_eq!(read(answer).await, (response.status, response.body));
}

fn entra_token(audience: &str, appid: &str) -> String {
    let (aud, appid) = (audience.to_owned(), appid.to_owned());
    mint(&Claims { aud, appid, exp: i64::MAX, ..Claims::default() })
}

const ME: &str = "/api/2.0/preview/scim/v2/Me";

#[tokio::test]
async fn a_personal_token_and_an_entra_token_tell_who_is_calling() {
    let cloud = MockCloud::new();
    let (_, me) = get(&cloud, ME).await;
    assert_eq!(me["userName"], "tester@example.com");

    let client_id = "55555555-5555-5555-5555-555555555555";
    let token = entra_token(DATABRICKS_AUDIENCE, client_id);
    let (_, me) = read(ask(&cloud, Some(&token), "GET", ME, String::new()).await).await;
    assert_eq!(me["userName"], client_id);
}

#[tokio::test]
async fn who_shows_nothing_or_something_else_is_refused() {
    let cloud = MockCloud::new();
    let refusal = |token: Option<String>| {
        let cloud = cloud.clone();
        async move {
            let (status, body) =
                read(ask(&cloud, token.as_deref(), "GET", ME, String::new()).await).await;
            (status, body["error_code"].clone())
        }
    };
    assert_eq!(refusal(None).await, (401, json!(401)));
    assert_eq!(refusal(Some("dapi-other".into())).await, (403, json!("PERMISSION_DENIED")));
    let foreign = entra_token("https://management.azure.com", "x");
    assert_eq!(refusal(Some(foreign)).await, (401, json!("UNAUTHENTICATED")));
    let stranger = entra_token(DATABRICKS_AUDIENCE, "99999999-9999-9999-9999-999999999999");
    assert_eq!(refusal(Some(stranger)).await, (403, json!("PERMISSION_DENIED")));
}

#[tokio::test]
async fn a_service_principal_that_manages_the_workspace_in_azure_becomes_an_admin() {
    let cloud = MockCloud::new();
    let client = "99999999-9999-9999-9999-999999999999";
    let resource = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/dbx-rg/providers/Microsoft.Databricks/workspaces/dbx-ws";
    let own = entra_token(DATABRICKS_AUDIENCE, client);
    let ask = |management: String, resource: &str| {
        let request = Request::get(format!("{HOST}{ME}"))
            .header(AUTHORIZATION, format!("Bearer {own}"))
            .header("x-databricks-azure-sp-management-token", management)
            .header("x-databricks-azure-workspace-resource-id", resource)
            .body(Body::empty())
            .unwrap();
        let router = cloud.router();
        async move { read(router.oneshot(request).await.unwrap()).await }
    };
    assert_eq!(ask("none".into(), resource).await.0, 403);
    let management = entra_token("https://management.core.windows.net/", client);
    assert_eq!(ask(management.clone(), "/subscriptions/x").await.0, 400);
    let (status, me) = ask(management, resource).await;
    let groups = me["groups"].as_array().unwrap();
    assert_eq!((status, groups.iter().any(|it| it["display"] == "admins")), (200, true));
}

#[tokio::test]
async fn a_personal_token_may_come_as_the_password_of_token() {
    let request = Request::get(format!("{HOST}{ME}"))
        .header(AUTHORIZATION, "Basic dG9rZW46ZGFwaS1mYWtlLXRva2Vu")
        .body(Body::empty())
        .unwrap();
    assert_eq!(MockCloud::new().router().oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn every_answer_names_the_workspace_and_the_request() {
    let cloud = MockCloud::new();
    for token in [None, Some("dapi-fake-token")] {
        let answer = ask(&cloud, token, "GET", ME, String::new()).await;
        assert_eq!(answer.headers()["x-databricks-org-id"], "1234567890123456");
        assert!(answer.headers().contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn every_fixture_that_needs_no_state_is_kept() {
    for name in [
        "clusters/get-missing",
        "jobs/runs-get-missing",
        "dbfs/get-status-missing",
        "dbfs/mkdirs",
        "dbfs/put",
    ] {
        replay(azml_fixtures::load(&format!("databricks/{name}"))).await;
    }
}
