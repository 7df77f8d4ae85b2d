//! The store of runs: one type, one instance for each place that has runs.
//!
//! Plain MLflow, each Databricks workspace and each Azure ML workspace have a
//! store; run history, metrics, models and the MLflow prefixes of one Azure ML
//! workspace are views of one and the same instance. Nothing here knows HTTP.

mod experiment;
mod inputs;
mod metrics;
mod place;
mod points;
mod registry;
mod rules;
mod run;
mod runs;
mod shape;

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use self::runs::Runs;
pub(crate) use self::{
    experiment::{Experiment, ExperimentPatch},
    inputs::{
        Dataset, DatasetInput, LoggedModel, LoggedModelPatch, ModelMetric, ModelOutput, ModelStatus,
    },
    metrics::{Batch, CellId, Cells, Row, Series, cell_id},
    place::Place,
    points::{Point, Points, micros},
    registry::{
        Asset, Model, ModelPatch, NO_STAGE, NewModel, Origin, RegisteredModel, RegisteredModelPatch,
    },
    rules::{
        at, decide_asset, decide_experiment, decide_log, decide_model, decide_model_deletion,
        decide_model_patch, decide_patch, decide_run, decide_status, decide_version,
        metrics_are_seen,
    },
    run::{Run, RunError, RunPatch, Status},
    shape::Shape,
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
    runs: Runs,
    /// Ids of the children of a run, in the order in which they were made.
    children: HashMap<String, Vec<String>>,
    assets: BTreeMap<String, Asset>,
    /// Registered models by name.
    registered: BTreeMap<String, RegisteredModel>,
    /// What was logged and is not to be seen yet, in the order in which it will be.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    unseen: VecDeque<Unseen>,
    /// Logged models by id.
    logged: BTreeMap<String, LoggedModel>,
    /// Ids of logged models in the order in which they were made.
    logged_order: Vec<String>,
}

/// Metrics that nobody sees yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unseen {
    visible_at: OffsetDateTime,
    run_id: String,
    batches: Vec<Batch>,
}

/// What happens in a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ExperimentCreated(Experiment),
    RunCreated(Box<Run>),
    RunPatched {
        run_id: String,
        at: OffsetDateTime,
        patch: Box<RunPatch>,
    },
    StatusSet {
        run_id: String,
        status: Status,
        at: OffsetDateTime,
    },
    ErrorSet {
        run_id: String,
        error: RunError,
    },
    MetricsLogged {
        run_id: String,
        batches: Vec<Batch>,
        /// At once if there is no such time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visible_at: Option<OffsetDateTime>,
    },
    /// What was to become visible up to `until` is.
    MetricsSeen {
        until: OffsetDateTime,
    },
    AssetCreated(Asset),
    ModelRegistered(Box<Model>),
    ModelPatched {
        name: String,
        version: u64,
        at: OffsetDateTime,
        patch: ModelPatch,
    },
    ModelDeleted {
        name: String,
        version: u64,
        at: OffsetDateTime,
    },
    ExperimentPatched {
        id: String,
        at: OffsetDateTime,
        patch: ExperimentPatch,
    },
    InputsLogged {
        run_id: String,
        datasets: Vec<DatasetInput>,
        models: Vec<String>,
    },
    OutputsLogged {
        run_id: String,
        models: Vec<ModelOutput>,
    },
    LoggedModelCreated(Box<LoggedModel>),
    LoggedModelPatched {
        model_id: String,
        at: OffsetDateTime,
        patch: Box<LoggedModelPatch>,
    },
    /// Values of models, by the id of the model.
    ModelsMeasured(Vec<(String, ModelMetric)>),
    RegisteredModelCreated(Box<RegisteredModel>),
    RegisteredModelPatched {
        name: String,
        at: OffsetDateTime,
        patch: Box<RegisteredModelPatch>,
    },
    RegisteredModelRenamed {
        name: String,
        new_name: String,
        at: OffsetDateTime,
    },
    RegisteredModelDeleted {
        name: String,
    },
}

