//! Pipelines as Azure ML runs them (the service behind SDK v1).

mod history;
mod ops;
mod prepare;
mod published;
mod resubmit;
mod reuse;
mod snapshots;
mod submit;
mod wire;

#[cfg(all(test, feature = "yaml"))]
pub(crate) use self::{published::publication, wire::saved_dataset};

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use azml_core::{Clock, Endpoint, ErrorKind};
use azml_tracking::AzureMlTracking;
use azml_workspace::Workspace;

use crate::{
    Pipeline, PipelineBackend, PipelineRunDetails, PipelineRunId, Result, ReuseExplanation,
    StepLog, StepOutput, StepRun, SubmitOptions,
};

/// The pipelines of one Azure ML workspace.
///
/// Submitting creates the experiment if need be, uploads the folders of local
/// scripts, and makes only those definitions that the workspace does not have.
#[derive(Clone, Debug)]
pub struct AzureMlPipelines {
    workspace: Workspace,
    snapshots: snapshots::KnownSnapshots,
}

impl AzureMlPipelines {
    /// The pipelines of `workspace`.
    pub fn new(workspace: &Workspace) -> Self {
        Self { workspace: workspace.clone(), snapshots: snapshots::KnownSnapshots::default() }
    }

    /// Remembers in `folder` which files have been uploaded, so that later processes
    /// upload only those that have changed. Without it, only this client and its clones
    /// remember. The files hold names and hashes, no contents.
    #[must_use]
    pub fn with_snapshot_cache(self, folder: impl Into<PathBuf>) -> Self {
        Self { snapshots: snapshots::KnownSnapshots::kept_in(folder.into()), ..self }
    }

    async fn data_plane(&self) -> Result<Endpoint> {
        Ok(self.workspace.data_plane().await?)
    }

    async fn tracking(&self) -> Result<AzureMlTracking> {
        Ok(AzureMlTracking::new(self.data_plane().await?, self.workspace.id().clone()))
    }

    fn scope(&self) -> String {
        self.workspace.id().to_string()
    }
}

#[async_trait]
impl PipelineBackend for AzureMlPipelines {
    fn clock(&self) -> Arc<dyn Clock> {
        self.workspace.arm().clock().clone()
    }

    async fn submit(
        &self,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        submit::submit(self, pipeline, options).await
    }

    async fn get(&self, id: &PipelineRunId) -> Result<PipelineRunDetails> {
        let endpoint = self.data_plane().await?;
        Ok(endpoint.call(&ops::GetRun { workspace: &self.scope(), id }).await?.into())
    }

    async fn cancel(&self, id: &PipelineRunId) -> Result<()> {
        let endpoint = self.data_plane().await?;
        Ok(endpoint.call(&ops::Cancel { workspace: &self.scope(), id }).await?)
    }

    async fn resubmit(
        &self,
        id: &PipelineRunId,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        resubmit::resubmit(self, id, options).await
    }

    async fn explain_reuse(
        &self,
        run: &PipelineRunId,
        step: &StepRun,
        earlier: Option<&PipelineRunId>,
    ) -> Result<ReuseExplanation> {
        reuse::explain(self, run, step, earlier).await
    }

    async fn steps(&self, run: &PipelineRunDetails) -> Result<Vec<StepRun>> {
        let tracking = self.tracking().await?;
        Ok(history::steps(&tracking, run).await?)
    }

    async fn log(&self, run: &PipelineRunId, step: &StepRun, log: StepLog) -> Result<String> {
        let endpoint = self.data_plane().await?;
        let (workspace, node) = (self.scope(), step.node_id.as_str());
        let text = match log {
            StepLog::Output => {
                endpoint.call(&ops::Stdout { workspace: &workspace, run, node }).await
            }
            StepLog::Error => {
                endpoint.call(&ops::Stderr { workspace: &workspace, run, node }).await
            }
            StepLog::Job => endpoint.call(&ops::JobLog { workspace: &workspace, run, node }).await,
        };
        match text {
            // The log of a step that has not begun does not exist.
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(String::new()),
            text => Ok(text?),
        }
    }

    async fn outputs(&self, run: &PipelineRunId, step: &StepRun) -> Result<Vec<StepOutput>> {
        let endpoint = self.data_plane().await?;
        let (workspace, node) = (&self.scope(), step.node_id.as_str());
        Ok(endpoint.call(&ops::Outputs { workspace, run, node }).await?)
    }
}
