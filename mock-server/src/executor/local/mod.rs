//! Runs tasks on this machine, as child processes.
//!
//! A task is three processes: `azml-mock exec-task`, which ends the whole group
//! when the mock is gone; the Python that runs the task; and, shared by all
//! tasks of a cluster, a warm JVM when one of them needs Spark. As many tasks
//! run at once as there are cores, and as many JVMs as the options allow;
//! further ones wait. No code of a
//! task ever runs in the mock itself.

mod children;
mod contexts;
mod environment;
mod exec_task;
mod libraries;
mod needs;
mod places;
mod python_files;
mod spark;
mod spec;
mod task;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

pub use self::exec_task::exec_task;
use self::{contexts::Contexts, python_files::PythonFiles, spark::Machines};
use super::{
    AttemptId, Executor, Installation, Work,
    contexts::{CommandText, ContextId},
};
use crate::kernel::{Kernel, WorldId};

/// What the local executor is made of.
#[derive(Clone, Debug)]
pub(crate) struct LocalOptions {
    /// The Python that runs tasks.
    pub(crate) python: PathBuf,
    /// Where Spark runs. `None`: on all cores of this machine.
    pub(crate) spark_master: Option<String>,
    /// What starts a task, followed by the task's specification.
    pub(crate) launcher: Vec<OsString>,
    /// How many tasks run at once. Others wait.
    pub(crate) cores: usize,
    /// How many JVMs are kept warm at once. Tasks of further clusters wait.
    pub(crate) max_jvms: usize,
}

impl LocalOptions {
    /// `exe` is the program `azml-mock` itself.
    pub(crate) fn new(python: impl Into<PathBuf>, exe: impl Into<OsString>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let launcher = vec![exe.into(), "exec-task".into()];
        Self { python: python.into(), spark_master: None, launcher, cores, max_jvms: 2 }
    }

    /// Runs Spark at `master`, for example `spark://10.0.0.1:7077`.
    #[must_use]
    pub(crate) fn with_spark_master(self, master: Option<String>) -> Self {
        Self { spark_master: master, ..self }
    }

    /// Keeps at most so many JVMs warm at once; 2 by default, 1 at least.
    #[must_use]
    pub(crate) fn with_max_jvms(self, max_jvms: usize) -> Self {
        Self { max_jvms, ..self }
    }
}

/// Runs tasks on this machine.
#[derive(Debug)]
pub(crate) struct Local(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: LocalOptions,
    python_files: PythonFiles,
    slots: Arc<Semaphore>,
    running: Mutex<BTreeMap<AttemptId, Running>>,
    machines: Arc<Machines>,
    installing: Mutex<Vec<(ClusterKey, Running)>>,
    contexts: Contexts,
    /// Whom tasks trust, once the mock has an authority.
    authorities: OnceLock<PathBuf>,
}

/// A task that waits or runs, or an installation.
#[derive(Debug)]
struct Running {
    stop: watch::Sender<bool>,
    handle: JoinHandle<()>,
}

/// One cluster of one workspace of one world, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ClusterKey {
    world: WorldId,
    workspace: u64,
    cluster_id: String,
}

impl Local {
    /// Makes the executor. Nothing is started before the first task.
    ///
    /// # Errors
    ///
    /// Fails when the Python files of the task runner cannot be written.
    pub(crate) fn new(options: LocalOptions) -> io::Result<Self> {
        let slots = Arc::new(Semaphore::new(options.cores.max(1)));
        let python_files = PythonFiles::write()?;
        let machines = Machines::new(options.max_jvms);
        Ok(Self(Arc::new(Shared {
            options,
            python_files,
            slots,
            running: Mutex::default(),
            machines,
            installing: Mutex::default(),
            contexts: Contexts::default(),
            authorities: OnceLock::new(),
        })))
    }
}

impl Shared {
    /// The file of the authorities that tasks trust: those of this machine, and
    /// that of the mock.
    fn authorities(&self, kernel: &Kernel) -> Option<PathBuf> {
        if let Some(known) = self.authorities.get() {
            return Some(known.clone());
        }
        let ca_file = kernel.settings.ca_file.lock().clone()?;
        let bundle = self.python_files.file("authorities.pem");
        match environment::write_bundle(&ca_file, &bundle) {
            Ok(()) => Some(self.authorities.get_or_init(|| bundle).clone()),
            Err(err) => {
                tracing::warn!(%err, "tasks trust the mock alone");
                Some(ca_file)
            }
        }
    }

