use std::sync::Arc;

use super::{Event, Kernel, World};
use crate::{
    executor::{AttemptId, Work},
    services::databricks,
};

/// What a record brings about outside the world: files and processes.
///
/// The world changes first; whoever changed it carries the effects out as soon
/// as the lock is free.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A task is to be executed on this machine.
    Start(Box<Work>),
    /// What executes is to end.
    Cancel(AttemptId),
    /// A cluster is gone, and with it what it kept warm.
    EndCluster { workspace: u64, cluster_id: String },
    /// A rule has decided what a task wrote.
    WriteBlob { account: String, container: String, name: String, text: String },
}

impl Effect {
    pub(crate) fn of(event: Event, world: &World) -> Option<Self> {
        match event {
            Event::Databricks(workspace, event) => databricks::effect_of(workspace, event, world),
            Event::Blob(event) => crate::services::blob::effect_of(event),
            _ => None,
        }
    }

    pub(crate) fn carry_out(self, kernel: &Arc<Kernel>) {
        match self {
            Self::Start(work) => kernel.executor.start(kernel, *work),
            Self::Cancel(attempt) => kernel.executor.cancel(&attempt),
            Self::EndCluster { workspace, cluster_id } => {
                kernel.executor.end_cluster(workspace, &cluster_id);
            }
            Self::WriteBlob { account, container, name, text } => {
                let path = kernel.files.container(&account, &container).locate(&name);
                if let Err(err) = kernel.files.write(&path, text.as_bytes()) {
                    tracing::error!(%name, %err, "a blob that a rule made could not be written");
                }
            }
        }
    }
}
