//! Opens a workspace, makes an experiment and a run, logs metrics, completes the run.
//!
//! Signs in as whoever the environment makes one and takes the workspace from
//! `AZURE_SUBSCRIPTION_ID`, `AZML_RESOURCE_GROUP` and `AZML_WORKSPACE`:
//! `cargo run --example hundred_metrics -- 100`.

use std::{env, time::Duration};

use anyhow::Context;
use azml::{Client, workspace::WorkspaceRef};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let count: u32 = env::args().nth(1).map_or(Ok(100), |it| it.parse())?;
    let set = |name: &'static str| env::var(name).with_context(|| format!("{name} is not set"));
    let workspace = WorkspaceRef::new(
        set("AZURE_SUBSCRIPTION_ID")?,
        set("AZML_RESOURCE_GROUP")?,
        set("AZML_WORKSPACE")?,
    );
    let client = Client::from_env(workspace).await?;
    let run = client.tracking().start_run("bench")?;
    for step in 0..count {
        run.log_metric_at("loss", f64::from(step) * 0.5, step.into())?;
    }
    run.finish()?;
    run.sync(Duration::from_secs(60)).await?;
    Ok(())
}
