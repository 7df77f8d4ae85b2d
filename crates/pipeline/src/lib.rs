//! Pipelines of Azure Machine Learning that run on Databricks.
//!
//! A [`Pipeline`] is data: [`DatabricksStep`]s, the [`PipelineData`] between
//! them, and parameters. It is made with builders or read from a YAML file
//! (feature `yaml`), checked without any service, and drawn. A
//! [`PipelineBackend`] runs it:
//!
//! | Backend | What runs the steps |
//! |---|---|
//! | [`AzureMlPipelines`] | the pipelines service behind SDK v1, on attached Databricks workspaces; publishes ([`PublishedPipelines`]) and reuses |
//! | [`DatabricksJobs`] | a Databricks workspace itself, as one run of several tasks, recorded where a [`RunRecorder`] says |
//! | [`DryRun`] | nobody: it keeps what the others would send |
//!
//! ```no_run
//! use azml_pipeline::{
//!     AzureMlPipelines, DatabricksStep, Pipeline, PipelineError, Pipelines, SubmitOptions,
//! };
//! use azml_workspace::Workspace;
//!
//! # async fn demo(workspace: &Workspace) -> Result<(), PipelineError> {
//! let train = DatabricksStep::new("train")
//!     .with_notebook_path("/Shared/train")
//!     .with_compute_target("my-dbx-cluster")
//!     .with_num_workers(2);
//! let pipelines = Pipelines::new(AzureMlPipelines::new(workspace));
//! let run = pipelines.submit(&Pipeline::new("wine").with_step(train), &SubmitOptions::default()).await?;
//! let status = run.wait(&Default::default()).await?;
//! assert!(status.is_success());
//! # Ok(())
//! # }
//! ```

mod azureml;
mod backend;
mod choices;
mod data;
mod databricks;
mod dry_run;
mod error;
mod graph;
mod input;
mod library;
mod parameter;
mod pipeline;
mod plan;
mod published;
#[cfg(test)]
mod recorded;
mod rendering;
mod reuse;
mod run;
mod snapshot;
mod status;
mod step;
mod surroundings;
mod wire;
#[cfg(feature = "yaml")]
mod yaml;

pub use self::{
    azureml::AzureMlPipelines,
    backend::{
        PipelineBackend, PipelineRunDetails, PipelineRunId, StepLog, StepOutput, StepRun,
        StepRunId, SubmitOptions,
    },
    data::{
        DataName, DataPathParameter, DataReference, FileDataset, InputMode, OutputMode,
        PipelineData,
    },
    databricks::{DatabricksJobs, RecordedIn, Recording, RunRecorder, RunToRecord},
    dry_run::{DryRun, DryRunForms},
    error::{PipelineError, Problem, ProblemKind, Result},
    input::{InputSource, StepInput},
    library::Library,
    parameter::{Argument, ParameterName, ParameterValue, PipelineParameter},
    pipeline::Pipeline,
    published::{PublishOptions, PublishedPipeline, PublishedPipelineId, PublishedPipelines},
    reuse::ReuseExplanation,
    run::{FollowOptions, PipelineEvent, PipelineRun, Pipelines},
    status::{PipelineStatus, StepStatus},
    step::{DatabricksStep, StepCluster, StepCode, StepName},
    surroundings::Surroundings,
};
