//! One warm JVM for each cluster, started when a task first needs Spark.

use std::{fs, io, process::Stdio, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Mutex, watch},
};

use super::{Shared, children, environment, path_text, spec, task::write_private};
use crate::{executor::Work, kernel::Kernel};

/// How long a JVM may take until it answers.
const START: Duration = Duration::from_secs(180);

/// How long it may take to end by itself.
const END: Duration = Duration::from_millis(1500);

/// How a task attaches to a running JVM.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Gateway {
    pub(super) port: u16,
    pub(super) secret: String,
}

/// A running JVM.
#[derive(Debug)]
struct Warm {
    gateway: Gateway,
    child: Child,
    /// The JVM ends when this closes.
    lifeline: ChildStdin,
}

/// What a cluster keeps warm.
#[derive(Debug)]
pub(super) struct Machine {
    state: Mutex<State>,
    /// Whether the cluster is gone. Nobody waits for a start after that.
    is_over: watch::Sender<bool>,
}

impl Default for Machine {
    fn default() -> Self {
        Self { state: Mutex::default(), is_over: watch::Sender::new(false) }
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Cold,
    Warm(Box<Warm>),
    /// It could not be started. Tasks say themselves what is missing.
    WithoutSpark,
}

impl Machine {
    /// The JVM of the cluster, started if there is none. `None` when there
    /// cannot be one.
    pub(super) async fn gateway(
        &self,
        shared: &Arc<Shared>,
        kernel: &Kernel,
        work: &Work,
    ) -> Option<Gateway> {
        let mut over = self.is_over.subscribe();
        let mut state = self.state.lock().await;
        if let State::Warm(warm) = &mut *state {
            if let Ok(None) = warm.child.try_wait() {
                return Some(warm.gateway.clone());
            }
            // It died, or a task ended it. The next one is new.
            *state = State::Cold;
        }
        if matches!(*state, State::Cold) {
            let started = tokio::select! {
                started = start(shared, kernel, work) => started,
                _ = over.wait_for(|it| *it) => return None,
            };
            *state = match started {
                Ok(warm) => State::Warm(Box::new(warm)),
                Err(err) => {
                    tracing::warn!(cluster = %work.cluster_id, %err, "Spark is not available");
                    State::WithoutSpark
                }
            };
        }
        match &*state {
            State::Warm(warm) => Some(warm.gateway.clone()),
            _ => None,
        }
    }

    /// Cancels what a task that was ended left running in the JVM.
    pub(super) async fn cancel_jobs(&self, task_run_id: i64) {
        if let State::Warm(warm) = &mut *self.state.lock().await {
            let line = format!("cancel {task_run_id}\n");
            if let Err(err) = warm.lifeline.write_all(line.as_bytes()).await {
                tracing::debug!(%err, "the JVM is gone already");
            }
        }
    }

    /// Ends the JVM.
    pub(super) async fn end(&self) {
        self.is_over.send_replace(true);
        let state = std::mem::take(&mut *self.state.lock().await);
        if let State::Warm(warm) = state {
            let Warm { mut child, lifeline, .. } = *warm;
            drop(lifeline);
            let pid = children::pid_of(&child);
            if tokio::time::timeout(END, child.wait()).await.is_err() {
                children::end(&mut child).await;
            }
            pid.into_iter().for_each(children::sweep);
        }
    }
}

async fn start(shared: &Arc<Shared>, kernel: &Kernel, work: &Work) -> io::Result<Warm> {
    let attempt = &work.attempt;
    let name = format!("{}-{}-{}", attempt.epoch, attempt.workspace, work.cluster_id);
    let folder = kernel.files.scratch().join("clusters").join(name).join("jvm");
    fs::create_dir_all(&folder)?;
    let file = folder.join("spec.json");
    write_private(&file, spec::common(shared, kernel, work).to_string().as_bytes())?;
    let log = fs::File::create(folder.join("log"))?;
    let mut child = Command::new(&shared.options.python)
        .args(["-u", "-B", &path_text(&shared.python_files.file("jvm.py"))])
        .arg(&file)
        .env_clear()
        .envs(environment::of_task(&folder, None, &work.environment))
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own, which is ended as a whole.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (Some(lifeline), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the JVM has no input or no output"));
    };
    let mut lines = BufReader::new(output).lines();
    let line = match tokio::time::timeout(START, lines.next_line()).await {
        Ok(line) => line?,
        Err(_) => None,
    };
    if let Some(Ok(gateway)) = line.as_deref().map(serde_json::from_str) {
        return Ok(Warm { gateway, child, lifeline });
    }
    children::end(&mut child).await;
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    Err(io::Error::other(text.lines().last().unwrap_or("it said nothing").to_owned()))
}
