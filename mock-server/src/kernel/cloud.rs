use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use parking_lot::{Mutex, RwLock};
use time::OffsetDateTime;

use super::{
    Event, Fault, Kernel, Refusal, Settings, World, WorldId,
    addresses::Authority,
    clock::{Clock, EPOCH},
    log::{Forgetful, Log},
    routes,
};
use crate::{
    executor::{Executor, Simulated},
    server::dispatch,
    services,
};

/// One emulated cloud: its own worlds, its own faults, no globals. Clones share it.
#[derive(Clone, Debug)]
pub struct MockCloud {
    pub(crate) shared: Arc<Shared>,
}

/// What all worlds of a cloud have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    worlds: RwLock<BTreeMap<WorldId, Arc<Kernel>>>,
    log: Arc<dyn Log>,
    pub(crate) settings: Settings,
    pub(crate) executor: Arc<dyn Executor>,
    files: PathBuf,
    seed: u64,
    epoch: OffsetDateTime,
    router: Router,
    /// The temporary folder, if the files do not outlive the cloud.
    _guard: Option<Temporary>,
}

/// How a cloud is made. In-process defaults: virtual time, nothing executed,
/// nothing kept.
#[derive(Debug)]
pub struct MockCloudBuilder {
    seed: u64,
    began_at: OffsetDateTime,
    delay: f64,
    strict: bool,
    files: Option<PathBuf>,
    executor: Arc<dyn Executor>,
    log: Arc<dyn Log>,
    worlds: Vec<(WorldId, World)>,
}

impl Default for MockCloudBuilder {
    fn default() -> Self {
        Self {
            seed: 1,
            began_at: EPOCH,
            delay: 1.0,
            strict: false,
            files: None,
            executor: Arc::new(Simulated),
            log: Arc::new(Forgetful),
            worlds: Vec::new(),
        }
    }
}

impl MockCloudBuilder {
    /// Makes ids from `seed`: equal runs have equal ids.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Multiplies simulated delays. 0 makes everything due at once, 1 (the
    /// default) takes as long as the real service typically does.
    #[must_use]
    pub fn with_delay(self, delay: f64) -> Self {
        Self { delay, ..self }
    }

    /// Refuses fields and parameters that the mock does not know.
    #[must_use]
    pub fn with_strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Keeps files below `folder` instead of in a temporary folder.
    #[must_use]
    pub fn with_files(self, folder: impl Into<PathBuf>) -> Self {
        Self { files: Some(folder.into()), ..self }
    }

    #[must_use]
    pub(crate) fn with_clock(self, began_at: OffsetDateTime) -> Self {
        Self { began_at, ..self }
    }

    #[must_use]
    pub(crate) fn with_executor(self, executor: Arc<dyn Executor>) -> Self {
        Self { executor, ..self }
    }

    #[must_use]
    pub(crate) fn with_log(self, log: Arc<dyn Log>) -> Self {
        Self { log, ..self }
    }

    /// Goes on with worlds that were kept or exported.
    #[must_use]
    pub(crate) fn with_worlds(self, worlds: Vec<(WorldId, World)>) -> Self {
        Self { worlds, ..self }
    }

    /// Makes the cloud. It begins with the default world of the documentation.
    ///
    /// # Errors
    ///
    /// Fails when no temporary folder can be made or the log takes nothing.
    pub fn build(self) -> io::Result<MockCloud> {
        let (files, guard) = match self.files {
            Some(folder) => (folder, None),
            None => Temporary::make().map(|it| (it.0.clone(), Some(it)))?,
        };
        let settings = Settings {
            delay: self.delay,
            strict: self.strict,
            loopback: Arc::new(Mutex::new(None)),
            ca_file: Arc::new(Mutex::new(None)),
        };
        let shared = Shared {
            worlds: RwLock::default(),
            log: self.log,
            settings,
            executor: self.executor,
            files,
            seed: self.seed,
            epoch: self.began_at,
            router: routes::router(services::ALL),
            _guard: guard,
        };
        for (id, world) in self.worlds {
            shared.resume(id, world).map_err(|it| io::Error::other(it.message))?;
        }
        let cloud = MockCloud { shared: Arc::new(shared) };
        cloud.shared.world(&WorldId::default()).map_err(|it| io::Error::other(it.message))?;
        Ok(cloud)
    }
}

impl MockCloud {
    /// A cloud in memory, with virtual time and simulated tasks.
    ///
    /// # Panics
    ///
    /// Panics when no temporary folder can be made.
    #[expect(clippy::new_without_default, reason = "a cloud is an event, not a value")]
    pub fn new() -> Self {
        Self::builder().build().expect("a temporary folder can be made")
    }

    /// Starts describing a cloud.
    pub fn builder() -> MockCloudBuilder {
        MockCloudBuilder::default()
    }

    /// The whole cloud as a service. Serve it, or call it without a socket.
    pub fn router(&self) -> Router {
        dispatch::router(self.clone())
    }

