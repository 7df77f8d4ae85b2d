//! The whole flow on one machine: a mock cloud of its own process, and our
//! clients against it over a socket, from `config.json` to a registered model.
//!
//!     cargo run --example wine -- --mock target/debug/azml-mock
//!
//! `cargo xtask demo` builds what it needs and runs it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its user")]

#[path = "wine/lakehouse.rs"]
mod lakehouse;
#[path = "wine/mock.rs"]
mod mock;
#[path = "wine/progress.rs"]
mod progress;
#[path = "wine/report.rs"]
mod report;
#[path = "wine/training.rs"]
mod training;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use azml::{
    Client,
    auth::ClientSecretCredential,
    compute::{AttachDatabricks, ComputeName, Computes},
    core::{Cloud, ReqwestTransport, Session, WaitOptions},
    workspace::{WorkspaceConfig, WorkspaceRef},
};
use clap::Parser;
use tokio::time::Instant;

use crate::{
    lakehouse::Lakehouse,
    mock::{Mock, Ready},
    report::Summary,
};

const COMPUTE: &str = "my-dbx-cluster";

/// Trains a model of red wine on a mock cloud, with Azure ML and Databricks
#[derive(Debug, Parser)]
struct Arguments {
    /// The program azml-mock
    #[arg(long, env = "AZML_MOCK", value_name = "PATH")]
    mock: PathBuf,
    /// The interpreter that the steps run on
    #[arg(long, env = "AZML_PYTHON", default_value = "python3", value_name = "PATH")]
    python: PathBuf,
    /// The folder with data, notebook and script
    #[arg(long, default_value = "fixtures", value_name = "DIR")]
    fixtures: PathBuf,
    /// Trains in plain Python even where Spark is there
    #[arg(long)]
    no_spark: bool,
    /// Leaves the mock running at the end and prints how to use it
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match demo(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let text = format!("{err:#}");
            eprintln!("error: {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Runs the flow and ends the mock, however the flow ended.
async fn demo(arguments: &Arguments) -> anyhow::Result<()> {
    let scratch = tempfile::Builder::new()
        .prefix("azml-wine-")
        .tempdir()
        .context("cannot make a scratch folder; set TMPDIR to a folder that can be written")?;
    chapter(1, "start the mock cloud");
    let mock = Mock::start(&arguments.mock, &arguments.python, scratch.path(), arguments.keep);
    let mock = mock.await?;
    let outcome = tokio::select! {
        outcome = flow(arguments, &mock.ready, scratch.path()) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if arguments.keep {
        mock.leave(&scratch.keep());
    } else {
        mock.stop().await;
    }
    outcome
}

async fn flow(arguments: &Arguments, ready: &Ready, scratch: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let fixtures = Fixtures::find(&arguments.fixtures)?;
    let engine = engine(arguments);
    let project = scratch.join("project");
    fs::create_dir_all(&project)?;
    let workspace =
        WorkspaceRef::new(&ready.subscription_id, &ready.resource_group, &ready.workspace_name);
    let config = WorkspaceConfig::write(&project, &workspace)?;
    println!("  serves at {}, wrote {}", ready.url, config.display());

    chapter(2, "sign in and open the workspace");
    let client =
        Client::open(session(ready)?, project).await.context("cannot open the workspace")?;
    let opened = client.workspace();
    println!("  {} in {}, as {}", opened.name(), opened.location(), ready.client_id);

    chapter(3, "make Databricks ready");
    let lakehouse = Lakehouse::prepare(&client, ready, &fixtures).await?;

    chapter(4, "attach Databricks as compute");
    attach(&client, ready, &lakehouse).await?;

    chapter(5, "submit the pipeline");
    let pipeline = training::pipeline(COMPUTE, &fixtures.script, &lakehouse, engine);
    let run = training::submit(&client, &pipeline).await?;

    chapter(6, "follow its steps");
    let steps = progress::follow(&run, &pipeline).await?;

    chapter(7, "read the metrics and register the model");
    let trained = training::collect(&client, &run, scratch).await?;
    report::metrics(&trained.metrics);
    println!(
        "  model {} version {}, {} bytes, equal to the run's artifact",
        trained.model.name, trained.model.version, trained.model_bytes
    );

    chapter(8, "summary");
    report::summary(&Summary {
        engine,
        run: run.id(),
        steps: &steps,
        trained: &trained,
        took: started.elapsed(),
    });
    Ok(())
}

fn chapter(number: u32, title: &str) {
    println!("{number}/8 {title}");
}

/// Looks often: the mock is quick.
fn patience() -> WaitOptions {
    WaitOptions::default().with_poll_interval(Duration::from_millis(200))
}

fn session(ready: &Ready) -> anyhow::Result<Session> {
    let pem = fs::read(&ready.ca_file)
        .with_context(|| format!("cannot read the mock's certificate {}", ready.ca_file))?;
    let transport =
        ReqwestTransport::builder().with_root_certificates_pem(pem).with_proxy_from_env(false);
    let transport = Arc::new(transport.build()?);
    let cloud = Cloud::at_origin(ready.tls_url.as_str());
    let credential = ClientSecretCredential::new(
        &cloud,
        transport.clone(),
        ready.tenant_id.as_str(),
        ready.client_id.as_str(),
        ready.client_secret.clone(),
    )?;
    Ok(Session::new(cloud, transport, Arc::new(credential)))
}

async fn attach(client: &Client, ready: &Ready, lakehouse: &Lakehouse) -> anyhow::Result<()> {
    let computes = client.computes();
    let name = ComputeName::new(COMPUTE);
    let attach = AttachDatabricks::by_name(
        ready.databricks_resource_group.as_str(),
        ready.databricks_workspace_name.as_str(),
        lakehouse.token.clone(),
    );
    let attaching = computes.attach(&name, &attach).await?.with_options(patience());
    attaching.until_done().await.with_context(|| format!("cannot attach {COMPUTE}"))?;
    let target = computes.get(&name).await?;
    let resource =
        target.resource_id.context("the compute target names no Databricks workspace")?;
    println!("  {} is {}", target.name, resource);
    Ok(())
}

/// Spark, or plain Python when the user wants it or Spark is missing.
fn engine(arguments: &Arguments) -> &'static str {
    if arguments.no_spark {
        println!("  trains in plain Python (--no-spark)");
        return "python";
    }
    let mut probe = Command::new(&arguments.python);
    probe.args(["-c", "import pyspark"]).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|it| it.success()) {
        return "spark";
    }
    println!("  {} has no pyspark: trains in plain Python", arguments.python.display());
    "python"
}

/// The files that the flow works on.
#[derive(Debug)]
struct Fixtures {
    data: PathBuf,
    notebook: PathBuf,
    script: PathBuf,
}

impl Fixtures {
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let found = Self {
            data: folder.join("data/winequality-red.csv"),
            notebook: folder.join("notebooks/train_wine.py"),
            script: folder.join("scripts/prepare"),
        };
        for path in [&found.data, &found.notebook, &found.script] {
            if !path.exists() {
                bail!(
                    "{} is missing; name the repository's folder of fixtures with --fixtures",
                    path.display()
                );
            }
        }
        Ok(found)
    }
}
