use std::{fs, io, sync::Arc};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Event, Kernel, World, files::Folder};
use crate::{
    executor::{AttemptId, Installation, Work},
    services::{
        arm,
        databricks::{self, jobs},
        history, pipelines,
    },
};

/// What a record brings about outside the world: files and processes.
///
/// The world changes first; whoever changed it carries the effects out as soon
/// as the lock is free.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A task is to be executed on this machine.
    Start(Box<Work>),
    /// A library is to be installed on this machine.
    Install(Box<Installation>),
    /// What executes is to end.
    Cancel(AttemptId),
    /// A cluster is gone, and with it what it kept warm.
    EndCluster { workspace: u64, cluster_id: String },
    /// Files of a snapshot are to lie on DBFS.
    CopyFiles(Vec<pipelines::CopiedFile>),
    /// What a task puts out is to be found among the artifacts of its run.
    ShareLog(pipelines::SharedLog),
    /// A rule has decided what a task wrote.
    WriteBlob { account: String, container: String, name: String, text: String },
    /// The same on DBFS. The path is relative to `dbfs:/`.
    WriteDbfs { workspace: u64, path: String, text: String },
}

impl Effect {
    pub(crate) fn of(event: Event, world: &World) -> Option<Self> {
        match event {
            Event::Databricks(workspace, event) => databricks::effect_of(workspace, event, world),
            Event::Pipelines(event) => pipelines::effect_of(event, world),
            Event::Blob(event) => crate::services::blob::effect_of(event),
            _ => None,
        }
    }

    pub(crate) fn carry_out(self, kernel: &Arc<Kernel>) {
        match self {
            // A world does not know its own name; its kernel does.
            Self::Start(mut work) => {
                work.attempt.world = kernel.id.clone();
                let token_of = |run_id: &str| history::run_token(run_id, arm::TENANT, "run").0;
                work.fill_in(&kernel.loopback().data_plane(arm::REGION), token_of);
                kernel.executor.start(kernel, *work);
            }
            Self::Install(mut it) => {
                it.world = kernel.id.clone();
                kernel.executor.install(kernel, *it);
            }
            Self::CopyFiles(files) => aside(|| files.iter().for_each(|it| copy(kernel, it))),
            Self::ShareLog(log) => aside(|| share(kernel, &log)),
            Self::Cancel(mut attempt) => {
                attempt.world = kernel.id.clone();
                kernel.executor.cancel(&attempt);
            }
            Self::EndCluster { workspace, cluster_id } => {
                kernel.executor.end_cluster(&kernel.id, workspace, &cluster_id);
            }
            Self::WriteBlob { account, container, name, text } => {
                write(kernel, &kernel.files.container(&account, &container), &name, &text);
            }
            Self::WriteDbfs { workspace, path, text } => {
                write(kernel, &kernel.files.dbfs(workspace), &path, &text);
            }
        }
    }
}

/// Works on files, and comes back when it is done: what follows may need them.
/// Other requests go on meanwhile where the runtime has several threads, as those
/// that embed the mock may have; the program has one, and they wait.
fn aside(work: impl FnOnce()) {
    let flavor = Handle::try_current().map(|it| it.runtime_flavor());
    if matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(work);
    } else {
        work();
    }
}

/// Writes what a rule has decided.
fn write(kernel: &Kernel, folder: &Folder, name: &str, text: &str) {
    aside(|| {
        if let Err(err) = kernel.files.write(&folder.locate(name), text.as_bytes()) {
            tracing::error!(%name, %err, "a file that a rule made could not be written");
        }
    });
}

fn copy(kernel: &Kernel, file: &pipelines::CopiedFile) {
    let source = kernel.files.container(&file.account, &file.container).locate(&file.blob);
    let target = kernel.files.dbfs(file.workspace).locate(&file.path);
    if let Err(err) = kernel.files.copy(&source, &target) {
        tracing::error!(blob = %file.blob, %err, "a file of a snapshot could not be copied to DBFS");
    }
}

/// Gives the file of a log more names. Where a file can have but one, it is
/// copied when it is whole.
fn share(kernel: &Arc<Kernel>, log: &pipelines::SharedLog) {
    let Some(source) = jobs::log_path(kernel, log.workspace, log.job_run) else { return };
    let shared = || -> io::Result<()> {
        if log.is_growing {
            // Its writer may not have come to it yet.
            source.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::OpenOptions::new().create(true).append(true).open(&source)?;
        } else if !source.is_file() {
            return Ok(());
        }
        let folder = kernel.files.container(&log.account, &log.container);
        for name in &log.blobs {
            let target = folder.locate(name);
            if target.is_file() {
                continue;
            }
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            match fs::hard_link(&source, &target) {
                Err(_) if !log.is_growing => kernel.files.copy(&source, &target)?,
                Err(err) => tracing::debug!(%name, %err, "a log is seen when it is whole"),
                Ok(()) => (),
            }
        }
        Ok(())
    };
    if let Err(err) = shared() {
        tracing::error!(log = %source.display(), %err, "a log could not be put among the artifacts");
    }
}
