use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{Clock, Result};
use futures_core::stream::BoxStream;

use crate::{
    Artifacts, BatchLimits, Destination, ExperimentId, ExperimentInfo, ExperimentName,
    ExperimentView, Experiments, Metrics, ModelName, ModelQuery, ModelUpdate, ModelVersion,
    ModelVersionNumber, NewModel, NewRun, Recovery, RegisteredModels, RemoteRun, Run, RunBatch,
    RunId, RunInfo, RunQuery, RunRef, Runs, Spool, SpoolOptions, TransferOptions, spool::Attached,
};

/// A place where runs are kept.
///
/// Implemented by [`AzureMlTracking`](crate::AzureMlTracking),
/// [`MlflowTracking`](crate::MlflowTracking) and
/// [`FolderTracking`](crate::FolderTracking). `Arc<dyn TrackingBackend>` is the
/// type to store.
#[async_trait]
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
    /// Where this is, as a spool notes it.
    fn destination(&self) -> Destination;
    /// What one batch may hold.
    fn limits(&self) -> BatchLimits;
    /// The same place, where each call is tried once. The uploader of a spool
    /// repeats calls itself, and must know whether an answer was lost.
    fn tried_once(&self) -> Arc<dyn TrackingBackend>;

    /// Logs a batch within the [`limits`](Self::limits), in as few calls as possible.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the server
    /// refuses something in it: it may have taken other parts then.
    async fn log_batch(&self, run: &RunRef, batch: &RunBatch) -> Result<()> {
        if !batch.params.is_empty() {
            self.runs().log_params(run, &batch.params).await?;
        }
        if !batch.metrics.is_empty() {
            self.metrics().log(run, &batch.metrics).await?;
        }
        if !batch.tags.is_empty() {
            self.runs().set_tags(run, &batch.tags).await?;
        }
        Ok(())
    }
}

const _: fn(&dyn TrackingBackend) = |_| ();

/// Where to log, whatever the backend. Cheap to clone.
///
/// [`start_run`](Self::start_run) needs no network, and nor does anything that is
/// logged to the [`Run`] that it gives. All that is `async` here asks the server.
#[derive(Clone, Debug)]
pub struct Tracking {
    backend: Arc<dyn TrackingBackend>,
    spool: Arc<SpoolOptions>,
}

impl Tracking {
    /// Logs to `backend`.
    pub fn new(backend: impl TrackingBackend + 'static) -> Self {
        Self::from_arc(Arc::new(backend))
    }

    /// Logs to a backend that is shared.
    pub fn from_arc(backend: Arc<dyn TrackingBackend>) -> Self {
        Self { backend, spool: Arc::default() }
    }

    /// Sets where and how runs wait for the server.
    #[must_use]
    pub fn with_spool(self, options: SpoolOptions) -> Self {
        Self { spool: Arc::new(options), ..self }
    }

    /// Where and how runs wait for the server.
    pub fn spool(&self) -> &SpoolOptions {
        &self.spool
    }

    /// Starts a run of the experiment `name`, which is made if it is not there.
    /// Needs no network.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for an empty name,
    /// [`Other`](azml_core::ErrorKind::Other) when the folder of the spool cannot be
    /// written to.
    pub fn start_run(&self, experiment: impl Into<ExperimentName>) -> Result<Run> {
        self.start(experiment, NewRun::new())
    }

    /// Starts a run that has a name, tags, a parent. Needs no network.
    ///
    /// # Errors
    ///
    /// As [`start_run`](Self::start_run), and
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a tag that the
    /// server would refuse.
    pub fn start(&self, experiment: impl Into<ExperimentName>, run: NewRun) -> Result<Run> {
        Run::start(self, &experiment.into(), run, None)
    }

    /// Logs to a run that somebody else has started, for example from another
    /// process. Needs no network. Dropping it does not end the run.
    ///
    /// # Errors
    ///
    /// As [`start_run`](Self::start_run).
    pub fn attach(&self, run: &RunId) -> Result<Run> {
        Run::attach(self, &ExperimentName::new(""), Attached::to(run.clone()))
    }

    /// Uploads what earlier processes have left in the spool of this place, and
    /// ends their runs. See [`Spool::recover`].
    ///
    /// # Errors
    ///
    /// As [`Spool::recover`].
    pub async fn recover(&self) -> Result<Recovery> {
        Spool::recover(&self.spool.folder, self).await
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

    /// Looks at a run that exists. To log to it, [`attach`](Self::attach).
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    pub async fn run(&self, id: &RunId) -> Result<RemoteRun> {
        let info = self.backend.runs().get(id).await?;
        let experiment = self.backend.experiments().get(&info.experiment_id).await?;
        let reference = RunRef::new(experiment, info.id).with_data_container(info.data_container);
        Ok(RemoteRun::new(self.backend.clone(), reference))
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
    /// artifact is registered with its [`RemoteRun`].
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

    /// The version of a model that `alias` stands for. MLflow only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it stands for none.
    pub async fn model_by_alias(
        &self,
        name: impl Into<ModelName>,
        alias: &str,
    ) -> Result<ModelVersion> {
        self.backend.models().get_by_alias(&name.into(), alias).await
    }

    /// Lets `alias` stand for a version of a model. MLflow only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such version exists.
    pub async fn set_model_alias(&self, model: &ModelVersion, alias: &str) -> Result<()> {
        self.backend.models().set_alias(&model.name, alias, model.version).await
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

    /// A run of this experiment, without asking whether it exists.
    pub fn run(&self, id: RunId) -> RemoteRun {
        RemoteRun::new(self.backend.clone(), RunRef::new(self.info.clone(), id))
    }

    /// Lists runs, the latest first.
    pub fn runs(&self, query: &RunQuery) -> BoxStream<'static, Result<RunInfo>> {
        self.backend.runs().list(&self.info, query)
    }
}
