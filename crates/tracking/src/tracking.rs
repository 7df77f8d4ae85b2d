use std::{fmt, sync::Arc};

use azml_core::{Clock, Result};
use futures_core::stream::BoxStream;

use crate::{
    Artifacts, ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments, Metrics,
    ModelName, ModelQuery, ModelUpdate, ModelVersion, ModelVersionNumber, NewModel, NewRun,
    RegisteredModels, Run, RunId, RunInfo, RunQuery, RunRef, Runs, TransferOptions,
};

/// A place where runs are kept.
///
/// Implemented by [`AzureMlTracking`](crate::AzureMlTracking) and
/// [`MlflowTracking`](crate::MlflowTracking). `Arc<dyn TrackingBackend>` is the type to store.
pub trait TrackingBackend: fmt::Debug + Send + Sync {
    /// Its experiments.
    fn experiments(&self) -> &dyn Experiments;
    /// Its runs.
    fn runs(&self) -> &dyn Runs;
    /// The metrics of its runs.
    fn metrics(&self) -> &dyn Metrics;
    /// The artifacts of its runs.
    fn artifacts(&self) -> &dyn Artifacts;
    /// Its registered models.
    fn models(&self) -> &dyn RegisteredModels;
    /// The clock that stamps what is logged.
    fn clock(&self) -> &Arc<dyn Clock>;
}

const _: fn(&dyn TrackingBackend) = |_| ();

/// Where to log, whatever the backend. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tracking {
    backend: Arc<dyn TrackingBackend>,
}

impl Tracking {
    /// Logs to `backend`.
    pub fn new(backend: impl TrackingBackend + 'static) -> Self {
        Self::from_arc(Arc::new(backend))
    }

    /// Logs to a backend that is shared.
    pub fn from_arc(backend: Arc<dyn TrackingBackend>) -> Self {
        Self { backend }
    }

    /// The backend itself, for what the handles leave out.
    pub fn backend(&self) -> &Arc<dyn TrackingBackend> {
        &self.backend
    }

    /// Opens an experiment; makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for a name that the server does not take.
    pub async fn experiment(&self, name: impl Into<ExperimentName>) -> Result<Experiment> {
        let info = self.backend.experiments().get_or_create(&name.into()).await?;
        Ok(Experiment { backend: self.backend.clone(), info })
    }

    /// Lists the experiments that are not archived.
    pub fn experiments(&self) -> BoxStream<'static, Result<ExperimentInfo>> {
        self.backend.experiments().list(ExperimentView::Active)
    }

    /// Opens an experiment that exists.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none of that name.
    pub async fn find_experiment(&self, name: impl Into<ExperimentName>) -> Result<Experiment> {
        let info = self.backend.experiments().find(&name.into()).await?;
        Ok(Experiment { backend: self.backend.clone(), info })
    }

    /// Takes up a run that exists.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    pub async fn run(&self, id: &RunId) -> Result<Run> {
        let info = self.backend.runs().get(id).await?;
        let experiment = self.backend.experiments().get(&info.experiment_id).await?;
        let reference = RunRef::new(experiment, info.id).with_data_container(info.data_container);
        Ok(Run::new(self.backend.clone(), reference))
    }

    /// Lists registered models.
    pub fn models(&self, query: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        self.backend.models().list(query)
    }

    /// Describes one version of a registered model, or the newest.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    pub async fn model(
        &self,
        name: impl Into<ModelName>,
        version: Option<ModelVersionNumber>,
    ) -> Result<ModelVersion> {
        self.backend.models().get(&name.into(), version).await
    }

    /// Downloads the files of a registered model below `folder`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when its files are gone.
    pub async fn download_model(
        &self,
        model: &ModelVersion,
        folder: impl AsRef<std::path::Path>,
    ) -> Result<Vec<std::path::PathBuf>> {
        let options = TransferOptions::default();
        self.backend.models().download(model, folder.as_ref(), &options).await
    }

    /// Registers a file or folder of this machine, see [`NewModel::local`]. An
    /// artifact is registered with its [`Run`].
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for a bad name or files that cannot be read.
    pub async fn register_model(&self, model: &NewModel) -> Result<ModelVersion> {
        self.backend.models().register(None, model).await
    }

    /// Changes what is said about a version of a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    pub async fn update_model(
        &self,
        model: &ModelVersion,
        update: &ModelUpdate,
    ) -> Result<ModelVersion> {
        self.backend.models().update(model, update).await
    }

    /// Deletes a version of a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    pub async fn delete_model(&self, model: &ModelVersion) -> Result<()> {
        self.backend.models().delete(model).await
    }
}

/// An open experiment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Experiment {
    backend: Arc<dyn TrackingBackend>,
    info: ExperimentInfo,
}

impl Experiment {
    /// Id.
    pub fn id(&self) -> &ExperimentId {
        &self.info.id
    }

    /// Name.
    pub fn name(&self) -> &ExperimentName {
        &self.info.name
    }

    /// Id and name.
    pub fn info(&self) -> &ExperimentInfo {
        &self.info
    }

    /// Archives the experiment: no list shows it any more, nor its runs.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the experiment is gone.
    pub async fn archive(&self) -> Result<()> {
        self.backend.experiments().archive(self.id()).await
    }

    /// Brings the experiment back after it was archived.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it is gone for good.
    pub async fn unarchive(&self) -> Result<()> {
        self.backend.experiments().unarchive(self.id()).await
    }

    /// Starts a run without a name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the experiment is gone.
    pub async fn start_run(&self) -> Result<Run> {
        self.start(&NewRun::new()).await
    }

    /// Starts a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the experiment is gone.
    pub async fn start(&self, run: &NewRun) -> Result<Run> {
        let info = self.backend.runs().start(&self.info, run).await?;
        let reference =
            RunRef::new(self.info.clone(), info.id).with_data_container(info.data_container);
        Ok(Run::new(self.backend.clone(), reference))
    }

    /// Takes up a run of this experiment, without asking whether it exists.
    pub fn run(&self, id: RunId) -> Run {
        Run::new(self.backend.clone(), RunRef::new(self.info.clone(), id))
    }

    /// Lists runs, the latest first.
    pub fn runs(&self, query: &RunQuery) -> BoxStream<'static, Result<RunInfo>> {
        self.backend.runs().list(&self.info, query)
    }
}