    /// The operations of all services, before worlds and names are looked at.
    pub(crate) fn operations(&self) -> &Router {
        &self.shared.router
    }

    /// Moves the clock of the default world ahead, for callers whose own clock
    /// cannot be paused.
    pub fn advance(&self, by: Duration) {
        self.kernel().advance(by);
    }

    /// Plans `fault` in the default world.
    pub fn inject(&self, fault: Fault) {
        self.kernel().faults.plan(fault);
    }

    /// Faults that not all of their requests have met yet. Empty at the end of a good test.
    pub fn unmet_faults(&self) -> Vec<Fault> {
        self.kernel().faults.all()
    }

    /// Replaces the rules that decide how tasks of the default world end. The
    /// same JSON list as `POST /_mock/outcomes` takes.
    ///
    /// # Errors
    ///
    /// Fails with the reason when `rules` is no such list.
    pub fn set_outcomes(&self, rules: &serde_json::Value) -> Result<(), String> {
        super::admin::set_outcomes(&self.kernel(), &rules.to_string()).map_err(|it| it.message)
    }

    /// The default world as one readable JSON document, in the format of `--seed`.
    pub fn export(&self) -> String {
        super::admin::export(&self.kernel())
    }

    /// The default world.
    pub(crate) fn kernel(&self) -> Arc<Kernel> {
        let default = self.shared.world(&WorldId::default());
        default.expect("the default world exists since the cloud was made")
    }
}

impl Shared {
    /// The world called `id`, made on first use.
    pub(crate) fn world(&self, id: &WorldId) -> Result<Arc<Kernel>, Refusal> {
        if let Some(kernel) = self.worlds.read().get(id) {
            return Ok(kernel.clone());
        }
        let mut worlds = self.worlds.write();
        if let Some(kernel) = worlds.get(id) {
            return Ok(kernel.clone());
        }
        let seed = id.0.bytes().fold(self.seed, |it, byte| it.rotate_left(9) ^ u64::from(byte));
        let kernel = self.kernel(id.clone(), World::genesis(seed, self.epoch), self.epoch);
        kernel.begin()?;
        worlds.insert(id.clone(), kernel.clone());
        Ok(kernel)
    }

    /// Goes on with a world that was kept. What was executing when the mock
    /// ended has failed.
    fn resume(&self, id: WorldId, world: World) -> Result<(), Refusal> {
        let now = (self.epoch + world.clock_offset).max(world.at);
        let kernel = self.kernel(id.clone(), world, now);
        kernel.commit::<_, Refusal>(|world, ctx| {
            Ok((services::databricks::decide_restart(world, ctx), ()))
        })?;
        self.worlds.write().insert(id, kernel);
        Ok(())
    }

    fn kernel(&self, id: WorldId, world: World, now: OffsetDateTime) -> Arc<Kernel> {
        let clock = Clock::showing(now);
        let (log, settings) = (self.log.clone(), self.settings.clone());
        Kernel::new(id, world, clock, log, settings, &self.files, self.executor.clone())
    }

    /// Tells where this cloud listens, for children of the executor.
    #[cfg(feature = "server")]
    pub(crate) fn listens_at(&self, authority: &str, ca_file: &Path) {
        *self.settings.loopback.lock() = Some(Authority(authority.to_owned()));
        *self.settings.ca_file.lock() = Some(ca_file.to_owned());
    }
}

impl Kernel {
    /// Records how this world begins, so that its log tells the whole story.
    fn begin(&self) -> Result<(), Refusal> {
        self.commit(|world, _| Ok((vec![Event::Began(Box::new(world.clone()))], ())))
    }

    /// Moves the clock ahead and lets what came due happen.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let moved = self.commit::<_, Refusal>(|_, _| Ok((vec![Event::ClockMoved { by }], ())));
        if let Err(refusal) = moved {
            tracing::error!(%refusal.message, "the clock's move was not recorded");
        }
    }

    /// Starts this world anew: state, faults, rules, clock and recorder.
    pub(crate) async fn reset(self: &Arc<Self>, seed: u64) -> Result<(), Refusal> {
        self.executor.end_all(Some(&self.id)).await;
        self.clock.reset();
        let began = |world: &World, ctx: &mut super::Ctx<'_>| {
            let mut fresh = World::genesis(seed, ctx.now);
            (fresh.epoch, fresh.seq) = (world.epoch + 1, world.seq);
            Ok((vec![Event::Began(Box::new(fresh))], ()))
        };
        self.commit::<_, Refusal>(began)?;
        self.faults.clear();
        self.recorder.clear();
        let cleared = self.files.clear();
        cleared.map_err(|err| Refusal::invalid(format!("files could not be removed: {err}")))
    }
}

/// A folder that goes when the cloud goes.
#[derive(Debug)]
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    fn make() -> io::Result<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("azml-mock-{}-{id}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(err) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%err, folder = %self.0.display(), "a temporary folder stays");
        }
    }
}
