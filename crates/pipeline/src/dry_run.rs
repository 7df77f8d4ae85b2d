//! Shows what would be sent, and sends nothing.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azml_core::{Clock, Error, ErrorKind, TokioClock};

use crate::{
    DatabricksJobs, Pipeline, PipelineBackend, PipelineRunDetails, PipelineRunId, PipelineStatus,
    Result, StepLog, StepOutput, StepRun, StepStatus, SubmitOptions,
};

/// A backend that checks a pipeline and keeps what the others would send.
///
/// Its runs are over at once, and their steps were left out; the job log of each is both
/// forms of its pipeline, a line each.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    runs: Arc<Mutex<Vec<Kept>>>,
}

/// What would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryRunForms {
    /// The body of the submission to Azure ML, with the definitions of its steps: see
    /// [`Pipeline::to_wire`].
    pub azure_ml: String,
    /// The body of the run on Databricks: see [`DatabricksJobs::preview`].
    pub databricks: String,
}

#[derive(Clone, Debug)]
struct Kept {
    experiment: String,
    steps: Vec<StepRun>,
    forms: DryRunForms,
}

impl DryRun {
    /// A backend without runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// What both backends would send for `pipeline`.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) with all problems.
    pub async fn forms(pipeline: &Pipeline, options: &SubmitOptions) -> Result<DryRunForms> {
        let databricks = DatabricksJobs::preview(pipeline, options).await?;
        Ok(DryRunForms { azure_ml: pipeline.to_wire(options)?, databricks })
    }

    /// What would have been sent for a run of this backend.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub fn forms_of(&self, id: &PipelineRunId) -> Result<DryRunForms> {
        Ok(self.kept(id)?.forms)
    }

    fn kept(&self, id: &PipelineRunId) -> Result<Kept> {
        let number = id.as_str().strip_prefix("dry-run-").and_then(|it| it.parse().ok());
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = number.and_then(|it: usize| runs.get(it.checked_sub(1)?)).cloned();
        Ok(kept.ok_or_else(|| {
            let reason = format!("there is no run {id}");
            Error::explained("pipelines.dry_run", ErrorKind::NotFound, reason)
        })?)
    }
}

#[async_trait]
impl PipelineBackend for DryRun {
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(TokioClock::new())
    }

    async fn submit(
        &self,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        let forms = Self::forms(pipeline, options).await?;
        let experiment = options.experiment.as_ref().or(pipeline.experiment.as_ref());
        let experiment = experiment.unwrap_or(&pipeline.name).clone();
        let steps = pipeline.steps.iter().map(|step| StepRun {
            status: StepStatus::Bypassed,
            ..StepRun::new(step.name.as_str(), step.name.clone())
        });
        let kept = Kept { experiment, steps: steps.collect(), forms };
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("dry-run-{}", runs.len() + 1);
        let details = PipelineRunDetails::new(id, kept.experiment.as_str());
        runs.push(kept);
        Ok(PipelineRunDetails { status: PipelineStatus::Finished, ..details })
    }

    async fn get(&self, id: &PipelineRunId) -> Result<PipelineRunDetails> {
        let details = PipelineRunDetails::new(id.as_str(), self.kept(id)?.experiment);
        Ok(PipelineRunDetails { status: PipelineStatus::Finished, ..details })
    }

    async fn cancel(&self, id: &PipelineRunId) -> Result<()> {
        self.kept(id).map(|_| ())
    }

    async fn steps(&self, run: &PipelineRunDetails) -> Result<Vec<StepRun>> {
        Ok(self.kept(&run.id)?.steps)
    }

    async fn log(&self, run: &PipelineRunId, _: &StepRun, log: StepLog) -> Result<String> {
        let forms = self.kept(run)?.forms;
        Ok(match log {
            StepLog::Job => format!("{}\n{}\n", forms.azure_ml, forms.databricks),
            StepLog::Output | StepLog::Error => String::new(),
        })
    }

    async fn outputs(&self, run: &PipelineRunId, _: &StepRun) -> Result<Vec<StepOutput>> {
        self.kept(run).map(|_| Vec::new())
    }
}
