//! The simplest server there is.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use azml_core::{BodySource, Clock, Error, ErrorKind, Result, ServiceFault};
use azml_tracking::{
    Artifact, ArtifactPath, Artifacts, BatchLimits, Destination, ExperimentId, ExperimentInfo,
    ExperimentName, Experiments, Metric, MetricKey, Metrics, ModelName, ModelQuery, ModelVersion,
    ModelVersionNumber, NewModel, NewRun, PendingMetric, RegisteredModels, RunBatch, RunEnd, RunId,
    RunInfo, RunQuery, RunRef, RunStatus, Runs, TrackingBackend, TransferOptions,
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the server shows after this long.
pub(super) const LATE: Duration = Duration::from_secs(20);

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Done,
    /// Nothing happens, and it is known.
    Unreachable,
    Busy,
    /// Nothing happens, and it is not known.
    LostBefore,
    /// It happens, and it is not known.
    LostAfter,
    /// A part of it happens, and it is not known.
    Half,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    fates: VecDeque<Fate>,
    pub(super) runs: Vec<(OffsetDateTime, Option<Uuid>, RunId)>,
    pub(super) points: Vec<(OffsetDateTime, Metric)>,
    pub(super) params: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) ends: Vec<RunEnd>,
}

#[derive(Clone, Debug)]
pub(super) struct Naive {
    pub(super) kept: Arc<Mutex<Kept>>,
    clock: Arc<dyn Clock>,
}

impl Naive {
    pub(super) fn new(fates: Vec<Fate>, clock: Arc<dyn Clock>) -> Self {
        let kept = Kept { fates: fates.into(), ..Kept::default() };
        Self { kept: Arc::new(Mutex::new(kept)), clock }
    }

    /// Lets `act` happen as the next fate says; `half` is what happens of it then.
    fn fate<T>(&self, act: impl FnOnce(&mut Kept) -> T, half: impl FnOnce(&mut Kept)) -> Result<T> {
        let mut kept = self.kept.lock().unwrap();
        let error = |kind, status| Error::service("naive", kind, ServiceFault::new(status, "", ""));
        match kept.fates.pop_front().unwrap_or(Fate::Done) {
            Fate::Done => Ok(act(&mut kept)),
            Fate::Unreachable => Err(Error::explained("naive", ErrorKind::Unreachable, "no way")),
            Fate::Busy => {
                let fault = ServiceFault::new(429, "", "");
                let fault = fault.with_retry_after(Some(Duration::from_secs(7)));
                Err(Error::service("naive", ErrorKind::Throttled, fault))
            }
            Fate::LostBefore => Err(error(ErrorKind::Unavailable, 500)),
            Fate::LostAfter => {
                act(&mut kept);
                Err(Error::explained("naive", ErrorKind::Timeout, "no answer"))
            }
            Fate::Half => {
                half(&mut kept);
                Err(error(ErrorKind::Unavailable, 502))
            }
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    fn info(&self, id: RunId) -> RunInfo {
        let kept = self.kept.lock().unwrap();
        let mut info = RunInfo::new(id, ExperimentId::new("e"), RunStatus::Running);
        info.params = kept.params.iter().cloned().collect();
        info
    }
}

#[async_trait]
impl TrackingBackend for Naive {
    fn experiments(&self) -> &dyn Experiments {
        self
    }
    fn runs(&self) -> &dyn Runs {
        self
    }
    fn metrics(&self) -> &dyn Metrics {
        self
    }
    fn artifacts(&self) -> &dyn Artifacts {
        self
    }
    fn models(&self) -> &dyn RegisteredModels {
        self
    }
    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
    fn destination(&self) -> Destination {
        Destination::Other { name: "naive".to_owned() }
    }
    fn limits(&self) -> BatchLimits {
        BatchLimits::new(7, 2, 2).with_unknown_duplicates(LATE)
    }
    fn tried_once(&self) -> Arc<dyn TrackingBackend> {
        Arc::new(self.clone())
    }

    async fn log_batch(&self, _: &RunRef, batch: &RunBatch) -> Result<()> {
        let (now, limits) = (self.now(), self.limits());
        assert!(batch.metrics.len() <= limits.metrics && batch.params.len() <= limits.params);
        let points = |count| {
            let metrics = batch.metrics.iter().take(count);
            metrics.map(|it| (now, it.metric.clone())).collect::<Vec<_>>()
        };
        let count = batch.metrics.len();
        self.fate(
            |kept| {
                kept.points.extend(points(count));
                kept.params.extend(batch.params.clone());
                kept.tags.extend(batch.tags.clone());
            },
            |kept| kept.points.extend(points(count / 2)),
        )
    }
}

#[async_trait]
impl Experiments for Naive {
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        Ok(ExperimentInfo::new(ExperimentId::new("e"), name.clone()))
    }
    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo> {
        Ok(ExperimentInfo::new(id.clone(), ExperimentName::new("e")))
    }
    async fn find(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.get_or_create(name).await
    }
}

#[async_trait]
impl Runs for Naive {
    async fn start(&self, _: &ExperimentInfo, run: &NewRun) -> Result<RunInfo> {
        let (now, local_id) = (self.now(), run.local_id);
        let id = self.fate(
            |kept| {
                let id = RunId::new(format!("run {}", kept.runs.len()));
                kept.runs.push((now, local_id, id.clone()));
                id
            },
            |_| (),
        )?;
        Ok(self.info(id))
    }
    async fn find_started(&self, _: &ExperimentInfo, local_id: Uuid) -> Result<Option<RunInfo>> {
        let now = self.now();
        let find = |kept: &mut Kept| {
            let mut seen = kept.runs.iter().filter(|it| it.0 + LATE <= now);
            seen.find(|it| it.1 == Some(local_id)).map(|it| it.2.clone())
        };
        Ok(self.fate(find, |_| ())?.map(|id| self.info(id)))
    }
    async fn get(&self, id: &RunId) -> Result<RunInfo> {
        Ok(self.info(id.clone()))
    }
    fn list(&self, _: &ExperimentInfo, _: &RunQuery) -> BoxStream<'static, Result<RunInfo>> {
        stream::empty().boxed()
    }
    fn children(&self, _: &RunRef) -> BoxStream<'static, Result<RunInfo>> {
        stream::empty().boxed()
    }
    async fn set_tags(&self, _: &RunRef, _: &BTreeMap<String, String>) -> Result<()> {
        unreachable!("all goes in batches");
    }
    async fn set_properties(&self, _: &RunRef, _: &BTreeMap<String, String>) -> Result<()> {
        unreachable!("nothing has properties");
    }
    async fn log_params(&self, _: &RunRef, _: &BTreeMap<String, String>) -> Result<()> {
        unreachable!("all goes in batches");
    }
    async fn end(&self, _: &RunRef, end: &RunEnd, _: OffsetDateTime) -> Result<()> {
        self.fate(|kept| kept.ends.push(end.clone()), |_| ())
    }
}

