//! `cargo xtask bench`: figures of a release build, beside their limits and baselines.

mod http;
mod jobs;
mod mlflow;
mod mock_cloud;
mod pipelines;
mod served;
mod spark;
mod tracking_client;
mod tracking_flow;

use crate::project::Project;

#[derive(Clone, Copy, clap::ValueEnum)]
enum Benchmark {
    /// Start and idle memory of the mock cloud
    Mock,
    /// A run with 100 metrics: azml beside azureml-core
    Tracking,
    /// What a log call costs, and what is lost when the process is killed: azml beside
    /// other tracking clients
    TrackingClient,
    /// Pages of 10,000 jobs and 100,000 runs
    Jobs,
    /// MLflow's calls: what they cost the mock, `mlflow server` and `fml`
    Mlflow,
    /// A pipeline of 1,000 steps, a folder of 10,000 files
    Pipelines,
    /// A Spark task on a cluster whose JVM is warm, beside one that starts it
    Spark,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure; everything when left out
    name: Option<Benchmark>,
    /// Fails when a figure is beyond its limit
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    mlflow: mlflow::Choices,
}

pub(crate) fn run(project: &Project, options: &Options) -> anyhow::Result<()> {
    if let None | Some(Benchmark::Mock) = options.name {
        mock_cloud::run(project, options.check)?;
    }
    if let None | Some(Benchmark::Tracking) = options.name {
        tracking_flow::run(project, options.check)?;
    }
    if let None | Some(Benchmark::TrackingClient) = options.name {
        tracking_client::run(project, options.check)?;
    }
    if let None | Some(Benchmark::Jobs) = options.name {
        jobs::run(project, options.check)?;
    }
    if let None | Some(Benchmark::Mlflow) = options.name {
        mlflow::run(project, &options.mlflow, options.check)?;
    }
    if let None | Some(Benchmark::Pipelines) = options.name {
        pipelines::run(project, options.check)?;
    }
    if let None | Some(Benchmark::Spark) = options.name {
        spark::run(project, options.check)?;
    }
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        assert_eq!(median(&mut [9.0, 1.0, 5.0]).to_bits(), 5.0_f64.to_bits());
    }
}
