//! What a cluster keeps warm.

use tokio::sync::{Mutex, watch};

use super::{Gateway, Jvm, jvm::Death};
use crate::{
    executor::{Work, local::Shared},
    kernel::Kernel,
};

/// The place of a cluster's JVM: started when a task first needs it, and anew
/// after it died.
#[derive(Debug)]
pub(in super::super) struct Machine {
    state: Mutex<State>,
    /// Whether the cluster is gone. Nobody waits for a start after that.
    is_over: watch::Sender<bool>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Cold,
    Warm(Jvm),
    /// It could not be started. Tasks say themselves what is missing.
    WithoutSpark,
}

impl Default for Machine {
    fn default() -> Self {
        Self { state: Mutex::default(), is_over: watch::Sender::new(false) }
    }
}

impl Machine {
    /// How to reach the JVM of the cluster, started if there is none, and what
    /// tells of its death. `None` when there cannot be one.
    pub(in super::super) async fn gateway(
        &self,
        shared: &Shared,
        kernel: &Kernel,
        work: &Work,
    ) -> Option<(Gateway, Death)> {
        let mut over = self.is_over.subscribe();
        let mut state = self.state.lock().await;
        if let State::Warm(jvm) = &*state
            && !jvm.answers().await
        {
            *state = State::Cold;
        }
        if matches!(*state, State::Cold) {
            let started = tokio::select! {
                started = Jvm::start(shared, kernel, work) => started,
                _ = over.wait_for(|it| *it) => return None,
            };
            *state = match started {
                Ok(jvm) => State::Warm(jvm),
                Err(err) => {
                    tracing::warn!(machine = %work.machine, %err, "Spark is not available");
                    State::WithoutSpark
                }
            };
        }
        match &*state {
            State::Warm(jvm) => Some((jvm.gateway.clone(), jvm.death())),
            _ => None,
        }
    }

    /// Cancels what a task that was ended left running in the JVM.
    pub(in super::super) async fn cancel_jobs(&self, task_run_id: i64) {
        if let State::Warm(jvm) = &*self.state.lock().await {
            jvm.cancel_jobs(task_run_id);
        }
    }

    /// Ends the JVM.
    pub(in super::super) async fn end(&self) {
        self.is_over.send_replace(true);
        let state = std::mem::take(&mut *self.state.lock().await);
        if let State::Warm(jvm) = state {
            jvm.end().await;
        }
    }
}
