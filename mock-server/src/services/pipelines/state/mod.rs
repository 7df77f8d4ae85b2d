//! What a pipeline is and what happens to it.
//!
//! `graph` is what a pipeline is, `entities` what it is made of, `published`
//! what has an address of its own. `creation` makes runs, `schedule` says what
//! happens to them and when, `task` what a step becomes on Databricks, `cluster`
//! on which machines, `reuse`
//! which steps need not become anything. `runs` keeps what is due. `history` and `logs` are what others
//! see of it.

mod cluster;
mod creation;
mod entities;
mod graph;
mod history;
mod logs;
mod named;
mod published;
mod reuse;
mod run;
mod runs;
mod schedule;
mod steps;
mod task;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

pub(super) use self::{
    creation::{NewRun, decide_run},
    entities::{Kind, decide_data_type, decide_entity, decide_entity_update},
    graph::{Assigned, Binding, Edge, Graph, Node},
    logs::job_log,
    published::{
        Availability, NewPublished, Published, decide_availability, decide_publication,
        decide_submission_of,
    },
    run::{DataPath, Origin, PipelineRun, StatusCode, Step, Workspace},
    schedule::{decide_cancel, decide_submit},
    task::location_of,
};
use self::{entities::Entities, runs::Runs};
pub(crate) use self::{logs::SharedLog, runs::Due, schedule::decide_due};
use crate::{
    kernel::{Refusal, World, effects::Effect},
    services::databricks::jobs::{self, Jobs},
};

