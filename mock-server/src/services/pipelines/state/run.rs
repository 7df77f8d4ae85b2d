use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::steps::Steps;
use crate::{services::azure::AtWorkspace, store::Place};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PipelineRun {
    pub(in super::super) id: String,
    pub(in super::super) workspace: Workspace,
    pub(in super::super) experiment: String,
    pub(in super::super) description: String,
    pub(in super::super) graph_id: String,
    /// With the defaults filled in.
    pub(in super::super) parameters: BTreeMap<String, String>,
    /// Values of the parameters that name data, with the defaults filled in.
    pub(in super::super) data_paths: BTreeMap<String, DataPath>,
    pub(in super::super) continues_on_failure: bool,
    /// The published pipeline that it is a run of.
    pub(in super::super) pipeline_id: Option<String>,
    /// The run that submitted it.
    pub(in super::super) parent_run_id: Option<String>,
    pub(in super::super) source: Option<String>,
    pub(in super::super) kind: Option<String>,
    pub(in super::super) tags: BTreeMap<String, String>,
    pub(in super::super) properties: BTreeMap<String, String>,
    pub(in super::super) status: StatusCode,
    pub(in super::super) user: String,
    pub(in super::super) tenant_id: String,
    pub(in super::super) created_at: OffsetDateTime,
    pub(in super::super) submitted_at: Option<OffsetDateTime>,
    pub(in super::super) ended_at: Option<OffsetDateTime>,
    pub(in super::super) is_cancel_requested: bool,
    pub(in super::super) steps: Steps,
}

/// The Azure ML workspace of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Workspace {
    pub(in super::super) subscription: String,
    pub(in super::super) resource_group: String,
    pub(in super::super) name: String,
    pub(in super::super) workspace_id: String,
    pub(in super::super) region: String,
    pub(in super::super) account: String,
}

/// A path below a datastore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataPath {
    pub(in super::super) datastore: String,
    pub(in super::super) path: String,
}

/// One module node of a submitted run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(in super::super) node_id: String,
    pub(in super::super) name: String,
    /// The step's own run in run history.
    pub(in super::super) run_id: String,
    pub(in super::super) status: StatusCode,
    /// Node ids of the steps whose end it waits for.
    pub(in super::super) after: Vec<String>,
    /// The job run that it became: Databricks workspace and run id. That of
    /// its origin, if it is reused.
    pub(in super::super) job_run: Option<(u64, i64)>,
    /// What its outputs depend on, if they may be reused.
    pub(in super::super) fingerprint: Option<String>,
    /// The step whose outputs are its own.
    pub(in super::super) reused: Option<Origin>,
    pub(in super::super) started_at: Option<OffsetDateTime>,
    pub(in super::super) ended_at: Option<OffsetDateTime>,
    /// When its job run began to work, and when it ended.
    #[serde(default)]
    pub(super) job_began_at: Option<OffsetDateTime>,
    #[serde(default)]
    pub(super) job_ended_at: Option<OffsetDateTime>,
}

/// A step that did what others need not do again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(in super::super) pipeline_run_id: String,
    pub(in super::super) node_id: String,
    /// The step's own run in run history.
    pub(in super::super) run_id: String,
    pub(in super::super) job_run: Option<(u64, i64)>,
}

/// The words of this service for runs and steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StatusCode {
    NotStarted,
    Queued,
    Running,
    Failed,
    Finished,
    Canceled,
}

impl StatusCode {
    pub(in super::super) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Failed => "Failed",
            Self::Finished => "Finished",
            Self::Canceled => "Canceled",
        }
    }

    pub(in super::super) fn is_final(self) -> bool {
        matches!(self, Self::Failed | Self::Finished | Self::Canceled)
    }
}

impl From<&AtWorkspace> for Workspace {
    fn from(it: &AtWorkspace) -> Self {
        Self {
            subscription: it.subscription.clone(),
            resource_group: it.resource_group.clone(),
            name: it.name.clone(),
            workspace_id: it.workspace_id.clone(),
            region: it.region.clone(),
            account: it.account.clone(),
        }
    }
}

impl Workspace {
    pub(in super::super) fn place(&self) -> Place {
        Place::AzureMl(self.workspace_id.clone())
    }

    pub(in super::super) fn resource_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.subscription, self.resource_group, self.name
        )
    }
}

impl PipelineRun {
    pub(in super::super) fn step(&self, node_id: &str) -> Option<&Step> {
        self.steps.of_node(node_id)
    }
}

impl Step {
    /// The run in history below whose name the outputs lie.
    pub(in super::super) fn output_run_id(&self) -> &str {
        self.reused.as_ref().map_or(&self.run_id, |it| &it.run_id)
    }

    /// Where the step writes one of its outputs, below its datastore.
    pub(in super::super) fn output_path(&self, port: &str) -> String {
        format!("azureml/{}/{port}", self.output_run_id())
    }
}
