//! Experiments, runs, metrics, artifacts and registered models, on Azure ML
//! run history or on anything that speaks the MLflow REST API.
//!
//! Pick a backend, and use the same [`Tracking`], [`Experiment`] and [`Run`] on each:
//!
//! ```no_run
//! use azml_core::{Endpoint, ResourceId};
//! use azml_tracking::{AzureMlTracking, Tracking};
//!
//! # async fn demo(data_plane: Endpoint, workspace: ResourceId) -> azml_core::Result<()> {
//! let tracking = Tracking::new(AzureMlTracking::new(data_plane, workspace));
//! let experiment = tracking.experiment("wine").await?;
//! let run = experiment.start_run().await?;
//! for (step, loss) in [0.9, 0.5, 0.3].into_iter().enumerate() {
//!     run.log_metric_at("loss", loss, step as i64).await?;
//! }
//! run.set_tag("stage", "test").await?;
//! run.upload_file("outputs/model.json", "model.json").await?;
//! run.finish().await?;
//! # Ok(())
//! # }
//! ```

pub mod artifacts;
mod azureml;
mod destination;
mod environment;
pub mod experiments;
pub mod metrics;
mod mlflow;
pub mod models;
mod run;
pub mod runs;
mod spool;
#[cfg(test)]
mod testing;
mod tracking;
pub mod transfer;

pub use crate::{
    artifacts::{Artifact, ArtifactPath, Artifacts},
    azureml::AzureMlTracking,
    destination::Destination,
    environment::RunEnvironment,
    experiments::{ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments},
    metrics::{
        Metric, MetricKey, MetricKind, MetricRow, MetricSeries, MetricSummary, MetricValue,
        Metrics, PendingMetric,
    },
    mlflow::MlflowTracking,
    models::{
        ModelName, ModelQuery, ModelSource, ModelUpdate, ModelVersion, ModelVersionNumber,
        NewModel, RegisteredModels,
    },
    run::{MetricBatch, Run},
    runs::{
        NewRun, RunDetails, RunEnd, RunError, RunId, RunInfo, RunQuery, RunRef, RunStatus, Runs,
    },
    spool::{Durability, SpoolOptions, WhenFull},
    tracking::{Experiment, Tracking, TrackingBackend},
    transfer::{TransferOptions, TransferProgress, Upload},
};
