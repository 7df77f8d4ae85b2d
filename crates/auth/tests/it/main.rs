//! Each way to sign in, at the authority of the mock cloud, in no time.
#![expect(clippy::unwrap_used, reason = "tests")]

mod databricks;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use azml_auth::{
    ChainedCredential, ClientCertificate, ClientCertificateCredential, ClientSecretCredential,
    DeviceCodeCredential, ManagedIdentity, ManagedIdentityCredential, WorkloadIdentityCredential,
};
use azml_core::{
    Clock, Cloud, ErrorKind, Request, RequestBuilder, Response, Result, Session, TokenCache,
    TokenCredential, TokioClock, Transport, TransportError,
};
use azml_testkit::{CLIENT_ID, CLIENT_SECRET, TENANT_ID, TestContext};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const PEM: &str = include_str!("../../../../fixtures/certificates/client.pem");
/// Another key and its certificate.
const OTHER_PEM: &str = include_str!("../../../../fixtures/certificates/other.pem");

/// What is inside a token.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

fn secret(transport: Arc<dyn Transport>, secret: &str) -> ClientSecretCredential {
    let cloud = Cloud::public();
    ClientSecretCredential::new(&cloud, transport, TENANT_ID, CLIENT_ID, secret.into()).unwrap()
}

/// A token of somebody whom Entra may trust, without a signature that is checked.
fn federated_token(expires_at: i64) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({ "alg": "RS256", "kid": "fake", "typ": "JWT" }));
    let body = encode(json!({
        "aud": ["api://AzureADTokenExchange"], "iss": "https://issuer.test",
        "sub": "system:serviceaccount:a:b", "iat": 0, "nbf": 0, "exp": expires_at,
    }));
    format!("{header}.{body}.{}", URL_SAFE_NO_PAD.encode("fake-signature"))
}

/// Counts the requests that pass.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Transport>,
    count: AtomicU32,
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.count.fetch_add(1, Relaxed);
        self.inner.send(request).await
    }
}

/// Puts another signature under each assertion that passes.
#[derive(Debug)]
struct Forging(Arc<dyn Transport>);

#[async_trait]
impl Transport for Forging {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (parts, body) = request.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let (before, rest) = body.split_once("client_assertion=").unwrap();
        let (assertion, after) = rest.split_once('&').unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        signature.reverse();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let body = format!("{before}client_assertion={signed}.{signature}&{after}");
        self.0.send(Request::from_parts(parts, body.into())).await
    }
}

/// Tells the mock the certificate of the service principal.
async fn register(ctx: &TestContext, pem: &str) {
    let certificate = &pem[pem.find("-----BEGIN CERTIFICATE").unwrap()..];
    let body = json!({ "client_id": CLIENT_ID, "certificate": certificate });
    let request =
        RequestBuilder::new("test.register", http::Method::POST, "https://login.a.test/_mock/apps");
    let request = request.json(&body).build().unwrap();
    let response = ctx.transport().send(request).await.unwrap();
    assert_eq!(response.status(), 200);
}

fn certified(transport: Arc<dyn Transport>, pem: &str) -> ClientCertificateCredential {
    let certificate = ClientCertificate::from_pem(pem).unwrap();
    let cloud = Cloud::public();
    ClientCertificateCredential::new(&cloud, transport, TENANT_ID, CLIENT_ID, certificate).unwrap()
}

