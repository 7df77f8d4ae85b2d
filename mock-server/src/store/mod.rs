//! The store of runs: one type, one instance for each place that has runs.
//!
//! Plain MLflow, each Databricks workspace and each Azure ML workspace have a
//! store; run history, metrics, models and the MLflow prefixes of one Azure ML
//! workspace are views of one and the same instance. Nothing here knows HTTP.

mod metrics;
mod place;
mod registry;
mod rules;
mod run;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub(crate) use self::{
    metrics::{Batch, Cells, Point, Points, Row, Series, micros},
    place::Place,
    registry::{Asset, Model, ModelPatch, NewModel},
    rules::{
        decide_asset, decide_experiment, decide_log, decide_model, decide_model_deletion,
        decide_model_patch, decide_patch, decide_run, decide_status,
    },
    run::{Experiment, Run, RunError, RunPatch, Status},
};
use crate::kernel::Refusal;

/// The stores of one world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stores(BTreeMap<Place, Store>);

/// Experiments, runs and registered models of one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Store {
    experiments: BTreeMap<String, Experiment>,
    /// Ids of experiments by name.
    names: BTreeMap<String, String>,
    runs: HashMap<String, Run>,
    /// Ids of runs in the order in which they were made.
    order: Vec<String>,
    /// Ids of the children of a run, in the order in which they were made.
    children: HashMap<String, Vec<String>>,
    assets: BTreeMap<String, Asset>,
    /// Versions by model name, in the order of their numbers.
    models: BTreeMap<String, Vec<Model>>,
    /// The last version number that was given out, by model name.
    last_versions: BTreeMap<String, u64>,
}

/// What happens in a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ExperimentCreated(Experiment),
    RunCreated(Box<Run>),
    RunPatched { run_id: String, at: OffsetDateTime, patch: Box<RunPatch> },
    StatusSet { run_id: String, status: Status, at: OffsetDateTime },
    ErrorSet { run_id: String, error: RunError },
    MetricsLogged { run_id: String, batches: Vec<Batch> },
    AssetCreated(Asset),
    ModelRegistered(Box<Model>),
    ModelPatched { name: String, version: u64, at: OffsetDateTime, patch: ModelPatch },
    ModelDeleted { name: String, version: u64 },
}

impl Stores {
    /// What every world begins with: plain MLflow has an experiment called Default.
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let default = Experiment {
            id: "0".to_owned(),
            name: "Default".to_owned(),
            created_at: at,
            tags: BTreeMap::new(),
            artifact_location: "mlflow-artifacts:/0".to_owned(),
        };
        let mut plain = Store::default();
        plain.evolve(&Event::ExperimentCreated(default));
        Self(BTreeMap::from([(Place::Plain, plain)]))
    }

    /// The store of `place`, empty if nothing ever happened there.
    pub(crate) fn at(&self, place: &Place) -> &Store {
        static EMPTY: std::sync::LazyLock<Store> = std::sync::LazyLock::new(Store::default);
        self.0.get(place).unwrap_or(&EMPTY)
    }

    pub(crate) fn evolve(&mut self, place: &Place, event: &Event) {
        self.0.entry(place.clone()).or_default().evolve(event);
    }
}

impl Store {
    fn evolve(&mut self, event: &Event) {
        match event {
            Event::ExperimentCreated(it) => {
                self.names.insert(it.name.clone(), it.id.clone());
                self.experiments.insert(it.id.clone(), it.clone());
            }
            Event::RunCreated(run) => self.add_run(run),
            Event::RunPatched { run_id, at, patch } => {
                self.with_run(run_id, |run| run.patch(patch, *at));
            }
            Event::StatusSet { run_id, status, at } => {
                self.with_run(run_id, |run| run.set_status(*status, *at));
            }
            Event::ErrorSet { run_id, error } => {
                self.with_run(run_id, |run| run.error = Some(error.clone()));
            }
            Event::MetricsLogged { run_id, batches } => {
                self.with_run(run_id, |run| batches.iter().for_each(|it| run.log(it)));
            }
            Event::AssetCreated(asset) => {
                self.assets.insert(asset.id.clone(), asset.clone());
            }
            Event::ModelRegistered(model) => {
                self.last_versions.insert(model.name.clone(), model.version);
                self.models.entry(model.name.clone()).or_default().push((**model).clone());
            }
            Event::ModelPatched { name, version, at, patch } => {
                let versions = self.models.get_mut(name).into_iter().flatten();
                for model in versions.filter(|it| it.version == *version) {
                    model.patch(patch, *at);
                }
            }
            Event::ModelDeleted { name, version } => {
                if let Some(versions) = self.models.get_mut(name) {
                    versions.retain(|it| it.version != *version);
                }
            }
        }
    }

    fn add_run(&mut self, run: &Run) {
        self.order.push(run.id.clone());
        if let Some(parent) = &run.parent_id {
            self.children.entry(parent.clone()).or_default().push(run.id.clone());
        }
        self.runs.insert(run.id.clone(), run.clone());
    }

    fn with_run(&mut self, id: &str, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(id) {
            change(run);
        }
    }

    pub(crate) fn experiment(&self, id: &str) -> Option<&Experiment> {
        self.experiments.get(id)
    }

    pub(crate) fn experiment_named(&self, name: &str) -> Option<&Experiment> {
        self.experiments.get(self.names.get(name)?)
    }

    /// All experiments, in the order of their ids.
    pub(crate) fn experiments(&self) -> impl Iterator<Item = &Experiment> {
        self.experiments.values()
    }

    pub(crate) fn run(&self, id: &str) -> Result<&Run, Refusal> {
        self.runs.get(id).ok_or_else(|| Refusal::not_found(format!("Run {id} was not found")))
    }

    pub(crate) fn has_run(&self, id: &str) -> bool {
        self.runs.contains_key(id)
    }

    /// All runs, the newest first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.order.iter().rev().filter_map(|it| self.runs.get(it))
    }

    /// The children of a run, the oldest first.
    pub(crate) fn children(&self, id: &str) -> impl Iterator<Item = &Run> {
        let ids = self.children.get(id).into_iter().flatten();
        ids.filter_map(|it| self.runs.get(it))
    }

    /// The number that the next run gets.
    pub(crate) fn next_run_number(&self) -> u64 {
        self.order.len() as u64 + 1
    }

    pub(crate) fn asset(&self, id: &str) -> Option<&Asset> {
        self.assets.get(id)
    }

    /// Versions of all models: by name, the newest version of each first.
    pub(crate) fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values().flat_map(|it| it.iter().rev())
    }

    pub(crate) fn model(&self, name: &str, version: u64) -> Option<&Model> {
        self.models.get(name)?.iter().find(|it| it.version == version)
    }

    pub(crate) fn next_version(&self, name: &str) -> u64 {
        self.last_versions.get(name).map_or(1, |it| it + 1)
    }
}
