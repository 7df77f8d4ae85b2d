//! The rules of the service. `graph` is what a pipeline is, `schedule` what
//! happens to it and when, `task` what a step becomes on Databricks.

mod graph;
mod schedule;
mod task;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

pub(crate) use self::schedule::{Due, decide_due};
pub(super) use self::{
    graph::{Assigned, Binding, Edge, Graph, Node},
    schedule::{decide_cancel, decide_submit},
    task::output_path,
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, effects::Effect},
    services::azure::AtWorkspace,
    store::Place,
};

/// Modules, data sources, graphs and runs of all Azure ML workspaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipelines {
    /// Modules and data sources as the client described them, with what the
    /// service adds.
    modules: BTreeMap<String, Value>,
    module_hashes: BTreeMap<String, String>,
    data_sources: BTreeMap<String, Value>,
    data_source_hashes: BTreeMap<String, String>,
    graphs: BTreeMap<String, Graph>,
    runs: BTreeMap<String, PipelineRun>,
    /// Submitted runs that have not ended.
    unsettled: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PipelineRun {
    pub(super) id: String,
    pub(super) workspace: Workspace,
    pub(super) experiment: String,
    pub(super) description: String,
    pub(super) graph_id: String,
    /// With the defaults filled in.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) continues_on_failure: bool,
    pub(super) status: StatusCode,
    pub(super) user: String,
    pub(super) tenant_id: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) submitted_at: Option<OffsetDateTime>,
    pub(super) ended_at: Option<OffsetDateTime>,
    pub(super) is_cancel_requested: bool,
    pub(super) steps: Vec<Step>,
}

/// The Azure ML workspace of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Workspace {
    pub(super) subscription: String,
    pub(super) resource_group: String,
    pub(super) name: String,
    pub(super) workspace_id: String,
    pub(super) region: String,
    pub(super) account: String,
}

/// One module node of a submitted run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(super) node_id: String,
    pub(super) name: String,
    /// The step's own run in run history.
    pub(super) run_id: String,
    pub(super) status: StatusCode,
    /// Node ids of the steps whose end it waits for.
    pub(super) after: Vec<String>,
    /// The job run that it became: Databricks workspace and run id.
    pub(super) job_run: Option<(u64, i64)>,
    pub(super) ended_at: Option<OffsetDateTime>,
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ModuleCreated {
        id: String,
        hash: String,
        body: Value,
    },
    DataSourceCreated {
        id: String,
        hash: String,
        body: Value,
    },
    RunCreated {
        run: Box<PipelineRun>,
        graph: Box<Graph>,
    },
    Submitted {
        run_id: String,
        steps: Vec<Step>,
        at: OffsetDateTime,
    },
    /// The step became a job run. `files` are blobs that lie on DBFS first.
    StepSubmitted {
        run_id: String,
        node_id: String,
        workspace: u64,
        job_run: i64,
        files: Vec<CopiedFile>,
    },
    StepStarted {
        run_id: String,
        node_id: String,
    },
    StepEnded {
        run_id: String,
        node_id: String,
        status: StatusCode,
        at: OffsetDateTime,
    },
    CancelRequested {
        run_id: String,
    },
    Ended {
        run_id: String,
        status: StatusCode,
        at: OffsetDateTime,
    },
}

/// A file of a snapshot on its way to a Databricks workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CopiedFile {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) blob: String,
    pub(crate) workspace: u64,
    /// Relative to `dbfs:/`.
    pub(crate) path: String,
}

impl StatusCode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Failed => "Failed",
            Self::Finished => "Finished",
            Self::Canceled => "Canceled",
        }
    }

    pub(super) fn is_final(self) -> bool {
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
    pub(super) fn place(&self) -> Place {
        Place::AzureMl(self.workspace_id.clone())
    }

    /// The container of the default datastore.
    pub(super) fn container(&self) -> String {
        format!("azureml-blobstore-{}", self.workspace_id)
    }

    pub(super) fn resource_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.subscription, self.resource_group, self.name
        )
    }
}

impl PipelineRun {
    pub(super) fn step(&self, node_id: &str) -> Option<&Step> {
        self.steps.iter().find(|it| it.node_id == node_id)
    }
}

