use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use azml_core::{BodySource, Error, ErrorKind, FileSource, Result};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;

use crate::{
    Artifact, ArtifactPath, ExperimentInfo, Metric, MetricKey, ModelVersion, NewModel, NewRun,
    RunEnd, RunId, RunInfo, RunRef, TrackingBackend,
};

/// A run to log to, whatever the backend. Cheap to clone.
///
/// Dropping it does not end the run: a run ends with [`finish`](Self::finish),
/// [`fail`](Self::fail) or [`cancel`](Self::cancel).
#[derive(Clone, Debug)]
pub struct Run {
    backend: Arc<dyn TrackingBackend>,
    reference: Arc<RunRef>,
}

impl Run {
    pub(crate) fn new(backend: Arc<dyn TrackingBackend>, reference: RunRef) -> Self {
        Self { backend, reference: Arc::new(reference) }
    }

    /// Id.
    pub fn id(&self) -> &RunId {
        &self.reference.id
    }

    /// The experiment it belongs to.
    pub fn experiment(&self) -> &ExperimentInfo {
        &self.reference.experiment
    }

    /// How a backend addresses it.
    pub fn reference(&self) -> &RunRef {
        &self.reference
    }

    /// Asks the server how it is doing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn info(&self) -> Result<RunInfo> {
        self.backend.runs().get(self.id()).await
    }

    /// Logs a number at step 0.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metric(&self, key: impl Into<MetricKey>, value: f64) -> Result<()> {
        self.log_metric_at(key, value, 0).await
    }

    /// Logs a number at a step.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metric_at(
        &self,
        key: impl Into<MetricKey>,
        value: f64,
        step: i64,
    ) -> Result<()> {
        let metric = Metric::new(key, value, self.backend.clock().now()).with_step(step);
        self.log(&[metric]).await
    }

    /// Logs a number of several series at once, all at one step.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an empty key.
    pub async fn log_metrics<K: Into<MetricKey>>(
        &self,
        values: impl IntoIterator<Item = (K, f64)>,
        step: i64,
    ) -> Result<()> {
        let now = self.backend.clock().now();
        let metrics: Vec<Metric> = values
            .into_iter()
            .map(|(key, value)| Metric::new(key, value, now).with_step(step))
            .collect();
        self.log(&metrics).await
    }

    /// Logs metrics as they are.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an empty key.
    pub async fn log(&self, metrics: &[Metric]) -> Result<()> {
        self.backend.metrics().log(&self.reference, metrics).await
    }

    /// Names the series that were logged.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn metric_keys(&self) -> Result<Vec<MetricKey>> {
        self.backend.metrics().keys(&self.reference).await
    }

    /// Reads one series, in the order of its steps, then of time.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such series.
    pub async fn metric(&self, key: impl Into<MetricKey>) -> Result<Vec<Metric>> {
        let history = self.backend.metrics().history(&self.reference, &key.into());
        let mut metrics: Vec<Metric> = history.try_collect().await?;
        // Batches arrive out of order: only what they carry tells the order.
        metrics.sort_by_key(|it| (it.step, it.logged_at));
        Ok(metrics)
    }

    /// Reads all series.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn metrics(&self) -> Result<BTreeMap<MetricKey, Vec<Metric>>> {
        let mut all = BTreeMap::new();
        for key in self.metric_keys().await? {
            let metrics = self.metric(key.clone()).await?;
            all.insert(key, metrics);
        }
        Ok(all)
    }

    /// Logs a param.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when it had another value before.
    pub async fn log_param(&self, key: impl Into<String>, value: impl ToString) -> Result<()> {
        self.log_params([(key.into(), value.to_string())]).await
    }

    /// Logs params.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when one had another value before.
    pub async fn log_params<K: Into<String>, V: Into<String>>(
        &self,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        self.backend.runs().log_params(&self.reference, &texts(params)).await
    }

    /// Sets a tag.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn set_tag(&self, key: impl Into<String>, value: impl Into<String>) -> Result<()> {
        self.set_tags([(key.into(), value.into())]).await
    }

    /// Sets tags.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn set_tags<K: Into<String>, V: Into<String>>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        self.backend.runs().set_tags(&self.reference, &texts(tags)).await
    }

    /// Sets properties, which never change again. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn set_properties<K: Into<String>, V: Into<String>>(
        &self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        self.backend.runs().set_properties(&self.reference, &texts(properties)).await
    }

    /// Uploads a file of this machine as the artifact `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when the file cannot be
    /// read or `path` leads out of the run.
    pub async fn upload_file(&self, path: &str, file: impl AsRef<Path>) -> Result<()> {
        let path = ArtifactPath::parse(path)?;
        let source = FileSource::open(file.as_ref()).await.map_err(|err| {
            Error::explained("artifact.upload", ErrorKind::InvalidArgument, err.to_string())
        })?;
        self.upload(&path, Arc::new(source)).await
    }

    /// Uploads bytes as the artifact `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `path` leads out of the run.
    pub async fn upload_bytes(&self, path: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.upload(&ArtifactPath::parse(path)?, Arc::new(bytes.into())).await
    }

    /// Uploads an artifact of any size.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn upload(&self, path: &ArtifactPath, body: Arc<dyn BodySource>) -> Result<()> {
        self.backend.artifacts().upload(&self.reference, path, body).await
    }

    /// Lists the artifacts.
    pub fn artifacts(&self) -> BoxStream<'static, Result<Artifact>> {
        self.backend.artifacts().list(&self.reference)
    }

    /// Reads an artifact into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such artifact.
    pub async fn read_artifact(&self, path: &str) -> Result<Bytes> {
        self.backend.artifacts().read(&self.reference, &ArtifactPath::parse(path)?).await
    }

    /// Downloads an artifact to the file `to`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such artifact.
    pub async fn download_artifact(&self, path: &str, to: impl AsRef<Path>) -> Result<()> {
        let path = ArtifactPath::parse(path)?;
        self.backend.artifacts().download(&self.reference, &path, to.as_ref()).await
    }

    /// Downloads every artifact whose path begins with `prefix` below `folder`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn download_artifacts(
        &self,
        prefix: &str,
        folder: impl AsRef<Path>,
    ) -> Result<Vec<PathBuf>> {
        self.backend.artifacts().download_all(&self.reference, prefix, folder.as_ref()).await
    }

    /// Registers an artifact of this run as a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such artifact.
    pub async fn register_model(&self, model: &NewModel) -> Result<ModelVersion> {
        self.backend.models().register(&self.reference, model).await
    }

    /// Starts a run that is part of this one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when this run is gone.
    pub async fn start_child(&self, child: NewRun) -> Result<Self> {
        let child = child.with_parent(self.id().clone());
        let info = self.backend.runs().start(self.experiment(), &child).await?;
        let reference = RunRef::new(self.experiment().clone(), info.id)
            .with_data_container(info.data_container);
        Ok(Self::new(self.backend.clone(), reference))
    }

    /// Lists the runs that are directly part of this one.
    pub fn children(&self) -> BoxStream<'static, Result<RunInfo>> {
        self.backend.runs().children(&self.reference)
    }

    /// Ends the run well.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn finish(&self) -> Result<()> {
        self.end(&RunEnd::Finished).await
    }

    /// Ends the run badly, for the reason `message`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn fail(&self, message: impl Into<String>) -> Result<()> {
        self.end(&RunEnd::failed(message)).await
    }

    /// Ends the run because somebody wants it to.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn cancel(&self) -> Result<()> {
        self.end(&RunEnd::Canceled).await
    }

    /// Ends the run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the run is gone.
    pub async fn end(&self, end: &RunEnd) -> Result<()> {
        self.backend.runs().end(&self.reference, end).await
    }
}

fn texts<K: Into<String>, V: Into<String>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
