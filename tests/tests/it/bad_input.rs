//! Bad input gets one clear error, and where it can be seen here, before
//! anything is sent.

use azml::{
    Client,
    core::ErrorKind,
    databricks::tokens::{NewToken, Tokens},
    pipeline::{DatabricksStep, PipelineError, SubmitOptions},
};
use azml_testkit::{CLIENT_SECRET, DATABRICKS_ORIGIN, TestContext};
use secrecy::SecretString;

use crate::lakehouse::{access_token, attach, open, ready, session, two_steps};

#[tokio::test]
async fn a_malformed_config_json_is_named_with_its_key() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    let file = project.path().join("config.json");
    std::fs::write(&file, r#"{"subscription_id": "s", "workspace_name": "w"}"#).unwrap();
    let err = Client::open(session(&ctx, CLIENT_SECRET), project.path()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    let text = whole(&err);
    assert!(text.contains("resource_group") && text.contains("config.json"), "{text}");
}

/// The error with all its causes, as a program prints it.
fn whole(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(it) = source {
        text = format!("{text}: {it}");
        source = it.source();
    }
    text
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_refused_once_in_the_services_own_words() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    open(&ctx, project.path()).await;
    let start = tokio::time::Instant::now();
    let err = Client::open(session(&ctx, "wrong"), project.path()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let text = whole(&err);
    assert!(text.contains("AADSTS7000215"), "{text}");
    assert!(!text.contains("wrong"), "the secret is in: {text}");
    assert_eq!(start.elapsed().as_secs(), 0, "nothing was tried again");
}

#[tokio::test(start_paused = true)]
async fn attaching_with_a_wrong_or_revoked_token_fails_with_the_reason() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    let client = open(&ctx, project.path()).await;
    let err = attach(&client, SecretString::from("dapi-wrong")).await.unwrap_err();
    let text = whole(&err).to_lowercase();
    assert!(text.contains("token") && !text.contains("dapi-wrong"), "{text}");

    let databricks = client.databricks(DATABRICKS_ORIGIN);
    let tokens = databricks.tokens();
    let made = tokens.create(&NewToken::default()).await.unwrap();
    tokens.delete(&made.info.token_id).await.unwrap();
    assert!(attach(&client, made.secret).await.is_err(), "a revoked token attaches nothing");
    attach(&client, access_token(&databricks).await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bad_pipeline_is_refused_with_all_its_problems_before_anything_is_sent() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    let (client, cluster) = ready(&ctx, project.path()).await;
    let pipeline = two_steps(project.path(), &cluster)
        .with_step(DatabricksStep::new("train").with_existing_cluster_id(cluster.as_str()));
    // Any call of the pipeline service would meet this fault.
    let before = ctx.cloud.export();
    let err = client.pipelines().submit(&pipeline, &SubmitOptions::default()).await.unwrap_err();
    let PipelineError::Invalid(problems) = err else { panic!("{err}") };
    assert!(2 <= problems.len(), "no code and a name twice: {problems:#?}");
    assert_eq!(ctx.cloud.export(), before);
}
