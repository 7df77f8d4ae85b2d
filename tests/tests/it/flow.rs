//! The whole flow, in-process, under virtual time: from `config.json` to a
//! registered model, with tasks that rules decide.

use std::time::Duration;

use azml::{
    compute::{ComputeName, Computes},
    core::{FileSource, WaitOptions},
    databricks::{
        dbfs::DbfsPath,
        libraries::{Libraries, Library},
        workspace_objects::{ImportOptions, Language, WorkspaceObjects, WorkspacePath},
    },
    pipeline::{FollowOptions, PipelineEvent, PipelineStatus, StepLog, StepStatus, SubmitOptions},
    tracking::{ArtifactPath, ModelQuery, NewModel, RunId},
};
use azml_testkit::{DATABRICKS_ORIGIN, TestContext};
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::time::Instant;

use crate::lakehouse::{COMPUTE, access_token, attach, open, ready, running_cluster, two_steps};

fn fixture(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(path)
}

#[tokio::test(start_paused = true)]
async fn the_whole_flow_from_config_json_to_a_registered_model() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    ctx.cloud
        .set_outcomes(&json!([
            {"task": "prepare", "result": "SUCCESS", "after_seconds": 30, "log": "prepared\n",
             "outputs": {"prepared": {"train.csv": "1,2\n", "test.csv": "3,4\n"}}},
            {"notebook_path": "/Shared/train_wine", "result": "SUCCESS", "after_seconds": 90,
             "log": "trained\n", "output": "{}",
             "metrics": {"train_rmse": [0.9, 0.7, 0.6], "rmse": 0.64},
             "artifacts": {"outputs/model.json": "{\"weights\":[1,2]}"}},
        ]))
        .unwrap();

    // Sign in, open the workspace, make Databricks ready.
    let client = open(&ctx, project.path()).await;
    assert_eq!(client.workspace().location(), "eastus");
    let databricks = client.databricks(DATABRICKS_ORIGIN);
    let start = Instant::now();
    let cluster = running_cluster(&databricks).await;
    assert_eq!(start.elapsed().as_secs(), 4 * 60, "a cluster takes four minutes");
    databricks.libraries().install(&cluster, &[Library::pypi("tabulate==0.9.0")]).await.unwrap();
    databricks.libraries().wait_until_installed(&cluster, WaitOptions::default()).await.unwrap();

    let path: DbfsPath = "/FileStore/wine/winequality-red.csv".parse().unwrap();
    let file = fixture("data/winequality-red.csv");
    let source = FileSource::open(&file).await.unwrap();
    databricks.dbfs().upload(&path, std::sync::Arc::new(source)).await.unwrap();
    let stored = databricks.dbfs().read_all(&path).await.unwrap();
    assert_eq!(stored, std::fs::read(&file).unwrap());
    let notebook = std::fs::read(fixture("notebooks/train_wine.py")).unwrap();
    let target: WorkspacePath = "/Shared/train_wine".parse().unwrap();
    let options = ImportOptions::source(Language::Python);
    databricks.workspace_objects().import(&target, notebook.into(), &options).await.unwrap();

    // Attach, and read back.
    let token = access_token(&databricks).await;
    attach(&client, token).await.unwrap();
    let compute = client.computes().get(&ComputeName::new(COMPUTE)).await.unwrap();
    assert_eq!(compute.resource_id.unwrap().name(), "dbx-ws");

    // Submit, follow to the end.
    let pipeline = two_steps(project.path(), &cluster);
    let run = client.pipelines().submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    let events: Vec<PipelineEvent> =
        run.follow(&FollowOptions::default()).try_collect().await.unwrap();
    assert_eq!(events.last(), Some(&PipelineEvent::Finished(PipelineStatus::Finished)));
    let steps = run.steps().await.unwrap();
    let step = |name: &str| steps.iter().find(|it| it.name.as_str() == name).unwrap();
    assert_eq!(step("prepare").duration(), Some(Duration::from_secs(30)));
    assert_eq!(step("train").duration(), Some(Duration::from_secs(90)));
    assert!(step("prepare").ended_at <= step("train").started_at, "one after the other");
    assert_eq!(run.log(step("train"), StepLog::Output).await.unwrap(), "trained\n");

    // What the training left: metrics, an artifact, a registered model.
    let trained = client.tracking().run(&RunId::new(step("train").id.as_str())).await.unwrap();
    let values: Vec<f64> =
        trained.metric("train_rmse").await.unwrap().iter().map(|it| it.value).collect();
    assert_eq!(values, [0.9, 0.7, 0.6]);
    let original = trained.read_artifact("outputs/model.json").await.unwrap();
    let new = NewModel::new("wine-quality", ArtifactPath::parse("outputs/model.json").unwrap());
    let model = trained.register_model(&new).await.unwrap();
    let query = ModelQuery::new().with_name("wine-quality");
    let listed: Vec<_> = client.tracking().models(&query).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    let folder = project.path().join("model");
    let files = client.tracking().download_model(&model, &folder).await.unwrap();
    assert_eq!(std::fs::read(&files[0]).unwrap(), original);
}

#[tokio::test(start_paused = true)]
async fn a_notebook_that_raises_fails_its_step_with_the_last_line_and_skips_what_follows() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    ctx.cloud
        .set_outcomes(&json!([
            {"task": "prepare", "result": "FAILED", "error": "ValueError: boom",
             "log": "Traceback\nValueError: boom\n"},
        ]))
        .unwrap();
    let (client, cluster) = ready(&ctx, project.path()).await;
    let pipeline = two_steps(project.path(), &cluster);
    let run = client.pipelines().submit(&pipeline, &SubmitOptions::default()).await.unwrap();

    assert_eq!(run.wait(&FollowOptions::default()).await.unwrap(), PipelineStatus::Failed);
    let steps = run.steps().await.unwrap();
    let step = |name: &str| steps.iter().find(|it| it.name.as_str() == name).unwrap();
    assert_eq!(step("prepare").error.as_deref(), Some("ValueError: boom"));
    assert_eq!((&step("train").status, step("train").started_at), (&StepStatus::Canceled, None));
    let log = run.log(step("prepare"), StepLog::Output).await.unwrap();
    assert_eq!(log, "Traceback\nValueError: boom\n");
}

#[tokio::test(start_paused = true)]
async fn a_canceled_pipeline_ends_its_running_step_too() {
    let ctx = TestContext::new();
    let project = tempfile::tempdir().unwrap();
    ctx.cloud.set_outcomes(&json!([{"task": "prepare", "result": "RUNNING"}])).unwrap();
    let (client, cluster) = ready(&ctx, project.path()).await;
    let pipeline = two_steps(project.path(), &cluster);
    let run = client.pipelines().submit(&pipeline, &SubmitOptions::default()).await.unwrap();
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(run.status().await.unwrap(), PipelineStatus::Running);

    run.cancel().await.unwrap();
    assert_eq!(run.wait(&FollowOptions::default()).await.unwrap(), PipelineStatus::Canceled);
}
