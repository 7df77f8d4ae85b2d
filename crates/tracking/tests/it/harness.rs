//! A mock cloud, a spool, and what both have at the end.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use azml_core::{Endpoint, Session};
use azml_testkit::TestContext;
use azml_tracking::{
    AzureMlTracking, MlflowTracking, RemoteRun, Run, RunInfo, SpoolOptions, Tracking,
    TrackingBackend,
};
use futures_util::TryStreamExt;
use tempfile::TempDir;

/// More than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(24 * 3600);
pub(crate) const EXPERIMENT: &str = "reliable";

/// Series, step and value of each point.
pub(crate) type Points = Vec<(String, i64, u64)>;

pub(crate) struct Place {
    pub(crate) ctx: TestContext,
    pub(crate) spool: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { ctx: TestContext::new(), spool: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn options(&self) -> SpoolOptions {
        SpoolOptions::new()
            .with_folder(self.spool.path())
            .with_runtime(tokio::runtime::Handle::current())
    }

    /// Plain MLflow, where nobody has to sign in.
    pub(crate) fn mlflow(&self) -> Tracking {
        let endpoint = Endpoint::new("https://mlflow.test/mlflow", self.ctx.transport());
        self.spooled(MlflowTracking::new(endpoint))
    }

    pub(crate) fn azureml(&self) -> Tracking {
        self.spooled(azureml(&self.ctx.session()))
    }

    pub(crate) fn spooled(&self, backend: impl TrackingBackend + 'static) -> Tracking {
        Tracking::new(backend).with_spool(self.options())
    }
}

/// The workspace of the default world.
pub(crate) fn azureml(session: &Session) -> AzureMlTracking {
    let id = format!(
        "/subscriptions/{}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/ws1",
        azml_testkit::SUBSCRIPTION_ID
    );
    let workspace = azml_core::ResourceId::parse(&id).unwrap();
    let scope = session.cloud().arm_scope();
    let endpoint = session.endpoint("https://westeurope.api.azureml.ms", scope);
    AzureMlTracking::new(endpoint, workspace)
}

/// Logs points of three series, and remembers them.
pub(crate) fn log(run: &Run, from: i64, count: i64) -> Points {
    let point = |step: i64| {
        let key = ["loss", "accuracy", "rmse"][usize::try_from(step % 3).unwrap()];
        let value = f64::from(i32::try_from(step).unwrap()) * 0.5;
        run.log_metric_at(key, value, step).unwrap();
        (key.to_owned(), step, value.to_bits())
    };
    (from..from + count).map(point).collect()
}

/// All points that the server has, in order.
pub(crate) async fn stored(run: &RemoteRun) -> Points {
    let mut points = Points::new();
    for (key, series) in run.metrics().await.unwrap() {
        points.extend(series.iter().map(|it| (key.to_string(), it.step, it.value.to_bits())));
    }
    sorted(points)
}

pub(crate) fn sorted(mut points: Points) -> Points {
    points.sort();
    points
}

/// All runs of the experiment.
pub(crate) async fn runs(tracking: &Tracking) -> Vec<RunInfo> {
    let experiment = tracking.find_experiment(EXPERIMENT).await.unwrap();
    experiment.runs(&azml_tracking::RunQuery::new()).try_collect().await.unwrap()
}

/// What a folder has, for a look from outside.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A copy of a spool, as a dead process leaves it: nobody holds its locks.
pub(crate) fn corpse(spool: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let corpse = tempfile::tempdir().unwrap();
    copy(spool, corpse.path());
    corpse
}

pub(crate) fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A clock that somebody sets.
#[derive(Debug)]
pub(crate) struct JumpingClock {
    pub(crate) inner: azml_core::TokioClock,
    pub(crate) offset: std::sync::Mutex<time::Duration>,
}

impl JumpingClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inner: azml_core::TokioClock::new(), offset: std::sync::Mutex::default() })
    }
}

#[async_trait::async_trait]
impl azml_core::Clock for JumpingClock {
    fn now(&self) -> time::OffsetDateTime {
        self.inner.now() + *self.offset.lock().unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        self.inner.sleep(wait).await;
    }
}
