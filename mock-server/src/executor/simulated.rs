use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{AttemptId, Executor, Installation, Work};
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

    fn end_cluster(&self, _: &WorldId, _: u64, _: &str) {}

    fn end_all(&self, _: Option<&WorldId>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
