//! The Databricks side: a cluster with a library, the data, the notebook, a token.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use azml::{
    Client,
    core::FileSource,
    databricks::{
        Databricks,
        clusters::{ClusterId, Clusters, NewCluster},
        dbfs::{Dbfs, DbfsPath},
        libraries::{Libraries, Library},
        tokens::{NewToken, Tokens},
        workspace_objects::{ImportOptions, Language, WorkspaceObjects, WorkspacePath},
    },
};
use secrecy::SecretString;

use crate::{Fixtures, mock::Ready, patience};

pub(crate) const DATA: &str = "/FileStore/wine/winequality-red.csv";
pub(crate) const NOTEBOOK: &str = "/Shared/train_wine";
const LIBRARY: &str = "tabulate==0.9.0";

pub(crate) struct Lakehouse {
    pub(crate) cluster: ClusterId,
    /// Lets Azure ML act on this Databricks workspace.
    pub(crate) token: SecretString,
}

impl Lakehouse {
    /// Does everything as the service principal of `client`.
    pub(crate) async fn prepare(
        client: &Client,
        ready: &Ready,
        fixtures: &Fixtures,
    ) -> anyhow::Result<Self> {
        // One address serves the mock's Databricks workspace too.
        let databricks = client.databricks(ready.tls_url.as_str());
        let cluster = start_cluster(&databricks).await?;
        upload_data(&databricks, &fixtures.data).await?;
        import_notebook(&databricks, &fixtures.notebook).await?;

        let token = NewToken::default()
            .with_comment("Azure ML compute")
            .with_lifetime(Duration::from_secs(24 * 60 * 60));
        let token = databricks.tokens().create(&token).await.context("cannot make a token")?;
        println!("  made access token {} for Azure ML", token.info.token_id);
        Ok(Self { cluster, token: token.secret })
    }
}

async fn start_cluster(databricks: &Databricks) -> anyhow::Result<ClusterId> {
    let clusters = databricks.clusters();
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2")
        .with_cluster_name("wine")
        .with_num_workers(1)
        .with_autotermination(Duration::from_secs(60 * 60));
    let id = clusters.create(&new).await.context("cannot create the cluster")?;
    let running = clusters.wait_until_running(&id, patience()).await;
    running.with_context(|| format!("cluster {id} did not start"))?;

    let libraries = databricks.libraries();
    libraries.install(&id, &[Library::pypi(LIBRARY)]).await?;
    libraries.wait_until_installed(&id, patience()).await?;
    println!("  cluster {id} runs and has {LIBRARY}");
    Ok(id)
}

async fn upload_data(databricks: &Databricks, file: &Path) -> anyhow::Result<()> {
    let path: DbfsPath = DATA.parse()?;
    let source = FileSource::open(file).await?;
    databricks.dbfs().upload(&path, Arc::new(source)).await.context("cannot upload the data")?;
    let status = databricks.dbfs().get_status(&path).await?;
    println!("  {path} has {} bytes", status.len);
    Ok(())
}

async fn import_notebook(databricks: &Databricks, file: &Path) -> anyhow::Result<()> {
    let path: WorkspacePath = NOTEBOOK.parse()?;
    let content = tokio::fs::read(file).await?;
    let options = ImportOptions::source(Language::Python).with_overwrite(true);
    let objects = databricks.workspace_objects();
    objects.import(&path, content.into(), &options).await.context("cannot import the notebook")?;
    println!("  imported {path}");
    Ok(())
}
