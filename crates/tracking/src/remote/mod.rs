mod files;
mod metrics;

use std::{collections::BTreeMap, sync::Arc};

use azml_core::{Poller, Progress, Result, WaitOptions};
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::{
    ExperimentInfo, ModelVersion, NewModel, NewRun, RunDetails, RunEnd, RunId, RunInfo, RunRef,
    RunStatus, TrackingBackend,
};

/// A run as the server has it, whatever the backend: to read, and to do what needs
/// an answer. Every call asks the server and waits. Cheap to clone.
///
/// It is not for logging: that is what [`Run`](crate::Run) does, without waiting.
/// [`Tracking::attach`](crate::Tracking::attach) gives one for a run that exists.
#[derive(Clone, Debug)]
pub struct RemoteRun {
    backend: Arc<dyn TrackingBackend>,
    reference: Arc<RunRef>,
}

impl RemoteRun {
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
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn info(&self) -> Result<RunInfo> {
        self.backend.runs().get(self.id()).await
    }

    /// Asks the server for all that it knows.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn details(&self) -> Result<RunDetails> {
        self.backend.runs().details(&self.reference).await
    }

    /// Reads a log file by its name in the [`details`](Self::details).
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such file.
    pub async fn read_log(&self, name: &str) -> Result<Bytes> {
        self.backend.runs().read_log(&self.reference, name).await
    }

    /// Asks the server whether it has ended, and how.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn status(&self) -> Result<RunStatus> {
        self.info().await.map(|it| it.status)
    }

    /// Waits until the run has ended, however that may be.
    ///
    /// # Errors
    ///
    /// [`Timeout`](azml_core::ErrorKind::Timeout) when it takes too long.
    pub async fn wait_until_ended(&self, options: WaitOptions) -> Result<RunInfo> {
        let (this, clock) = (self.clone(), self.backend.clock().clone());
        let poller = Poller::new("runs.wait", options, clock, move || {
            let this = this.clone();
            async move {
                let info = this.info().await?;
                let is_over = info.status.is_final();
                Ok(if is_over { Progress::Done(info) } else { Progress::Pending(info.status_text) })
            }
        });
        poller.until_done().await
    }

    /// Sets a tag without a value. Where there are none, its value is empty.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn set_bare_tag(&self, key: impl Into<String>) -> Result<()> {
        self.backend.runs().set_bare_tags(&self.reference, &[key.into()]).await
    }

    /// Removes tags.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run or a tag is gone.
    pub async fn remove_tags<K: Into<String>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<()> {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        self.backend.runs().remove_tags(&self.reference, &keys).await
    }

    /// Sets properties, which never change again. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn set_properties<K: Into<String>, V: Into<String>>(
        &self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        self.backend.runs().set_properties(&self.reference, &texts(properties)).await
    }

    /// Registers an artifact of this run as a model.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such artifact.
    pub async fn register_model(&self, model: &NewModel) -> Result<ModelVersion> {
        self.backend.models().register(Some(&self.reference), model).await
    }

    /// Starts `count` runs without names that are part of this one, in as few
    /// calls as possible.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when this run is gone.
    pub async fn start_children(&self, count: usize) -> Result<Vec<Self>> {
        let children = vec![NewRun::new(); count];
        let infos = self.backend.runs().start_children(&self.reference, &children).await?;
        Ok(infos.into_iter().map(|it| self.sibling(it)).collect())
    }

    /// Takes up the run that this one is a part of.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when one of them is gone.
    pub async fn parent(&self) -> Result<Option<Self>> {
        let Some(id) = self.info().await?.parent_id else { return Ok(None) };
        let parent = self.backend.runs().get(&id).await?;
        Ok(Some(self.sibling(parent)))
    }

    /// A run of the same experiment.
    fn sibling(&self, info: RunInfo) -> Self {
        let reference = RunRef::new(self.experiment().clone(), info.id)
            .with_data_container(info.data_container);
        Self::new(self.backend.clone(), reference)
    }

    /// Lists the runs that are directly part of this one.
    pub fn children(&self) -> BoxStream<'static, Result<RunInfo>> {
        self.backend.runs().children(&self.reference)
    }

    /// Notes that something went wrong without ending the run. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn warn(&self, message: &str) -> Result<()> {
        self.backend.runs().warn(&self.reference, message).await
    }

    /// Deletes the run. Most servers keep it for a while.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn delete(&self) -> Result<()> {
        self.backend.runs().delete(&self.reference).await
    }

    /// Brings the run back after it was deleted.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it is gone for good.
    pub async fn restore(&self) -> Result<()> {
        self.backend.runs().restore(&self.reference).await
    }

    /// Ends the run now, whoever logs to it. What a [`Run`](crate::Run) has in its
    /// spool still arrives.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the run is gone.
    pub async fn end(&self, end: &RunEnd) -> Result<()> {
        let now = self.backend.clock().now();
        self.backend.runs().end(&self.reference, end, now).await
    }
}

fn texts<K: Into<String>, V: Into<String>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