/// Modules, data sources, graphs and runs of all Azure ML workspaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipelines {
    /// What pipelines are made of, by the id of the workspace that has it.
    entities: BTreeMap<String, Entities>,
    runs: Runs,
    published: BTreeMap<String, Published>,
    /// Steps whose outputs may be reused, by what they depend on.
    finished: BTreeMap<String, Origin>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ModuleCreated {
        workspace: String,
        id: String,
        hash: String,
        body: Value,
    },
    DataSourceCreated {
        workspace: String,
        id: String,
        hash: String,
        body: Value,
    },
    DataTypeCreated {
        workspace: String,
        id: String,
        body: Value,
    },
    /// A run of a published pipeline shares its graph.
    RunCreated {
        run: Box<PipelineRun>,
        graph: Option<Box<Graph>>,
    },
    Published {
        pipeline: Box<Published>,
        graph: Box<Graph>,
    },
    AvailabilitySet {
        pipeline_id: String,
        status: Availability,
        at: OffsetDateTime,
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
        fingerprint: Option<String>,
        files: Vec<CopiedFile>,
    },
    /// An earlier step has done the same.
    StepReused {
        run_id: String,
        node_id: String,
        origin: Origin,
        at: OffsetDateTime,
    },
    StepStarted {
        run_id: String,
        node_id: String,
        at: OffsetDateTime,
    },
    StepEnded {
        run_id: String,
        node_id: String,
        status: StatusCode,
        at: OffsetDateTime,
    },
    /// A rule wrote an output that lies on DBFS.
    OutputWritten {
        workspace: u64,
        /// Relative to `dbfs:/`.
        path: String,
        text: String,
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

impl Pipelines {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::ModuleCreated { workspace, id, hash, body } => {
                let entities = self.entities.entry(workspace).or_default();
                entities.module_hashes.insert(hash, id.clone());
                entities.modules.insert(id, body);
            }
            Event::DataSourceCreated { workspace, id, hash, body } => {
                let entities = self.entities.entry(workspace).or_default();
                entities.data_source_hashes.insert(hash, id.clone());
                entities.data_sources.insert(id, body);
            }
            Event::RunCreated { run, graph } => {
                if let Some(graph) = graph {
                    let entities = self.entities.entry(run.workspace.workspace_id.clone());
                    entities.or_default().graphs.insert(run.graph_id.clone(), *graph);
                }
                self.runs.insert(*run);
            }
            Event::DataTypeCreated { workspace, id, body } => {
                self.entities.entry(workspace).or_default().data_types.insert(id, body);
            }
            Event::Published { pipeline, graph } => {
                let entities = self.entities.entry(pipeline.workspace.workspace_id.clone());
                entities.or_default().graphs.insert(pipeline.graph_id.clone(), *graph);
                self.published.insert(pipeline.id.clone(), *pipeline);
            }
            Event::AvailabilitySet { pipeline_id, status, at } => {
                if let Some(it) = self.published.get_mut(&pipeline_id) {
                    (it.status, it.modified_at) = (status, at);
                }
            }
            Event::Submitted { run_id, steps, at } => self.runs.submit(&run_id, steps, at),
            Event::StepSubmitted { run_id, node_id, workspace, job_run, fingerprint, .. } => {
                self.runs.change_step(&run_id, &node_id, |step| {
                    step.fingerprint = fingerprint;
                    step.job_run = Some((workspace, job_run));
                    step.status = StatusCode::Queued;
                });
            }
            Event::StepReused { run_id, node_id, origin, at } => {
                self.runs.reuse(&run_id, &node_id, origin, at);
            }
            Event::StepStarted { run_id, node_id, at } => {
                self.runs.change_step(&run_id, &node_id, |step| {
                    (step.status, step.started_at) = (StatusCode::Running, Some(at));
                });
            }
            Event::StepEnded { run_id, node_id, status, at } => {
                self.runs.end_step(&run_id, &node_id, status, at);
                if status == StatusCode::Finished {
                    self.remember(&run_id, &node_id);
                }
            }
            Event::OutputWritten { .. } => (),
            Event::CancelRequested { run_id } => self.runs.request_cancel(&run_id),
            Event::Ended { run_id, status, at } => self.runs.end(&run_id, status, at),
        }
    }

    /// Takes in that a job run of a workspace went on: a step may be one.
    pub(crate) fn follow(&mut self, workspace: u64, event: &jobs::Event, jobs: &Jobs) {
        self.runs.follow(workspace, event, jobs);
    }

    /// The first thing that is due in any run.
    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        self.runs.next_due()
    }

    /// Keeps what a finished step made for those that would do the same.
    fn remember(&mut self, run_id: &str, node_id: &str) {
        let Some(step) = self.runs.get(run_id).and_then(|it| it.step(node_id)) else { return };
        let origin = Origin {
            pipeline_run_id: run_id.to_owned(),
            node_id: node_id.to_owned(),
            run_id: step.run_id.clone(),
            job_run: step.job_run,
        };
        if let Some(fingerprint) = step.fingerprint.clone() {
            self.finished.insert(fingerprint, origin);
        }
    }

    /// The run with this id, in whichever workspace.
    pub(super) fn run(&self, id: &str) -> Result<&PipelineRun, Refusal> {
        self.runs.get(id).ok_or_else(|| missing("PipelineRun"))
    }

    /// A run of the workspace `at`.
    pub(super) fn run_at(&self, at: &str, id: &str) -> Result<&PipelineRun, Refusal> {
        let found = self.runs.get(id).filter(|it| it.workspace.workspace_id == at);
        found.ok_or_else(|| missing("PipelineRun"))
    }

    pub(super) fn published(&self, at: &Workspace, id: &str) -> Result<&Published, Refusal> {
        let found =
            self.published.get(id).filter(|it| it.workspace.workspace_id == at.workspace_id);
        found.ok_or_else(|| missing("Pipeline"))
    }

    /// All published pipelines of a workspace, the newest first.
    pub(super) fn all_published(&self, at: &Workspace) -> Vec<&Published> {
        let mut all: Vec<&Published> = self
            .published
            .values()
            .filter(|it| it.workspace.workspace_id == at.workspace_id)
            .collect();
        all.sort_by_key(|it| (std::cmp::Reverse(it.created_at), &it.id));
        all
    }

    /// The runs of a published pipeline, the newest first.
    pub(super) fn runs_of(&self, pipeline_id: &str) -> Vec<&PipelineRun> {
        let of_it = |it: &&PipelineRun| it.pipeline_id.as_deref() == Some(pipeline_id);
        let mut runs: Vec<&PipelineRun> = self.runs.iter().filter(of_it).collect();
        runs.sort_by_key(|it| (std::cmp::Reverse(it.created_at), &it.id));
        runs
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::not_found(format!("{what} not found")).with_code("UserError")
}

/// What happens outside when a step becomes a job run, and while that runs.
pub(crate) fn effect_of(event: Event, world: &World) -> Option<Effect> {
    let (run_id, node_id, is_growing) = match event {
        Event::StepSubmitted { files, .. } => {
            return (!files.is_empty()).then_some(Effect::CopyFiles(files));
        }
        Event::OutputWritten { workspace, path, text } => {
            return Some(Effect::WriteDbfs { workspace, path, text });
        }
        Event::StepStarted { run_id, node_id, .. } => (run_id, node_id, true),
        Event::StepEnded { run_id, node_id, .. } => (run_id, node_id, false),
        _ => return None,
    };
    let run = world.pipelines.run(&run_id).ok()?;
    logs::shared(run, run.step(&node_id)?, is_growing).map(Effect::ShareLog)
}