#[async_trait]
impl Metrics for Naive {
    async fn log(&self, _: &RunRef, _: &[PendingMetric]) -> Result<()> {
        unreachable!("all goes in batches");
    }
    async fn keys(&self, _: &RunRef) -> Result<Vec<MetricKey>> {
        Ok(Vec::new())
    }
    fn history(&self, _: &RunRef, key: &MetricKey) -> BoxStream<'static, Result<Metric>> {
        let now = self.now();
        let found = self.fate(
            |kept| {
                let seen = kept.points.iter().filter(|it| it.0 + LATE <= now);
                seen.filter(|it| it.1.key == *key).map(|it| it.1.clone()).collect::<Vec<_>>()
            },
            |_| (),
        );
        match found {
            Ok(points) => stream::iter(points.into_iter().map(Ok)).boxed(),
            Err(err) => stream::iter([Err(err)]).boxed(),
        }
    }
}

#[async_trait]
impl Artifacts for Naive {
    async fn upload(&self, _: &RunRef, _: &ArtifactPath, _: Arc<dyn BodySource>) -> Result<()> {
        unreachable!("nothing has artifacts");
    }
    fn list(&self, _: &RunRef) -> BoxStream<'static, Result<Artifact>> {
        stream::empty().boxed()
    }
    async fn read(&self, _: &RunRef, _: &ArtifactPath) -> Result<Bytes> {
        unreachable!("nothing has artifacts");
    }
    async fn download(&self, _: &RunRef, _: &ArtifactPath, _: &Path) -> Result<()> {
        unreachable!("nothing has artifacts");
    }
    async fn download_all(
        &self,
        _: &RunRef,
        _: &str,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        unreachable!("nothing has artifacts");
    }
    async fn download_folder(
        &self,
        _: &RunRef,
        _: &ArtifactPath,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        unreachable!("nothing has artifacts");
    }
}

#[async_trait]
impl RegisteredModels for Naive {
    async fn register(&self, _: Option<&RunRef>, _: &NewModel) -> Result<ModelVersion> {
        unreachable!("nothing has models");
    }
    fn list(&self, _: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        stream::empty().boxed()
    }
    async fn get(&self, _: &ModelName, _: Option<ModelVersionNumber>) -> Result<ModelVersion> {
        unreachable!("nothing has models");
    }
    async fn download(
        &self,
        _: &ModelVersion,
        _: &Path,
        _: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        unreachable!("nothing has models");
    }
}
