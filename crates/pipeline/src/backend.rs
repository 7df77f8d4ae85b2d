//! What runs pipelines, and what it says about their runs.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{Clock, string_id};
use time::OffsetDateTime;

use crate::{
    DataName, DataPathParameter, ParameterName, ParameterValue, Pipeline, PipelineError,
    PipelineStatus, Problem, ProblemKind, Result, ReuseExplanation, StepName, StepStatus,
};

string_id! {
    /// Identifies a run of a pipeline. It is also the id of the run that tracks it.
    PipelineRunId
}

string_id! {
    /// Identifies a run of one step. It is also the id of the run that tracks it.
    StepRunId
}

/// Runs pipelines.
///
/// Implemented by [`AzureMlPipelines`](crate::AzureMlPipelines). Implement it
/// yourself to run the same definitions elsewhere; wrap it in
/// [`Pipelines`](crate::Pipelines) to use it.
#[async_trait]
pub trait PipelineBackend: fmt::Debug + Send + Sync {
    /// The clock that paces whoever follows a run.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Checks the pipeline, sends it, and has it started.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) when the definition or
    /// a chosen value is wrong, before anything is sent.
    async fn submit(
        &self,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails>;

    /// Describes a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn get(&self, id: &PipelineRunId) -> Result<PipelineRunDetails>;

    /// Asks a run to end. It ends some time later.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn cancel(&self, id: &PipelineRunId) -> Result<()>;

    /// Runs the graph of an earlier run again: with its values, but for those that
    /// `options` choose anew, and under its experiment unless they name another.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run;
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) from a backend that
    /// does not keep graphs.
    async fn resubmit(
        &self,
        id: &PipelineRunId,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        let _ = (id, options);
        Err(unsupported("resubmit", "submit the definition again"))
    }

    /// Says why an earlier output stood in for a step, or why it did not, compared with
    /// an `earlier` run of the pipeline.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run;
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) from a backend that
    /// reuses nothing.
    async fn explain_reuse(
        &self,
        run: &PipelineRunId,
        step: &StepRun,
        earlier: Option<&PipelineRunId>,
    ) -> Result<ReuseExplanation> {
        let _ = (run, step, earlier);
        Err(unsupported("allow_reuse", "this backend runs every step"))
    }

    /// Describes the runs of the steps, as far as there are any yet.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn steps(&self, run: &PipelineRunDetails) -> Result<Vec<StepRun>>;

    /// What a step has written so far; empty when it has not begun.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn log(&self, run: &PipelineRunId, step: &StepRun, log: StepLog) -> Result<String>;

    /// Where the outputs of a step lie, as far as the service has placed them.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    async fn outputs(&self, run: &PipelineRunId, step: &StepRun) -> Result<Vec<StepOutput>>;
}

const _: fn(&dyn PipelineBackend) = |_| ();

fn unsupported(what: &'static str, remedy: &str) -> PipelineError {
    let message = "this backend cannot do that";
    PipelineError::Invalid(vec![Problem::new(what, ProblemKind::Unsupported, message, remedy)])
}

/// Which of a step's texts is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepLog {
    /// What the code printed.
    Output,
    /// What the code printed as errors.
    Error,
    /// What the service says about the job on Databricks.
    Job,
}

/// Where an output of a step lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepOutput {
    /// The data's name in the pipeline.
    pub name: DataName,
    /// The datastore that holds it.
    pub datastore: String,
    /// Path below the datastore's root.
    pub path: String,
}

impl StepOutput {
    /// An output at `path` of a datastore. Handy in fakes.
    pub fn new(
        name: impl Into<DataName>,
        datastore: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), datastore: datastore.into(), path: path.into() }
    }
}

/// What one submission adds to the definition.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SubmitOptions {
    /// Experiment to run under. `None` is the pipeline's own, or the one of its name.
    pub experiment: Option<String>,
    /// Values for parameters, of the type that the default has.
    pub parameters: Vec<(ParameterName, ParameterValue)>,
    /// Paths for parameters that stand for data.
    pub data_paths: Vec<DataPathParameter>,
    /// Tags of the run.
    pub tags: Vec<(String, String)>,
    /// Runs all steps anew, whatever could be reused.
    pub regenerate_outputs: bool,
}

impl SubmitOptions {
    /// Runs under the experiment of this name.
    #[must_use]
    pub fn with_experiment(self, name: impl Into<String>) -> Self {
        Self { experiment: Some(name.into()), ..self }
    }

    /// Chooses the value of a parameter.
    #[must_use]
    pub fn with_parameter(
        mut self,
        name: impl Into<ParameterName>,
        value: impl Into<ParameterValue>,
    ) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Chooses the path of a parameter that stands for data. Without a datastore it is
    /// in that of the parameter's default.
    #[must_use]
    pub fn with_data_path(mut self, path: DataPathParameter) -> Self {
        self.data_paths.push(path);
        self
    }

    /// Tags the run.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Says whether all steps run anew.
    #[must_use]
    pub fn with_regenerate_outputs(self, regenerate: bool) -> Self {
        Self { regenerate_outputs: regenerate, ..self }
    }
}

/// A run of a pipeline as the service last described it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineRunDetails {
    /// Identifies the run.
    pub id: PipelineRunId,
    /// Experiment that the run belongs to.
    pub experiment: String,
    /// How far it is.
    pub status: PipelineStatus,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
}

impl PipelineRunDetails {
    /// A run that has not started. Handy in fakes.
    pub fn new(id: impl Into<PipelineRunId>, experiment: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            experiment: experiment.into(),
            status: PipelineStatus::NotStarted,
            created_at: None,
            ended_at: None,
        }
    }
}

/// A run of one step as the service last described it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepRun {
    /// Identifies the run.
    pub id: StepRunId,
    /// The step of the pipeline.
    pub name: StepName,
    /// The step's node in the submitted graph.
    pub node_id: String,
    /// How far it is.
    pub status: StepStatus,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When its code began.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// The earlier run whose output stands in for this one's.
    pub reused_from: Option<StepRunId>,
    /// Why it failed.
    pub error: Option<String>,
}

impl StepRun {
    /// A run that has not started. Handy in fakes.
    pub fn new(id: impl Into<StepRunId>, name: impl Into<StepName>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            node_id: String::new(),
            status: StepStatus::NotStarted,
            created_at: None,
            started_at: None,
            ended_at: None,
            reused_from: None,
            error: None,
        }
    }

    /// How long the code ran, if it has ended.
    pub fn duration(&self) -> Option<Duration> {
        (self.ended_at? - self.started_at?).try_into().ok()
    }
}