/// Every credential that needs no person, as the service principal of the world.
fn credentials(
    transport: Arc<dyn Transport>,
    token_file: &std::path::Path,
) -> Vec<Arc<dyn TokenCredential>> {
    let cloud = Cloud::public();
    fs::write(token_file, federated_token(4_102_444_800)).unwrap();
    vec![
        Arc::new(secret(transport.clone(), CLIENT_SECRET)),
        Arc::new(certified(transport.clone(), PEM)),
        Arc::new(
            WorkloadIdentityCredential::new(
                &cloud,
                transport.clone(),
                TENANT_ID,
                CLIENT_ID,
                token_file,
            )
            .unwrap(),
        ),
        Arc::new(
            ManagedIdentityCredential::new(&cloud, transport, ManagedIdentity::SystemAssigned)
                .unwrap(),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_credential_gets_a_token_that_its_cache_replaces_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = TestContext::new();
    register(&ctx, PEM).await;
    let transport = Arc::new(Counting { inner: ctx.transport(), count: AtomicU32::new(0) });
    for credential in credentials(transport.clone(), &folder.path().join("token")) {
        let name = format!("{credential:?}");
        let cache = TokenCache::new(credential, Arc::new(TokioClock::new()));
        let scope = Cloud::public().arm_scope();
        let first = cache.token(&scope).await.unwrap();
        let told = claims(first.secret.expose_secret());
        assert_eq!(told["tid"], TENANT_ID, "{name}");
        cache.token(&scope).await.unwrap();
        assert_eq!(transport.count.swap(0, Relaxed), 1, "{name}");

        // The last five minutes have begun, by the clock of the cache.
        let life = first.expires_at - TokioClock::new().now();
        let life = Duration::try_from(life).unwrap();
        tokio::time::advance(life.saturating_sub(Duration::from_secs(299))).await;
        cache.token(&scope).await.unwrap();
        assert_eq!(transport.count.swap(0, Relaxed), 1, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_the_words_of_entra() {
    let ctx = TestContext::new();
    let err = secret(ctx.transport(), "wrong").token(&Cloud::public().arm_scope()).await;
    let err = err.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let fault = err.service_fault().unwrap();
    assert_eq!((fault.status, fault.code.as_str()), (401, "invalid_client"));
    assert!(fault.message.starts_with("AADSTS7000215"), "{}", fault.message);
}

#[tokio::test]
async fn only_the_key_of_a_certificate_that_entra_knows_signs_in() {
    let ctx = TestContext::new();
    let scope = Cloud::public().arm_scope();
    let refused = async |credential: ClientCertificateCredential| {
        let err = credential.token(&scope).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        let message = &err.service_fault().unwrap().message;
        assert!(message.starts_with("AADSTS700027"), "{message}");
    };
    refused(certified(ctx.transport(), PEM)).await;
    register(&ctx, PEM).await;
    certified(ctx.transport(), PEM).token(&scope).await.unwrap();
    refused(certified(ctx.transport(), OTHER_PEM)).await;
    refused(certified(Arc::new(Forging(ctx.transport())), PEM)).await;
}

#[tokio::test]
async fn a_token_of_the_past_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = TestContext::new();
    let file = folder.path().join("token");
    fs::write(&file, federated_token(1)).unwrap();
    let credential = WorkloadIdentityCredential::new(
        &Cloud::public(),
        ctx.transport(),
        TENANT_ID,
        CLIENT_ID,
        file,
    );
    let err = credential.unwrap().token(&Cloud::public().arm_scope()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let fault = err.service_fault().unwrap();
    assert!(fault.message.starts_with("AADSTS700024"), "{}", fault.message);
}

fn person(ctx: &TestContext, prompts: &Arc<AtomicU32>) -> Result<DeviceCodeCredential> {
    let prompts = prompts.clone();
    DeviceCodeCredential::new(
        &Cloud::public(),
        ctx.transport(),
        TENANT_ID,
        DeviceCodeCredential::AZURE_CLI,
        move |prompt| {
            assert!(prompt.message.contains(&prompt.user_code));
            prompts.fetch_add(1, Relaxed);
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_person_signs_in_once_for_all_services() {
    let (ctx, prompts) = (TestContext::new(), Arc::new(AtomicU32::new(0)));
    let credential = person(&ctx, &prompts).unwrap();
    let cloud = Cloud::public();
    for (scope, audience) in
        [(cloud.arm_scope(), &cloud.arm_audience), (cloud.storage_scope(), &cloud.storage_audience)]
    {
        let token = credential.token(&scope).await.unwrap();
        let told = claims(token.secret.expose_secret());
        assert_eq!(told["tid"], TENANT_ID);
        assert_eq!(told["aud"].as_str().unwrap().trim_end_matches('/'), audience);
    }
    assert_eq!(prompts.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_chain_ends_with_the_person_and_opens_a_session() {
    let (ctx, prompts) = (TestContext::new(), Arc::new(AtomicU32::new(0)));
    let chain = ChainedCredential::new()
        .with_credential("a wrong secret", Arc::new(secret(ctx.transport(), "wrong")))
        .with_credential("device code", Arc::new(person(&ctx, &prompts).unwrap()));
    let chain = Arc::new(chain);
    let session = Session::new(Cloud::public(), ctx.transport(), chain.clone());
    session.credential().token(&session.cloud().databricks_scope()).await.unwrap();
    assert_eq!(chain.chosen(), Some("device code"));
}