    /// Stops installations and answers who waits for their ends.
    fn stop_installing(&self, is_wanted: impl Fn(&ClusterKey) -> bool) -> Vec<JoinHandle<()>> {
        let mut installing = self.installing.lock();
        let stopped = installing.extract_if(.., |(key, _)| is_wanted(key));
        let handles = stopped.map(|(_, it)| {
            it.stop.send_replace(true);
            it.handle
        });
        handles.collect()
    }
}

impl ClusterKey {
    /// Whose JVM a task shares.
    fn of_machine(work: &Work) -> Self {
        let AttemptId { world, workspace, .. } = &work.attempt;
        Self { world: world.clone(), workspace: *workspace, cluster_id: work.machine.clone() }
    }
}

/// What belongs to a cluster on disk: installed libraries.
fn libraries_folder(kernel: &Kernel, epoch: u64, workspace: u64, cluster_id: &str) -> PathBuf {
    let name = format!("{epoch}-{workspace}-{cluster_id}");
    kernel.files.scratch().join("clusters").join(name).join("libraries")
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Executor for Local {
    fn executes(&self) -> bool {
        true
    }

    fn start(&self, kernel: &Arc<Kernel>, work: Work) {
        let (stop, stopped) = watch::channel(false);
        let attempt = work.attempt.clone();
        let (shared, kernel) = (self.0.clone(), kernel.clone());
        // The lock is held until the task is on the list, so that it cannot
        // leave the list before it is on it.
        let mut running = self.0.running.lock();
        let id = attempt.clone();
        let handle = tokio::spawn(async move {
            task::run(&shared, &kernel, work, stopped).await;
            shared.running.lock().remove(&id);
        });
        running.insert(attempt, Running { stop, handle });
    }

    fn install(&self, kernel: &Arc<Kernel>, installation: Installation) {
        let (stop, mut stopped) = watch::channel(false);
        let (shared, kernel) = (self.0.clone(), kernel.clone());
        let key = ClusterKey {
            world: installation.world.clone(),
            workspace: installation.workspace,
            cluster_id: installation.cluster_id.clone(),
        };
        let handle = tokio::spawn(async move {
            tokio::select! {
                () = libraries::install(&shared, &kernel, installation) => (),
                // Dropped, it ends its processes.
                _ = stopped.wait_for(|it| *it) => (),
            }
        });
        let mut installing = self.0.installing.lock();
        installing.retain(|(_, it)| !it.handle.is_finished());
        installing.push((key, Running { stop, handle }));
    }

    fn cancel(&self, attempt: &AttemptId) {
        if let Some(it) = self.0.running.lock().get(attempt) {
            it.stop.send_replace(true);
        }
    }

    fn open_context(&self, kernel: &Arc<Kernel>, id: ContextId, work: Work) {
        self.0.contexts.open(&self.0, kernel, id, work);
    }

    fn run_command(&self, id: &ContextId, command: CommandText) {
        self.0.contexts.run(id, command);
    }

    fn cancel_command(&self, id: &ContextId, command_id: &str) {
        self.0.contexts.cancel(id, command_id);
    }

    fn close_context(&self, id: &ContextId) {
        // Nobody needs to wait for it: it ends by itself.
        drop(self.0.contexts.close(|it| it == id));
    }

    fn end_cluster(&self, world: &WorldId, workspace: u64, cluster_id: &str) {
        let is_it = |it: &ClusterKey| {
            it.world == *world && it.workspace == workspace && it.cluster_id == cluster_id
        };
        // Nobody needs to wait for them: they end by themselves.
        drop(self.0.stop_installing(is_it));
        drop(self.0.contexts.close(|it| {
            it.world == *world && it.workspace == workspace && it.cluster_id == cluster_id
        }));
        drop(self.0.machines.end_all(is_it));
    }

    fn end_all(&self, world: Option<&WorldId>) -> BoxFuture<'static, ()> {
        let is_wanted = |it: &WorldId| world.is_none_or(|world| world == it);
        let mut handles = Vec::new();
        let mut running = self.0.running.lock();
        let ids: Vec<AttemptId> =
            running.keys().filter(|it| is_wanted(&it.world)).cloned().collect();
        for id in ids {
            if let Some(it) = running.remove(&id) {
                it.stop.send_replace(true);
                handles.push(it.handle);
            }
        }
        drop(running);
        handles.extend(self.0.stop_installing(|it| is_wanted(&it.world)));
        handles.extend(self.0.contexts.close(|it| is_wanted(&it.world)));
        handles.extend(self.0.machines.end_all(|it| is_wanted(&it.world)));
        Box::pin(async move {
            // One that panicked has ended, too. All at the same time: each may
            // take as long as it is given.
            drop(join_all(handles).await);
        })
    }
}
