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
    Event, Fault, Kernel, Refusal, Settings, TrackingOptions, World, WorldId,
    addresses::Authority,
    clock::{Clock, EPOCH, wall},
    log::{Forgetful, Log},
    routes::Operations,
    temporary::Temporary,
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
    /// When worlds begin; the wall clock tells if there is no such time.
    epoch: Option<OffsetDateTime>,
    operations: Operations,
    /// The temporary folder, if the files do not outlive the cloud.
    _guard: Option<Temporary>,
}

/// How a cloud is made. In-process defaults: virtual time, nothing executed,
/// nothing kept.
#[derive(Debug)]
pub struct MockCloudBuilder {
    seed: Option<u64>,
    began_at: Option<OffsetDateTime>,
    delay: Option<f64>,
    strict: bool,
    device_codes_by_hand: bool,
    tracking: TrackingOptions,
    files: Option<PathBuf>,
    executor: Arc<dyn Executor>,
    log: Arc<dyn Log>,
    worlds: Vec<(WorldId, World)>,
    seeded: Option<World>,
}

impl Default for MockCloudBuilder {
    fn default() -> Self {
        Self {
            seed: None,
            began_at: Some(EPOCH),
            delay: None,
            strict: false,
            device_codes_by_hand: false,
            tracking: TrackingOptions::default(),
            files: None,
            executor: Arc::new(Simulated),
            log: Arc::new(Forgetful),
            worlds: Vec::new(),
            seeded: None,
        }
    }
}

impl MockCloudBuilder {
    /// Makes ids from `seed`: equal runs have equal ids.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Multiplies simulated delays. 0 (the default on a socket) makes
    /// everything due at once, 1 (the default in-process) takes as long as the
    /// real service typically does.
    #[must_use]
    pub fn with_delay(self, delay: f64) -> Self {
        Self { delay: Some(delay), ..self }
    }

    /// Refuses fields and parameters that the mock does not know.
    #[must_use]
    pub fn with_strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Lets sign-ins by device code wait until somebody approves or declines
    /// them: on the page that the program shows, or by `POST /_mock/device_codes`
    /// with `{"user_code", "approve"}`. Without this they are approved at once.
    #[must_use]
    pub fn with_device_codes_by_hand(self, by_hand: bool) -> Self {
        Self { device_codes_by_hand: by_hand, ..self }
    }

    /// Makes the stores of runs of every world begin with `tracking`.
    #[must_use]
    pub fn with_tracking(self, tracking: TrackingOptions) -> Self {
        Self { tracking, ..self }
    }

    /// Keeps files below `folder` instead of in a temporary folder.
    #[must_use]
    pub fn with_files(self, folder: impl Into<PathBuf>) -> Self {
        Self { files: Some(folder.into()), ..self }
    }

    /// Goes by the wall clock, waits for nothing and is like no cloud before:
    /// what programs on the other side of a socket expect.
    #[cfg(feature = "server")]
    #[must_use]
    pub(crate) fn for_socket(self) -> Self {
        let random = || uuid::Uuid::new_v4().as_u64_pair().0;
        Self {
            began_at: None,
            seed: Some(self.seed.unwrap_or_else(random)),
            delay: Some(self.delay.unwrap_or(0.0)),
            ..self
        }
    }

    #[must_use]
    pub(crate) fn with_executor(self, executor: Arc<dyn Executor>) -> Self {
        Self { executor, ..self }
    }

    #[must_use]
    pub(crate) fn with_log(self, log: Arc<dyn Log>) -> Self {
        Self { log, ..self }
    }

    /// Begins the default world as `world` instead of as the documented one.
    #[must_use]
    pub(crate) fn with_seeded(self, world: World) -> Self {
        Self { seeded: Some(world), ..self }
    }

