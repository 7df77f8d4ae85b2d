//! Against the simplest server there is: it stores all that it is sent, twice if it
//! is sent twice, shows it late, and answers as a die falls.

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
    ModelVersionNumber, NewModel, NewRun, PendingMetric, RegisteredModels, Run, RunBatch, RunEnd,
    RunId, RunInfo, RunQuery, RunRef, RunStatus, Runs, Spool, SpoolOptions, Tracking,
    TrackingBackend, TransferOptions,
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use proptest::prelude::*;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{PATIENCE, corpse};

/// What the server shows after this long.
const LATE: Duration = Duration::from_secs(20);

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
enum Fate {
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
struct Kept {
    fates: VecDeque<Fate>,
    runs: Vec<(OffsetDateTime, Option<Uuid>, RunId)>,
    points: Vec<(OffsetDateTime, Metric)>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    ends: Vec<RunEnd>,
}

#[derive(Clone, Debug)]
struct Naive {
    kept: Arc<Mutex<Kept>>,
    clock: Arc<dyn Clock>,
}

impl Naive {
    fn new(fates: Vec<Fate>, clock: Arc<dyn Clock>) -> Self {
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

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Done),
        1 => Just(Fate::Unreachable),
        1 => Just(Fate::Busy),
        1 => Just(Fate::LostBefore),
        2 => Just(Fate::LostAfter),
        2 => Just(Fate::Half),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Point(u8),
    Param(u8),
    Tag(u8),
    /// So many seconds pass.
    Wait(u8),
    /// The process dies, and another one brings what it has left.
    Die,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u8).prop_map(Step::Point),
        1 => any::<u8>().prop_map(Step::Param),
        1 => any::<u8>().prop_map(Step::Tag),
        2 => (0..100_u8).prop_map(Step::Wait),
        1 => Just(Step::Die),
    ]
}

/// What was accepted, as the server should have it.
#[derive(Debug, Default)]
struct Accepted {
    points: Vec<(String, i64, u64)>,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// Goes as the time of tokio goes, from one runtime to the next.
#[derive(Debug)]
struct LongClock(Mutex<(OffsetDateTime, Instant)>);

impl LongClock {
    /// Goes on in this runtime.
    fn go_on(&self) {
        self.0.lock().unwrap().1 = Instant::now();
    }

    /// Stands still until it goes on.
    fn stop(&self) {
        let now = self.now();
        self.0.lock().unwrap().0 = now;
    }
}

#[async_trait]
impl Clock for LongClock {
    fn now(&self) -> OffsetDateTime {
        let (at, since) = *self.0.lock().unwrap();
        at + since.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// Logs until the end, or until it dies.
async fn live(tracking: &Tracking, steps: Vec<Step>) -> (Run, Accepted, bool) {
    let options = tracking.spool().clone().with_runtime(tokio::runtime::Handle::current());
    let run = tracking.clone().with_spool(options).start_run("e").unwrap();
    let mut accepted = Accepted::default();
    for (step, it) in (0..).zip(steps) {
        match it {
            Step::Point(key) => {
                let (key, value) = (format!("m{key}"), f64::from(step));
                run.log_metric_at(&key, value, i64::from(step)).unwrap();
                accepted.points.push((key, i64::from(step), value.to_bits()));
            }
            Step::Param(key) => {
                run.log_param(format!("p{key}"), key).unwrap();
                accepted.params.insert(format!("p{key}"), key.to_string());
            }
            Step::Tag(value) => {
                run.set_tag("t", value.to_string()).unwrap();
                accepted.tags.insert("t".to_owned(), value.to_string());
            }
            Step::Wait(seconds) => {
                tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            }
            Step::Die => return (run, accepted, true),
        }
    }
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    (run, accepted, false)
}

fn in_no_time<F: Future>(clock: &LongClock, work: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        clock.go_on();
        let output = work.await;
        clock.stop();
        output
    })
    // Whatever is under way ends here, at whatever place it is.
}

fn live_and_perhaps_die(fates: Vec<Fate>, steps: Vec<Step>) {
    let start = time::macros::datetime!(2026-01-01 00:00 UTC);
    let clock = Arc::new(LongClock(Mutex::new((start, Instant::now()))));
    let server = Naive::new(fates, clock.clone());
    let spool = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().with_folder(spool.path());
    let tracking = Tracking::new(server.clone()).with_spool(options);
    let (_run, mut accepted, is_dead) = in_no_time(&clock, live(&tracking, steps));
    if is_dead {
        let dead = corpse(spool.path());
        in_no_time(&clock, async {
            tokio::time::sleep(LATE).await;
            while !Spool::recover(dead.path(), &tracking).await.unwrap().failed.is_empty() {}
        });
    }
    let kept = server.kept.lock().unwrap();
    let point =
        |it: &(OffsetDateTime, Metric)| (it.1.key.to_string(), it.1.step, it.1.value.to_bits());
    let mut points: Vec<_> = kept.points.iter().map(point).collect();
    points.sort();
    accepted.points.sort();
    assert_eq!(points, accepted.points);
    assert_eq!(kept.params.iter().cloned().collect::<BTreeMap<_, _>>(), accepted.params);
    assert_eq!(kept.tags.iter().cloned().collect::<BTreeMap<_, _>>(), accepted.tags);
    assert_eq!(kept.runs.len(), 1, "{:?}", kept.runs);
    let end = if is_dead { RunEnd::Canceled } else { RunEnd::Finished };
    assert!(!kept.ends.is_empty() && kept.ends.iter().all(|it| *it == end), "{:?}", kept.ends);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_each_point_is_stored_once(
        fates in prop::collection::vec(any_fate(), 0..40),
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        live_and_perhaps_die(fates, steps);
    }
}
