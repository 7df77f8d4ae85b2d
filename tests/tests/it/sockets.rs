//! The same clients over a socket and TLS, against the program, with steps
//! that really run on plain Python.

use std::time::Duration;

use azml::core::Session;
use azml::{
    core::{ErrorKind, RetryPolicy, WaitOptions},
    databricks::{
        Databricks,
        clusters::{ClusterId, Clusters, NewCluster},
        workspace_objects::{ImportOptions, Language, WorkspaceObjects, WorkspacePath},
    },
    pipeline::{
        DatabricksStep, FollowOptions, Pipeline, PipelineData, PipelineStatus, StepLog, StepRun,
        SubmitOptions,
    },
    tracking::{RunId, SpoolOptions},
};

use crate::{
    lakehouse::{COMPUTE, access_token, attach, remote_run},
    program::Program,
};

fn quickly() -> WaitOptions {
    WaitOptions::default().with_poll_interval(Duration::from_millis(50))
}

fn following() -> FollowOptions {
    let options = FollowOptions::default().with_poll_interval(Duration::from_millis(50));
    options.with_timeout(Duration::from_secs(60))
}

async fn running_cluster(databricks: &Databricks) -> ClusterId {
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2").with_num_workers(1);
    let id = databricks.clusters().create(&new).await.unwrap();
    databricks.clusters().wait_until_running(&id, quickly()).await.unwrap();
    id
}

const PREPARE: &str = "
import argparse
from databricks.sdk.runtime import dbutils
parser = argparse.ArgumentParser()
parser.add_argument('--prepared')
known, _ = parser.parse_known_args()
dbutils.fs.put(known.prepared + '/numbers.txt', '1 2 3', True)
print('prepared three numbers')
";

const TRAIN: &str = "# Databricks notebook source
numbers = dbutils.fs.head(dbutils.widgets.get('prepared') + '/numbers.txt').split()
print('sum', sum(map(int, numbers)))
# COMMAND ----------
if dbutils.widgets.get('mood') == 'bad':
    raise ValueError('boom')
dbutils.notebook.exit('done')
";

async fn import(databricks: &Databricks, text: &'static str) {
    let path: WorkspacePath = "/Shared/train".parse().unwrap();
    let options = ImportOptions::source(Language::Python);
    databricks.workspace_objects().import(&path, text.into(), &options).await.unwrap();
}

fn pipeline(folder: &std::path::Path, cluster: &ClusterId, mood: &str) -> Pipeline {
    let source = folder.join("prepare");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("prepare.py"), PREPARE).unwrap();
    let prepared = PipelineData::new("prepared");
    let prepare = DatabricksStep::new("prepare")
        .with_python_script_name("prepare.py")
        .with_source_directory(source)
        .with_output(&prepared)
        .with_existing_cluster_id(cluster.as_str());
    let train = DatabricksStep::new("train")
        .with_notebook_path("/Shared/train")
        .with_notebook_param("mood", mood)
        .with_input(&prepared)
        .with_existing_cluster_id(cluster.as_str());
    Pipeline::new("sums").with_default_compute(COMPUTE).with_step(prepare).with_step(train)
}

fn step<'a>(steps: &'a [StepRun], name: &str) -> &'a StepRun {
    steps.iter().find(|it| it.name.as_str() == name).unwrap()
}

#[tokio::test]
async fn steps_execute_on_this_machine_and_hand_on_their_data() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &["--executor", "local"]).await;
    let client = program.client().await;
    let databricks = client.databricks(program.text("tls_url"));
    let cluster = running_cluster(&databricks).await;
    import(&databricks, TRAIN).await;
    attach(&client, access_token(&databricks).await).await.unwrap();

    let pipelines = client.pipelines();
    let good = pipeline(folder.path(), &cluster, "good");
    let run = pipelines.submit(&good, &SubmitOptions::default()).await.unwrap();
    assert_eq!(run.wait(&following()).await.unwrap(), PipelineStatus::Finished);
    let steps = run.steps().await.unwrap();
    let log = run.log(step(&steps, "train"), StepLog::Output).await.unwrap();
    assert_eq!(log, "sum 6\n");

    // A notebook that raises: the last line as the reason, the trace in the log.
    let bad = pipeline(folder.path(), &cluster, "bad");
    let run = pipelines.submit(&bad, &SubmitOptions::default()).await.unwrap();
    assert_eq!(run.wait(&following()).await.unwrap(), PipelineStatus::Failed);
    let steps = run.steps().await.unwrap();
    assert_eq!(step(&steps, "train").error.as_deref(), Some("ValueError: boom"));
    let log = run.log(step(&steps, "train"), StepLog::Output).await.unwrap();
    assert!(log.contains("raise ValueError('boom')"), "{log}");
}

#[tokio::test]
async fn files_go_up_and_down_over_tls_whole() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let client = program.client().await;
    let run = remote_run(client.tracking(), "files").await;
    // More than one block, and not a whole number of them.
    let bytes: Vec<u8> =
        (0..20_000_003_u32).map(|it| it.to_le_bytes()[0] ^ it.to_le_bytes()[1]).collect();
    let file = folder.path().join("large.bin");
    std::fs::write(&file, &bytes).unwrap();
    run.upload_file("outputs/large.bin", &file).await.unwrap();
    let copy = folder.path().join("copy.bin");
    run.download_file("outputs/large.bin", &copy).await.unwrap();
    assert!(std::fs::read(&copy).unwrap() == bytes, "the copy differs");
}

/// Ends the mock at once, as `kill -9` does.
fn kill(program: &mut Program) {
    program.child.kill().unwrap();
    program.child.wait().unwrap();
}

#[tokio::test]
async fn when_the_mock_is_killed_the_client_says_which_call_failed_and_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path(), &[]).await;
    let mut retry = RetryPolicy::default();
    retry.base_delay = Duration::from_millis(10);
    let session: Session = program.session().with_retry(retry);
    let databricks = Databricks::from_session(&session, program.text("tls_url"));
    running_cluster(&databricks).await;
    kill(&mut program);

    let err = databricks.clusters().get(&ClusterId::new("0101-000000-x")).await.unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Unreachable | ErrorKind::Unavailable), "{err}");
    assert!(
        err.to_string().starts_with("databricks.clusters.get failed after 4 attempts"),
        "{err}"
    );
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_killed_mock() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["--data-dir", data.to_str().unwrap()];
    let mut program = Program::start(folder.path(), &arguments).await;
    let client = program.client().await;
    // By a thread of its own, as by default.
    let spool = SpoolOptions::new().with_folder(folder.path().join("spool"));
    let log = client.tracking().clone().with_spool(spool).start_run("kept").unwrap();
    log.log_metric("loss", 0.25).unwrap();
    log.sync(Duration::from_secs(30)).await.unwrap();
    let run = log.connect().await.unwrap();
    run.upload_bytes("outputs/model.json", "{}").await.unwrap();
    let id = RunId::new(run.id().as_str());
    kill(&mut program);
    drop(program);
    std::fs::remove_file(folder.path().join("ready.json")).unwrap();

    let program = Program::start(folder.path(), &arguments).await;
    let kept = program.client().await.tracking().run(&id).await.unwrap();
    let values: Vec<f64> = kept.metric("loss").await.unwrap().iter().map(|it| it.value).collect();
    assert_eq!(values, [0.25]);
    assert_eq!(kept.read_artifact("outputs/model.json").await.unwrap(), "{}");
}
