//! What a run costs in requests, and what the code of a job knows of its own run.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azml::{
    Client,
    auth::ClientSecretCredential,
    core::{
        Cloud, Endpoint, Request, Response, Session, TokenCredential, Transport, TransportError,
    },
    tracking::{MetricValue, RunEnvironment},
    workspace::WorkspaceRef,
};
use azml_testkit::{CLIENT_ID, CLIENT_SECRET, SUBSCRIPTION_ID, TENANT_ID, TestContext};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::lakehouse::{PATIENCE, open, remote_run, spooled};

/// Keeps what was asked for.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Transport>,
    asked: Mutex<Vec<String>>,
}

impl Counting {
    fn new(ctx: &TestContext) -> Arc<Self> {
        Arc::new(Self { inner: ctx.transport(), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().rsplit('/').next().unwrap_or_default();
        self.asked.lock().unwrap().push(format!("{} {path}", request.method()));
        self.inner.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_cold_run_with_a_hundred_metrics_takes_eight_requests() {
    let ctx = TestContext::new();
    let transport = Counting::new(&ctx);
    let cloud = Cloud::public();
    let secret = SecretString::from(CLIENT_SECRET);
    let credential =
        ClientSecretCredential::new(&cloud, transport.clone(), TENANT_ID, CLIENT_ID, secret);
    let session = Session::new(cloud, transport.clone(), Arc::new(credential.unwrap()));
    let workspace = WorkspaceRef::new(SUBSCRIPTION_ID, "rg1", "ws1");
    let client = Client::open(session, workspace).await.unwrap();
    let (_spool, tracking) = spooled(client.tracking());
    let run = tracking.start_run("bench").unwrap();
    for step in 0..100_i32 {
        run.log_metric_at("loss", f64::from(step) * 0.5, step.into()).unwrap();
    }
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    let asked = transport.asked();
    assert_eq!(asked.len(), 8, "{asked:#?}");
    let run = run.connect().await.unwrap();
    assert_eq!(run.metric("loss").await.unwrap().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn the_code_of_a_job_takes_up_its_run_without_a_login() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let run = remote_run(client.tracking(), "exp-part2b").await;
    let base = client.workspace().data_plane().await.unwrap().base().to_owned();
    let token = token_of(&ctx, &client, &base, run.id().as_str()).await;
    let now = client.session().clock().now();
    let expiry = (now + Duration::from_secs(3600)).unix_timestamp().to_string();

    let args = [
        ("--AZUREML_RUN_ID", run.id().as_str()),
        ("--AZUREML_RUN_TOKEN", &token),
        ("--AZUREML_RUN_TOKEN_EXPIRY", &expiry),
        ("--AZUREML_ARM_SUBSCRIPTION", SUBSCRIPTION_ID),
        ("--AZUREML_ARM_RESOURCEGROUP", "rg1"),
        ("--AZUREML_ARM_WORKSPACE_NAME", "ws1"),
        ("--AZUREML_ARM_PROJECT_NAME", "exp-part2b"),
        ("--AZUREML_SERVICE_ENDPOINT", &base),
    ];
    let words = ["train.py", "--alpha", "1"].into_iter().map(str::to_owned);
    let args = args.iter().flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()]);
    let environment = RunEnvironment::from_args(words.chain(args)).unwrap();
    assert!(!format!("{environment:?}").contains(&token));
    let transport = Counting::new(&ctx);
    let (_spool, tracking) = spooled(client.tracking());
    let endpoint = |base: String| Endpoint::new(base, transport.clone());
    let inside = environment.open_at(endpoint, tracking.spool().clone()).unwrap();
    assert!(transport.asked().is_empty(), "nothing waits for the server");
    inside.log_value("from_context", 42).unwrap();
    let file = project.path().join("c.txt");
    std::fs::write(&file, "x").unwrap();
    inside.log_artifact("outputs/c.txt", &file).unwrap();
    inside.sync(PATIENCE).await.unwrap();
    assert_eq!(inside.connect().await.unwrap().experiment(), run.experiment());
    let renewals = || transport.asked().iter().filter(|it| *it == "GET token").count();
    assert_eq!(renewals(), 0);
    tokio::time::advance(Duration::from_secs(3600 - 60)).await;
    inside.log_value("from_context", 42).unwrap();
    inside.sync(PATIENCE).await.unwrap();
    assert_eq!(renewals(), 1, "the token is renewed before its end");
    assert!(!transport.asked().iter().any(|it| it.contains("oauth2") || it.contains("ws1")));

    let series = run.series("from_context").await.unwrap();
    assert_eq!(series.values(), [&MetricValue::Integer(42); 2]);
    assert_eq!(run.read_artifact("outputs/c.txt").await.unwrap(), "x");
}

/// Asks for the token of a run as the service does that starts a job.
async fn token_of(ctx: &TestContext, client: &Client, base: &str, run: &str) -> String {
    let session = client.session();
    let token = session.credential().token(&session.cloud().arm_scope()).await.unwrap();
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    let workspace = client.workspace().id();
    let uri = format!("{base}/history/v1.0{workspace}/experiments/exp-part2b/runs/{run}/token");
    let request = http::Request::get(uri).header("authorization", bearer);
    let response = ctx.transport().send(request.body(Vec::new().into()).unwrap()).await.unwrap();
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    body["token"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_job_of_mlflow_takes_up_its_run() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let run = remote_run(client.tracking(), "exp-part2b").await;
    let base = client.workspace().data_plane().await.unwrap().base().to_owned();
    let token = token_of(&ctx, &client, &base, run.id().as_str()).await;
    let host = base.strip_prefix("https://").unwrap();
    let uri = format!("azureml://{host}/mlflow/v2.0{}?", client.workspace().id());
    let lookup = |name: &str| match name {
        "MLFLOW_RUN_ID" => Some(run.id().to_string()),
        "MLFLOW_TRACKING_URI" => Some(uri.clone()),
        "MLFLOW_TRACKING_TOKEN" => Some(token.clone()),
        _ => None,
    };
    let (_spool, tracking) = spooled(client.tracking());
    let endpoint = |base: String| Endpoint::new(base, ctx.transport());
    let environment = RunEnvironment::from_lookup(lookup).unwrap();
    let inside = environment.open_at(endpoint, tracking.spool().clone()).unwrap();
    inside.log_metric("loss", 0.5).unwrap();
    inside.sync(PATIENCE).await.unwrap();
    assert_eq!(run.metric("loss").await.unwrap().len(), 1);
}

#[test]
fn what_a_job_is_not_told_is_named() {
    let lookup = |name: &str| (name == "AZUREML_RUN_ID").then(|| "r".to_owned());
    let text = RunEnvironment::from_lookup(lookup).unwrap_err().to_string();
    assert_eq!(
        text,
        "run.from_environment failed: environment: set AZUREML_RUN_TOKEN, \
         AZUREML_ARM_SUBSCRIPTION, AZUREML_ARM_RESOURCEGROUP, AZUREML_ARM_WORKSPACE_NAME, \
         AZUREML_ARM_PROJECT_NAME, AZUREML_SERVICE_ENDPOINT"
    );
    assert!(RunEnvironment::from_lookup(|_| None).is_err());
}