impl Stores {
    /// What every world begins with: plain MLflow has an experiment called Default.
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        Self::seeded_below("mlflow-artifacts:", at)
    }

    /// The same, with the artifacts of plain MLflow below `root`.
    pub(crate) fn seeded_below(root: &str, at: OffsetDateTime) -> Self {
        let default = Experiment {
            id: "0".to_owned(),
            name: "Default".to_owned(),
            created_at: at,
            modified_at: at,
            is_deleted: false,
            tags: BTreeMap::new(),
            artifact_location: format!("{root}/0"),
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

    /// Which metrics become visible next, and when.
    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Place)> {
        let unseen = self.0.iter().filter_map(|(place, it)| Some((it.unseen.front()?, place)));
        let next = unseen.min_by_key(|(it, _)| it.visible_at);
        next.map(|(it, place)| (it.visible_at, place.clone()))
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
            Event::MetricsLogged { run_id, batches, visible_at: None } => {
                self.with_run(run_id, |run| batches.iter().for_each(|it| run.log(it)));
            }
            Event::MetricsLogged { run_id, batches, visible_at: Some(visible_at) } => {
                let (visible_at, run_id) = (*visible_at, run_id.clone());
                let place = self.unseen.partition_point(|it| it.visible_at <= visible_at);
                let unseen = Unseen { visible_at, run_id, batches: batches.clone() };
                self.unseen.insert(place, unseen);
            }
            Event::MetricsSeen { until } => {
                let count = self.unseen.partition_point(|it| it.visible_at <= *until);
                let due: Vec<Unseen> = self.unseen.drain(..count).collect();
                for it in due {
                    self.with_run(&it.run_id, |run| {
                        it.batches.iter().for_each(|batch| run.log(batch));
                    });
                }
            }
            Event::AssetCreated(asset) => {
                self.assets.insert(asset.id.clone(), asset.clone());
            }
            Event::ModelRegistered(model) => self.add_version(model),
            Event::ModelPatched { name, version, at, patch } => {
                let versions = self.registered.get_mut(name).map(|it| &mut it.versions);
                for model in versions.into_iter().flatten().filter(|it| it.version == *version) {
                    model.patch(patch, *at);
                }
            }
            Event::ModelDeleted { name, version, at } => {
                if let Some(it) = self.registered.get_mut(name) {
                    it.remove(*version, *at);
                }
            }
            Event::ExperimentPatched { id, at, patch } => self.patch_experiment(id, *at, patch),
            Event::InputsLogged { run_id, datasets, models } => {
                self.with_run(run_id, |run| run.feed(datasets, models));
            }
            Event::OutputsLogged { run_id, models } => {
                self.with_run(run_id, |run| run.yield_models(models));
            }
            Event::LoggedModelCreated(model) => {
                self.logged_order.push(model.id.clone());
                self.logged.insert(model.id.clone(), (**model).clone());
            }
            Event::LoggedModelPatched { model_id, at, patch } => {
                if let Some(it) = self.logged.get_mut(model_id) {
                    it.patch(patch, *at);
                }
            }
            Event::ModelsMeasured(metrics) => {
                for (model_id, metric) in metrics {
                    if let Some(it) = self.logged.get_mut(model_id) {
                        it.measure(metric);
                    }
                }
            }
            Event::RegisteredModelCreated(model) => {
                self.registered.insert(model.name.clone(), (**model).clone());
            }
            Event::RegisteredModelPatched { name, at, patch } => {
                if let Some(it) = self.registered.get_mut(name) {
                    it.patch(patch, *at);
                }
            }
            Event::RegisteredModelRenamed { name, new_name, at } => {
                if let Some(mut it) = self.registered.remove(name) {
                    it.rename(new_name, *at);
                    self.registered.insert(new_name.clone(), it);
                }
            }
            Event::RegisteredModelDeleted { name } => {
                self.registered.remove(name);
            }
        }
    }

    fn add_version(&mut self, model: &Model) {
        let new = || RegisteredModel::new(model.name.clone(), model.created_at);
        self.registered.entry(model.name.clone()).or_insert_with(new).add(model);
    }

    fn patch_experiment(&mut self, id: &str, at: OffsetDateTime, patch: &ExperimentPatch) {
        let Some(it) = self.experiments.get_mut(id) else { return };
        if let Some(name) = &patch.name {
            self.names.remove(&it.name);
            self.names.insert(name.clone(), id.to_owned());
        }
        it.patch(patch, at);
        if let Some(is_deleted) = patch.is_deleted {
            for run in self.runs.iter_mut().filter(|it| it.experiment_id == id) {
                run.is_deleted = is_deleted;
            }
        }
    }

    fn add_run(&mut self, run: &Run) {
        if let Some(parent) = &run.parent_id {
            self.children.entry(parent.clone()).or_default().push(run.id.clone());
        }
        self.runs.add(run.clone());
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
        self.runs.get(id).is_some()
    }

    /// The shape that a metric of a run has, or will have once it is seen.
    fn shape<'a>(&'a self, run: &'a Run, metric: &str) -> Option<&'a Shape> {
        let seen = run.metrics.get(metric).map(Series::shape);
        seen.or_else(|| {
            let unseen = self.unseen.iter().filter(|it| it.run_id == run.id);
            let mut batches = unseen.flat_map(|it| &it.batches);
            batches.find(|it| it.name == metric).map(|it| &it.shape)
        })
    }

    /// All runs, the newest first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.as_slice().iter().rev()
    }

    /// The children of a run, the oldest first.
    pub(crate) fn children(&self, id: &str) -> impl Iterator<Item = &Run> {
        let ids = self.children.get(id).into_iter().flatten();
        ids.filter_map(|it| self.runs.get(it))
    }

    /// The number that the next run gets.
    pub(crate) fn next_run_number(&self) -> u64 {
        self.runs.as_slice().len() as u64 + 1
    }

    pub(crate) fn asset(&self, id: &str) -> Option<&Asset> {
        self.assets.get(id)
    }

    /// Versions of all models: by name, the newest version of each first.
    pub(crate) fn models(&self) -> impl Iterator<Item = &Model> {
        self.registered.values().flat_map(|it| it.versions.iter().rev())
    }

    pub(crate) fn model(&self, name: &str, version: u64) -> Option<&Model> {
        self.registered.get(name)?.versions.iter().find(|it| it.version == version)
    }

    pub(crate) fn next_version(&self, name: &str) -> u64 {
        self.registered.get(name).map_or(1, |it| it.last_version + 1)
    }

    pub(crate) fn registered(&self, name: &str) -> Option<&RegisteredModel> {
        self.registered.get(name)
    }

    /// All registered models, by name.
    pub(crate) fn all_registered(&self) -> impl Iterator<Item = &RegisteredModel> {
        self.registered.values()
    }

    pub(crate) fn logged_model(&self, id: &str) -> Option<&LoggedModel> {
        self.logged.get(id)
    }

    /// All logged models, the newest first.
    pub(crate) fn logged_models(&self) -> impl Iterator<Item = &LoggedModel> {
        self.logged_order.iter().rev().filter_map(|it| self.logged.get(it))
    }
}
