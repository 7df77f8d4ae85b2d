//! The ways to sign in to a Databricks workspace, at that of the mock cloud.

use std::sync::Arc;

use azml_auth::{
    AuthType, ClientSecretCredential, DatabricksConfig, DatabricksOauthCredential, FederatedToken,
    FederationCredential, ServicePrincipalTransport,
};
use azml_core::{
    Cloud, Endpoint, ErrorKind, Operation, Request, RequestBuilder, ResourceId, Response, Result,
    ServiceFault, TokenCredential, Transport,
};
use azml_testkit::{
    CLIENT_ID, CLIENT_SECRET, DATABRICKS_ORIGIN, DATABRICKS_TOKEN, SUBSCRIPTION_ID, TENANT_ID,
    TestContext,
};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// Who the workspace takes the caller for.
struct Me;

impl Operation for Me {
    const NAME: &'static str = "test.me";
    const IDEMPOTENT: bool = true;
    type Output = String;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/api/2.0/preview/scim/v2/Me")
            .build()
    }

    fn decode(&self, response: Response) -> Result<String> {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let fault = ServiceFault::new(status, "", body["detail"].to_string());
            return Err(azml_core::Error::service(
                Self::NAME,
                ErrorKind::from_status(status),
                fault,
            ));
        }
        Ok(body["userName"].as_str().unwrap_or_default().to_owned())
    }
}

fn as_whom(credential: impl TokenCredential, transport: Arc<dyn Transport>) -> Endpoint {
    let scope = Cloud::public().databricks_scope();
    Endpoint::new(DATABRICKS_ORIGIN, transport).with_credential(Arc::new(credential), scope)
}

/// Asks the mock itself.
async fn mock(ctx: &TestContext, method: Method, path: &str, body: &Value) -> Value {
    let request = RequestBuilder::new("test.mock", method, DATABRICKS_ORIGIN).path(path);
    let response = ctx.transport().send(request.json(body).build().unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{path}: {response:?}");
    serde_json::from_slice(response.body()).unwrap()
}

fn workspace() -> ResourceId {
    let provider = "Microsoft.Databricks";
    ResourceId::new(SUBSCRIPTION_ID, "dbx-rg", provider, "workspaces", "dbx-ws").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_of_databricks_signs_in_with_its_secret() {
    let ctx = TestContext::new();
    let new = |secret: &str| {
        let transport = ctx.transport();
        DatabricksOauthCredential::new(DATABRICKS_ORIGIN, transport, CLIENT_ID, secret).unwrap()
    };
    assert_eq!(as_whom(new(CLIENT_SECRET), ctx.transport()).call(&Me).await.unwrap(), CLIENT_ID);
    let scope = Cloud::public().databricks_scope();
    let err = new("wrong").token(&scope).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    assert_eq!(err.service_fault().unwrap().code, "invalid_client");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_trusted_system_is_exchanged_and_read_anew_each_time() {
    let ctx = TestContext::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let subject = FederatedToken::File(file.clone());
    let credential = FederationCredential::new(DATABRICKS_ORIGIN, ctx.transport(), subject);
    let credential = credential.unwrap().with_client_id(CLIENT_ID);
    let scope = Cloud::public().databricks_scope();
    std::fs::write(&file, "bad.id.token\n").unwrap();
    let err = credential.token(&scope).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    std::fs::write(&file, "good.id.token\n").unwrap();
    assert_eq!(as_whom(credential, ctx.transport()).call(&Me).await.unwrap(), CLIENT_ID);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_of_entra_is_taken_in_with_the_token_that_shows_its_rights() {
    let ctx = TestContext::new();
    let cloud = Cloud::public();
    let client = "77777777-7777-7777-7777-777777777777";
    let app = json!({ "client_id": client, "secret": "other-fake-secret" });
    mock(&ctx, Method::POST, "/_mock/apps", &app).await;
    let credential = || {
        let transport = ctx.transport();
        let secret = "other-fake-secret".into();
        ClientSecretCredential::new(&cloud, transport, TENANT_ID, client, secret).unwrap()
    };
    let err = as_whom(credential(), ctx.transport()).call(&Me).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::PermissionDenied);
    let transport = ServicePrincipalTransport::new(
        ctx.transport(),
        &cloud,
        Arc::new(credential()),
        workspace(),
    );
    let endpoint = as_whom(credential(), Arc::new(transport));
    assert_eq!(endpoint.call(&Me).await.unwrap(), client);
}

#[tokio::test(start_paused = true)]
async fn each_way_to_sign_in_leads_from_what_is_known_to_the_workspace() {
    let ctx = TestContext::new();
    let known = DatabricksConfig::new().with_host(DATABRICKS_ORIGIN);
    let pat = known.clone().with_token(DATABRICKS_TOKEN);
    let oauth = known.clone().with_client(CLIENT_ID, CLIENT_SECRET);
    let entra = known
        .with_azure_client(TENANT_ID, CLIENT_ID, CLIENT_SECRET)
        .with_azure_workspace_resource_id(workspace().to_string())
        .with_auth_type(AuthType::AzureClientSecret);
    for (config, is_client) in [(pat, false), (oauth, true), (entra, true)] {
        let endpoint = config.endpoint(&Cloud::public(), ctx.transport()).unwrap();
        let me = endpoint.call(&Me).await.unwrap();
        assert_eq!(me == CLIENT_ID, is_client, "{config:?} is {me}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_got_once_for_many_calls() {
    let ctx = TestContext::new();
    let credential = DatabricksOauthCredential::new(
        DATABRICKS_ORIGIN,
        ctx.transport(),
        CLIENT_ID,
        CLIENT_SECRET,
    );
    let credential = credential.unwrap();
    let scope = Cloud::public().databricks_scope();
    let first = credential.token(&scope).await.unwrap();
    assert!(first.expires_at.unix_timestamp() > 0);
    assert!(!first.secret.expose_secret().is_empty());
    let endpoint = as_whom(credential, ctx.transport());
    for _ in 0..3 {
        endpoint.call(&Me).await.unwrap();
    }
    let journal = mock(&ctx, Method::GET, "/_mock/journal", &Value::Null).await;
    let all = journal["exchanges"].as_array().unwrap().iter();
    let asked = all.filter(|it| it["operation"] == "databricks.oidc.token").count();
    assert_eq!(asked, 2, "one by hand, one for the calls");
}