impl Pipelines {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::ModuleCreated { id, hash, body } => {
                self.module_hashes.insert(hash, id.clone());
                self.modules.insert(id, body);
            }
            Event::DataSourceCreated { id, hash, body } => {
                self.data_source_hashes.insert(hash, id.clone());
                self.data_sources.insert(id, body);
            }
            Event::RunCreated { run, graph } => {
                self.graphs.insert(run.graph_id.clone(), *graph);
                self.runs.insert(run.id.clone(), *run);
            }
            Event::Submitted { run_id, steps, at } => {
                self.unsettled.insert(run_id.clone());
                self.with(&run_id, |run| {
                    (run.steps, run.submitted_at) = (steps, Some(at));
                    run.status = StatusCode::Running;
                });
            }
            Event::StepSubmitted { run_id, node_id, workspace, job_run, .. } => {
                self.with_step(&run_id, &node_id, |step| {
                    step.job_run = Some((workspace, job_run));
                    step.status = StatusCode::Queued;
                });
            }
            Event::StepStarted { run_id, node_id } => {
                self.with_step(&run_id, &node_id, |step| step.status = StatusCode::Running);
            }
            Event::StepEnded { run_id, node_id, status, at } => {
                self.with_step(&run_id, &node_id, |step| {
                    (step.status, step.ended_at) = (status, Some(at));
                });
            }
            Event::CancelRequested { run_id } => {
                self.with(&run_id, |run| run.is_cancel_requested = true);
            }
            Event::Ended { run_id, status, at } => {
                self.unsettled.remove(&run_id);
                self.with(&run_id, |run| (run.status, run.ended_at) = (status, Some(at)));
            }
        }
    }

    fn with(&mut self, run_id: &str, change: impl FnOnce(&mut PipelineRun)) {
        if let Some(run) = self.runs.get_mut(run_id) {
            change(run);
        }
    }

    fn with_step(&mut self, run_id: &str, node_id: &str, change: impl FnOnce(&mut Step)) {
        self.with(run_id, |run| {
            if let Some(step) = run.steps.iter_mut().find(|it| it.node_id == node_id) {
                change(step);
            }
        });
    }

    pub(super) fn module(&self, id: &str) -> Result<&Value, Refusal> {
        self.modules.get(id).ok_or_else(|| missing("Module"))
    }

    pub(super) fn module_by_hash(&self, hash: &str) -> Result<&Value, Refusal> {
        let id = self.module_hashes.get(hash).ok_or_else(|| missing("Module"))?;
        self.module(id)
    }

    pub(super) fn data_source(&self, id: &str) -> Result<&Value, Refusal> {
        self.data_sources.get(id).ok_or_else(|| missing("DataSource"))
    }

    pub(super) fn data_source_by_hash(&self, hash: &str) -> Result<&Value, Refusal> {
        let id = self.data_source_hashes.get(hash).ok_or_else(|| missing("DataSource"))?;
        self.data_source(id)
    }

    pub(super) fn graph(&self, id: &str) -> Result<&Graph, Refusal> {
        self.graphs.get(id).ok_or_else(|| missing("Graph"))
    }

    pub(super) fn run(&self, id: &str) -> Result<&PipelineRun, Refusal> {
        self.runs.get(id).ok_or_else(|| missing("PipelineRun"))
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::not_found(format!("{what} not found")).with_code("UserError")
}

/// Keeps a module or a data source under its id and its hash.
pub(super) fn decide_entity(
    mut body: Value,
    hash: &str,
    is_module: bool,
    ctx: &mut Ctx<'_>,
) -> Decision<Value> {
    if hash.is_empty() {
        return Err(Refusal::invalid("IdentifierHash is missing"));
    }
    let id = ctx.draw_uuid().to_string();
    let now = crate::services::history::instant(ctx.now);
    if let Some(fields) = body.as_object_mut() {
        for (name, value) in [
            ("Id", id.as_str()),
            ("Etag", "\"0\""),
            ("EntityStatus", "0"),
            ("UploadState", "Completed"),
            ("CreatedDate", &now),
            ("LastModifiedDate", &now),
        ] {
            fields.insert(name.to_owned(), value.into());
        }
    }
    let (hash, kept) = (hash.to_owned(), body.clone());
    let event = if is_module {
        Event::ModuleCreated { id, hash, body: kept }
    } else {
        Event::DataSourceCreated { id, hash, body: kept }
    };
    Ok((vec![kernel::Event::Pipelines(event)], body))
}

/// What happens outside when a step becomes a job run.
pub(crate) fn effect_of(event: Event) -> Option<Effect> {
    match event {
        Event::StepSubmitted { files, .. } if !files.is_empty() => Some(Effect::CopyFiles(files)),
        _ => None,
    }
}
