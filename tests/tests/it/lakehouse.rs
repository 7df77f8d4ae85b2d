//! What most flows begin with: an open workspace with Databricks attached.

use std::{path::Path, sync::Arc, time::Duration};

use azml::{
    Client,
    auth::ClientSecretCredential,
    compute::{AttachDatabricks, ComputeName, ComputeTarget, Computes},
    core::{Cloud, Result, Session, WaitOptions},
    databricks::{
        Databricks,
        clusters::{ClusterId, Clusters, NewCluster},
        tokens::{NewToken, Tokens},
    },
    pipeline::{DatabricksStep, Pipeline, PipelineData},
    tracking::{NewRun, RemoteRun, SpoolOptions, Tracking},
    workspace::{WorkspaceConfig, WorkspaceRef},
};
use azml_testkit::{
    CLIENT_ID, CLIENT_SECRET, DATABRICKS_ORIGIN, SUBSCRIPTION_ID, TENANT_ID, TestContext,
};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) const COMPUTE: &str = "my-dbx-cluster";

/// Signs in with `secret` as users do: through `azure_identity`.
pub(crate) fn session(ctx: &TestContext, secret: &str) -> Session {
    let (cloud, transport) = (Cloud::public(), ctx.transport());
    let credential = ClientSecretCredential::new(
        &cloud,
        transport.clone(),
        TENANT_ID,
        CLIENT_ID,
        SecretString::from(secret),
    );
    Session::new(cloud, transport, Arc::new(credential.unwrap()))
}

/// Writes `config.json` into `project` and opens the workspace that it names.
pub(crate) async fn open(ctx: &TestContext, project: &Path) -> Client {
    let workspace = WorkspaceRef::new(SUBSCRIPTION_ID, "rg1", "ws1");
    WorkspaceConfig::write(project, &workspace).unwrap();
    Client::open(session(ctx, CLIENT_SECRET), project).await.unwrap()
}

/// More than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3600);

/// Logs to a spool of its own, from which a task of this runtime sends.
pub(crate) fn spooled(tracking: &Tracking) -> (TempDir, Tracking) {
    let folder = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new()
        .with_folder(folder.path())
        .with_runtime(tokio::runtime::Handle::current());
    (folder, tracking.clone().with_spool(options))
}

/// A run as the server has it, which nobody logs to.
pub(crate) async fn remote_run(tracking: &Tracking, experiment: &str) -> RemoteRun {
    let experiment = tracking.experiment(experiment).await.unwrap();
    let runs = tracking.backend().runs();
    let info = runs.start(experiment.info(), &NewRun::new()).await.unwrap();
    tracking.run(&info.id).await.unwrap()
}

pub(crate) async fn running_cluster(databricks: &Databricks) -> ClusterId {
    let clusters = databricks.clusters();
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2").with_num_workers(1);
    let id = clusters.create(&new).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    id
}

pub(crate) async fn access_token(databricks: &Databricks) -> SecretString {
    databricks.tokens().create(&NewToken::default()).await.unwrap().secret
}

pub(crate) async fn attach(client: &Client, token: SecretString) -> Result<ComputeTarget> {
    let attach = AttachDatabricks::by_name("dbx-rg", "dbx-ws", token);
    let name = ComputeName::new(COMPUTE);
    client.computes().attach(&name, &attach).await?.until_done().await
}

/// A workspace with Databricks attached, and a cluster that runs.
pub(crate) async fn ready(ctx: &TestContext, project: &Path) -> (Client, ClusterId) {
    let client = open(ctx, project).await;
    let databricks = client.databricks(DATABRICKS_ORIGIN);
    let cluster = running_cluster(&databricks).await;
    attach(&client, access_token(&databricks).await).await.unwrap();
    (client, cluster)
}

/// A local script that prepares and a notebook that trains on its output.
pub(crate) fn two_steps(project: &Path, cluster: &ClusterId) -> Pipeline {
    let source = project.join("prepare");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("prepare.py"), "print('prepared')\n").unwrap();
    let prepared = PipelineData::new("prepared");
    let prepare = DatabricksStep::new("prepare")
        .with_python_script_name("prepare.py")
        .with_source_directory(source)
        .with_output(&prepared)
        .with_existing_cluster_id(cluster.as_str());
    let train = DatabricksStep::new("train")
        .with_notebook_path("/Shared/train_wine")
        .with_input(&prepared)
        .with_existing_cluster_id(cluster.as_str());
    Pipeline::new("wine").with_default_compute(COMPUTE).with_step(prepare).with_step(train)
}
