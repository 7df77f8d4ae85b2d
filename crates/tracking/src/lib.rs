//! Experiments, runs, metrics, artifacts and registered models, on Azure ML
//! run history or on anything that speaks the MLflow REST API.
//!
//! Pick a backend, and use the same [`Tracking`] and [`Run`] on each:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use azml_core::{Endpoint, ResourceId};
//! use azml_tracking::{AzureMlTracking, Tracking};
//!
//! # async fn demo(data_plane: Endpoint, workspace: ResourceId) -> azml_core::Result<()> {
//! let tracking = Tracking::new(AzureMlTracking::new(data_plane, workspace));
//! let run = tracking.start_run("wine")?;
//! run.log_params([("alpha", 0.5)])?;
//! for (step, loss) in [0.9, 0.5, 0.3].into_iter().enumerate() {
//!     run.log_metric_at("loss", loss, step as i64)?;
//! }
//! run.set_tag("stage", "test")?;
//! run.log_artifact("outputs/model.json", "model.json")?;
//! run.finish()?;
//! run.sync(Duration::from_secs(60)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What waits
//!
//! [`Run`] is for logging, and never waits for a network: what it logs goes to a
//! [spool](SpoolOptions) on the disk of this machine, outlives the process, and is
//! brought to the server by a thread, once in effect. Only its `async` methods wait:
//! [`Run::id`], [`Run::connect`] and [`Run::sync`].
//!
//! [`RemoteRun`] is a run as the server has it, for reading and for what needs an
//! answer. Each of its calls asks the server and waits, as do those of
//! [`Experiment`] and the `async` ones of [`Tracking`].

pub mod artifacts;
#[cfg(feature = "azureml")]
mod azureml;
mod destination;
#[cfg(feature = "azureml")]
mod environment;
pub mod experiments;
mod folder;
#[cfg(feature = "layer")]
mod layer;
mod limits;
pub mod metrics;
mod mlflow;
pub mod models;
mod recovery;
mod remote;
mod run;
pub mod runs;
mod spool;
#[cfg(test)]
mod testing;
mod tracking;
pub mod transfer;
mod upload;

#[cfg(feature = "layer")]
pub use crate::layer::TrackingLayer;
pub use crate::{
    artifacts::{Artifact, ArtifactPath, Artifacts},
    destination::Destination,
    experiments::{ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments},
    folder::FolderTracking,
    limits::BatchLimits,
    metrics::{
        Metric, MetricKey, MetricKind, MetricRow, MetricSeries, MetricSummary, MetricValue,
        Metrics, PendingMetric,
    },
    mlflow::{MlflowServer, MlflowTracking},
    models::{
        ModelName, ModelQuery, ModelSource, ModelStage, ModelUpdate, ModelVersion,
        ModelVersionNumber, NewModel, RegisteredModel, RegisteredModels,
    },
    recovery::{Recovery, Spool, SpooledRun, Uploaded},
    remote::RemoteRun,
    run::{MetricHandle, Run},
    runs::{
        NewRun, RunBatch, RunDetails, RunEnd, RunError, RunId, RunInfo, RunQuery, RunRef,
        RunStatus, Runs,
    },
    spool::{Durability, SpoolOptions, WhenFull},
    tracking::{Experiment, Tracking, TrackingBackend},
    transfer::{TransferOptions, TransferProgress, Upload},
};
#[cfg(feature = "azureml")]
pub use crate::{azureml::AzureMlTracking, environment::RunEnvironment};