    /// Goes on with worlds that were kept.
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
            None => Temporary::make().map(|it| (it.path().to_owned(), Some(it)))?,
        };
        let settings = Settings {
            delay: self.delay.unwrap_or(1.0),
            strict: self.strict,
            device_codes_by_hand: self.device_codes_by_hand,
            tracking: Arc::new(self.tracking),
            loopback: Arc::new(Mutex::new(None)),
            ca_file: Arc::new(Mutex::new(None)),
        };
        let shared = Shared {
            worlds: RwLock::default(),
            log: self.log,
            settings,
            executor: self.executor,
            files,
            seed: self.seed.unwrap_or(1),
            epoch: self.began_at,
            operations: Operations::new(services::ALL),
            _guard: guard,
        };
        for (id, world) in self.worlds {
            shared.resume(id, world, false).map_err(|it| io::Error::other(it.message))?;
        }
        if let Some(world) = self.seeded {
            // A history of its own begins here.
            let world = World { seq: 0, ..world };
            let seeded = shared.resume(WorldId::default(), world, true);
            seeded.map_err(|it| io::Error::other(it.message))?;
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
    pub(crate) fn operations(&self) -> &Operations {
        &self.shared.operations
    }

    /// Moves the clock of the default world ahead, for callers whose own clock
    /// cannot be paused.
    pub fn advance(&self, by: Duration) {
        if let Err(refusal) = self.kernel().advance(by) {
            tracing::error!(%refusal.message, "the clock was not moved");
        }
    }

    /// Plans `fault` in the default world.
    pub fn inject(&self, fault: Fault) {
        self.kernel().faults.plan(fault);
    }

    /// Faults that not all of their requests have met yet. Empty at the end of a good test.
    pub fn unmet_faults(&self) -> Vec<Fault> {
        self.kernel().faults.all()
    }

    /// How the stores of runs of the default world behave.
    pub fn tracking(&self) -> TrackingOptions {
        TrackingOptions::clone(&self.kernel().tracking())
    }

    /// Makes the stores of runs of the default world behave as `tracking` says
    /// from now on. What is there stays as it is.
    pub fn set_tracking(&self, tracking: TrackingOptions) {
        self.kernel().set_tracking(Arc::new(tracking));
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
        let at = self.epoch.unwrap_or_else(wall);
        let kernel = self.kernel(
            id.clone(),
            World::genesis(seed, at).with_artifact_root(&self.settings.tracking),
        );
        kernel.begin()?;
        worlds.insert(id.clone(), kernel.clone());
        Ok(kernel)
    }

    /// Goes on with a world that was kept, or begins with one that is `new` to
    /// the log. What was executing when the mock ended has failed.
    fn resume(&self, id: WorldId, world: World, is_new: bool) -> Result<(), Refusal> {
        let kernel = self.kernel(id.clone(), world);
        if is_new {
            kernel.begin()?;
        }
        kernel.commit_first(|world, ctx| {
            Ok((services::databricks::decide_restart(world, ctx), ()))
        })?;
        self.worlds.write().insert(id, kernel);
        Ok(())
    }

    fn kernel(&self, id: WorldId, world: World) -> Arc<Kernel> {
        let offset = world.clock_offset;
        // Time goes on from where the world was, even if this machine's clock was set back.
        let clock = match self.epoch {
            Some(epoch) => Clock::starting_at(epoch.max(world.at - offset), offset),
            None => Clock::of_the_wall(world.at, offset),
        };
        let (log, settings) = (self.log.clone(), self.settings.clone());
        Kernel::new(id, world, clock, log, settings, &self.files, self.executor.clone())
    }

    /// Where the files of all worlds are.
    #[cfg(feature = "server")]
    pub(crate) fn files(&self) -> &Path {
        &self.files
    }

    /// Ends what executes and puts the log where it survives.
    #[cfg(feature = "server")]
    pub(crate) async fn close(&self) -> io::Result<()> {
        self.executor.end_all(None).await;
        self.log.flush()
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
    pub(crate) fn advance(&self, by: Duration) -> Result<(), Refusal> {
        if !self.clock.can_advance(by) {
            return Err(Refusal::invalid("the clock cannot be moved beyond the year 9000"));
        }
        // Recorded first: a move that the log does not have must not be seen.
        self.commit::<_, Refusal>(|_, _| Ok((vec![Event::ClockMoved { by }], ())))?;
        self.clock.advance(by);
        self.read(|_, _| Ok(()))
    }

    /// Starts this world anew: state, faults, rules, clock and recorder.
    pub(crate) async fn reset(self: &Arc<Self>, seed: u64) -> Result<(), Refusal> {
        self.executor.end_all(Some(&self.id)).await;
        // What has come due happens before the time goes back, watched or not.
        self.read::<_, Refusal>(|_, _| Ok(()))?;
        let offset = self.clock.set_offset(Duration::ZERO);
        let began = |world: &World, ctx: &mut super::Ctx<'_>| {
            let fresh = World::genesis(seed, ctx.now);
            let mut fresh = fresh.with_artifact_root(&self.settings.tracking);
            (fresh.epoch, fresh.seq) = (world.epoch + 1, world.seq);
            Ok((vec![Event::Began(Box::new(fresh))], ()))
        };
        self.commit::<_, Refusal>(began).inspect_err(|_| {
            self.clock.set_offset(offset);
        })?;
        // What began between the two is of the old epoch too.
        self.executor.end_all(Some(&self.id)).await;
        self.forget_the_past();
        self.faults.clear();
        self.recorder.clear();
        self.set_tracking(self.settings.tracking.clone());
        let cleared = self.files.clear();
        cleared.map_err(|err| Refusal::invalid(format!("files could not be removed: {err}")))
    }
}
