//! Measures 1,000 steps submitted, run and followed on the mock cloud within this
//! process: `cargo run --release -p azml-pipeline --example follow`.
//!
//! Prints one JSON document: the median of several rounds, in milliseconds.
#![expect(clippy::print_stdout, reason = "a program talks to its terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures the wall clock")]

#[path = "thousand/mod.rs"]
mod thousand;

use std::{error::Error, time::Instant};

use azml_compute::{AttachDatabricks, ComputeName, Computes, ComputesClient};
use azml_databricks::{
    Databricks,
    tokens::{NewToken, Tokens},
};
use azml_mock::MockCloud;
use azml_pipeline::{AzureMlPipelines, FollowOptions, PipelineEvent, Pipelines, SubmitOptions};
use azml_testkit::{DATABRICKS_ORIGIN, SUBSCRIPTION_ID, TestContext};
use azml_workspace::{Workspace, WorkspaceRef};
use futures_util::TryStreamExt;

const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    // Their files stay to the end: a file system makes files slowly where it has just
    // removed some.
    let (mut rounds, mut clouds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (took, cloud) = follow_thousand_steps()?;
        rounds.push(took);
        clouds.push(cloud);
    }
    println!("{}", serde_json::json!({ "thousand_steps_followed_ms": median(rounds) }));
    Ok(())
}

/// Submits, runs and follows, with tasks and clusters that take no time.
fn follow_thousand_steps() -> Result<(f64, TestContext), Box<dyn Error>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build()?.block_on(async {
        let ctx = TestContext { cloud: MockCloud::builder().with_delay(0.0).build()? };
        ctx.cloud.set_outcomes(&serde_json::json!([{"task": "*", "result": "SUCCESS"}]))?;
        let session = ctx.session();
        let reference = WorkspaceRef::new(SUBSCRIPTION_ID, "rg1", "ws1");
        let workspace = Workspace::get(&session, reference).await?;
        let databricks = Databricks::from_session(&session, DATABRICKS_ORIGIN);
        let token = databricks.tokens().create(&NewToken::default()).await?.secret;
        let attach = AttachDatabricks::by_name("dbx-rg", "dbx-ws", token);
        let computes = ComputesClient::new(&workspace);
        computes.attach(&ComputeName::new("dbx"), &attach).await?.until_done().await?;

        let pipelines = Pipelines::new(AzureMlPipelines::new(&workspace));
        let start = Instant::now();
        let run = pipelines.submit(&thousand::steps(), &SubmitOptions::default()).await?;
        let events: Vec<PipelineEvent> =
            run.follow(&FollowOptions::default()).try_collect().await?;
        let took = start.elapsed().as_secs_f64() * 1e3;
        let ended = |it: &&PipelineEvent| matches!(it, PipelineEvent::StepFinished(_));
        assert_eq!(events.iter().filter(ended).count(), thousand::STEPS, "each step ends");
        Ok((took, ctx))
    })
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
