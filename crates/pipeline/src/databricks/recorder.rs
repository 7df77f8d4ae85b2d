//! Where runs on Databricks are recorded: one run for the pipeline, a child for each
//! step.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::Result;
use azml_tracking::{ExperimentName, NewRun, RunEnd, RunRef, Tracking};

use crate::{PipelineStatus, StepName, StepStatus};

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunToRecord {
    /// The pipeline.
    pub pipeline: String,
    /// The experiment to record it under.
    pub experiment: String,
    /// Its steps, in the definition's order.
    pub steps: Vec<StepName>,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Tags of the run.
    pub tags: BTreeMap<String, String>,
}

/// A run that is being recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The run of the pipeline.
    pub run: RunRef,
    /// The run of each step.
    pub steps: Vec<RunRef>,
    /// What the code of each step is told, so that it can log to its own run: as
    /// `--NAME value`, or as a widget `--NAME`.
    pub identities: Vec<Vec<(String, String)>>,
}

/// Records runs of pipelines.
///
/// Implemented by [`RecordedIn`]. Implement it yourself to record elsewhere.
#[async_trait]
pub trait RunRecorder: fmt::Debug + Send + Sync {
    /// Begins the run of a pipeline, and one for each step.
    ///
    /// # Errors
    ///
    /// Fails when the runs cannot be made.
    async fn begin(&self, run: &RunToRecord) -> Result<Recording>;

    /// Ends the run of a step.
    ///
    /// # Errors
    ///
    /// Fails when the run cannot be ended.
    async fn end_step(&self, step: &RunRef, status: &StepStatus, error: Option<&str>)
    -> Result<()>;

    /// Ends the run of the pipeline.
    ///
    /// # Errors
    ///
    /// Fails when the run cannot be ended.
    async fn end(&self, run: &RunRef, status: &PipelineStatus) -> Result<()>;
}

const _: fn(&dyn RunRecorder) = |_| ();

/// Records runs in Azure ML or MLflow, whichever a [`Tracking`] leads to.
#[derive(Clone, Debug)]
pub struct RecordedIn {
    tracking: Tracking,
}

impl RecordedIn {
    /// Records in `tracking`.
    pub fn new(tracking: &Tracking) -> Self {
        Self { tracking: tracking.clone() }
    }
}

#[async_trait]
impl RunRecorder for RecordedIn {
    async fn begin(&self, run: &RunToRecord) -> Result<Recording> {
        let backend = self.tracking.backend().clone();
        let name = ExperimentName::new(run.experiment.as_str());
        let experiment = backend.experiments().get_or_create(&name).await?;
        let mut parent = NewRun::new().with_name(&run.pipeline);
        parent.tags = run.tags.clone();
        let parent = backend.runs().start(&experiment, &parent).await?;
        let parent = RunRef::new(experiment.clone(), parent.id);
        if !run.parameters.is_empty() {
            backend.runs().log_params(&parent, &run.parameters).await?;
        }
        let children: Vec<_> =
            run.steps.iter().map(|it| NewRun::new().with_name(it.as_str())).collect();
        let children = backend.runs().start_children(&parent, &children).await?;
        let steps: Vec<_> =
            children.into_iter().map(|it| RunRef::new(experiment.clone(), it.id)).collect();
        let identities = steps.iter().map(|step| {
            vec![
                ("MLFLOW_EXPERIMENT_ID".to_owned(), experiment.id.to_string()),
                ("MLFLOW_EXPERIMENT_NAME".to_owned(), experiment.name.to_string()),
                ("MLFLOW_RUN_ID".to_owned(), step.id.to_string()),
            ]
        });
        let identities = identities.collect();
        Ok(Recording { run: parent, steps, identities })
    }

    async fn end_step(
        &self,
        step: &RunRef,
        status: &StepStatus,
        error: Option<&str>,
    ) -> Result<()> {
        let end = match status {
            StepStatus::Finished => RunEnd::Finished,
            StepStatus::Canceled | StepStatus::Bypassed => RunEnd::Canceled,
            _ => RunEnd::failed(error.unwrap_or("the step failed")),
        };
        self.tracking.backend().runs().end(step, &end, self.tracking.backend().clock().now()).await
    }

    async fn end(&self, run: &RunRef, status: &PipelineStatus) -> Result<()> {
        let end = match status {
            PipelineStatus::Finished => RunEnd::Finished,
            PipelineStatus::Canceled => RunEnd::Canceled,
            _ => RunEnd::failed("a step failed"),
        };
        self.tracking.backend().runs().end(run, &end, self.tracking.backend().clock().now()).await
    }
}

/// Where to record, if anywhere.
pub(super) type Recorder = Option<Arc<dyn RunRecorder>>;
