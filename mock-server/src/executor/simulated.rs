use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    AttemptId, Executor, Installation, Work,
    contexts::{CommandText, ContextId},
};
use crate::kernel::{Kernel, WorldId};

/// Runs nothing. Job runs end when the rules say so.
#[derive(Debug)]
pub(crate) struct Simulated;

impl Executor for Simulated {
    fn executes(&self) -> bool {
        false
    }

    fn start(&self, _: &Arc<Kernel>, work: Work) {
        tracing::error!(attempt = ?work.attempt, "a task was handed to an executor that runs none");
    }

    fn install(&self, _: &Arc<Kernel>, it: Installation) {
        tracing::error!(library = ?it.library, "a library was handed to an executor that installs none");
    }

    fn cancel(&self, _: &AttemptId) {}

    fn open_context(&self, _: &Arc<Kernel>, id: ContextId, _: Work) {
        tracing::error!(context = ?id, "a context was handed to an executor that runs none");
    }

    fn run_command(&self, _: &ContextId, _: CommandText) {}

    fn cancel_command(&self, _: &ContextId, _: &str) {}

    fn close_context(&self, _: &ContextId) {}

    fn end_cluster(&self, _: &WorldId, _: u64, _: &str) {}

    fn end_all(&self, _: Option<&WorldId>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
