//! A submitted pipeline: what it does, until it ends.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use azml_core::{Clock, Error, ErrorKind};
use futures_util::stream::{self, BoxStream, StreamExt};
use time::OffsetDateTime;

use crate::{
    Pipeline, PipelineBackend, PipelineRunDetails, PipelineRunId, PipelineStatus, Result,
    ReuseExplanation, StepLog, StepName, StepOutput, StepRun, StepRunId, StepStatus, SubmitOptions,
};

/// Submits pipelines and finds their runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipelines {
    backend: Arc<dyn PipelineBackend>,
}

impl Pipelines {
    /// Runs pipelines on `backend`.
    pub fn new(backend: impl PipelineBackend + 'static) -> Self {
        Self { backend: Arc::new(backend) }
    }

    /// Checks `pipeline`, sends it, and has it started.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) with all problems at
    /// once, before anything is sent.
    pub async fn submit(
        &self,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<PipelineRun> {
        let details = self.backend.submit(pipeline, options).await?;
        Ok(PipelineRun { backend: self.backend.clone(), id: details.id })
    }

    /// A run that was submitted earlier. Asks nothing of the service.
    pub fn run(&self, id: impl Into<PipelineRunId>) -> PipelineRun {
        PipelineRun { backend: self.backend.clone(), id: id.into() }
    }
}

/// A submitted pipeline.
#[derive(Clone, Debug)]
pub struct PipelineRun {
    backend: Arc<dyn PipelineBackend>,
    id: PipelineRunId,
}

/// How to follow a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowOptions {
    /// Pause between two looks.
    pub poll_interval: Duration,
    /// Give up after this long. `None` follows to the end.
    pub timeout: Option<Duration>,
    /// Whether to ask for what the steps print.
    pub logs: bool,
}

impl Default for FollowOptions {
    /// Looks every second, to the end, with logs.
    fn default() -> Self {
        Self { poll_interval: Duration::from_secs(1), timeout: None, logs: true }
    }
}

impl FollowOptions {
    /// Sets the pause between two looks.
    #[must_use]
    pub fn with_poll_interval(self, poll_interval: Duration) -> Self {
        Self { poll_interval, ..self }
    }

    /// Gives up after this long. The run goes on.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Says whether to ask for what the steps print.
    #[must_use]
    pub fn with_logs(self, logs: bool) -> Self {
        Self { logs, ..self }
    }
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipelineEvent {
    /// A step waits for a cluster or other resources.
    StepQueued(StepRun),
    /// The code of a step began.
    StepStarted(StepRun),
    /// A step printed a line.
    StepLog {
        /// The run of the step.
        id: StepRunId,
        /// The step.
        step: StepName,
        /// The line, without its end.
        line: String,
    },
    /// An earlier output stands in for a step.
    StepReused(StepRun),
    /// A step ended, well or not.
    StepFinished(StepRun),
    /// The run ended, well or not. The last event.
    Finished(PipelineStatus),
}

impl PipelineRun {
    /// Identifies the run.
    pub fn id(&self) -> &PipelineRunId {
        &self.id
    }

    /// Asks how far the run is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn status(&self) -> Result<PipelineStatus> {
        Ok(self.details().await?.status)
    }

    /// Describes the run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn details(&self) -> Result<PipelineRunDetails> {
        self.backend.get(&self.id).await
    }

    /// Describes the runs of the steps, as far as there are any yet.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn steps(&self) -> Result<Vec<StepRun>> {
        let details = self.details().await?;
        self.backend.steps(&details).await
    }

    /// What a step has written so far.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    pub async fn log(&self, step: &StepRun, log: StepLog) -> Result<String> {
        self.backend.log(&self.id, step, log).await
    }

    /// Where the outputs of a step lie.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot be reached or refuses.
    pub async fn outputs(&self, step: &StepRun) -> Result<Vec<StepOutput>> {
        self.backend.outputs(&self.id, step).await
    }

    /// Asks the run to end. It ends some time later.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such run.
    pub async fn cancel(&self) -> Result<()> {
        self.backend.cancel(&self.id).await
    }

    /// Runs the same graph again. See [`PipelineBackend::resubmit`].
    ///
    /// # Errors
    ///
    /// As [`PipelineBackend::resubmit`].
    pub async fn resubmit(&self, options: &SubmitOptions) -> Result<Self> {
        let details = self.backend.resubmit(&self.id, options).await?;
        Ok(Self { backend: self.backend.clone(), id: details.id })
    }

    /// Says why an earlier output stood in for a step of this run, or why it did not,
    /// compared with an `earlier` run of the pipeline.
    ///
    /// # Errors
    ///
    /// As [`PipelineBackend::explain_reuse`].
    pub async fn explain_reuse(
        &self,
        step: &StepRun,
        earlier: Option<&Self>,
    ) -> Result<ReuseExplanation> {
        self.backend.explain_reuse(&self.id, step, earlier.map(Self::id)).await
    }

    /// Waits until the run has ended, and says how.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) when the options' time is over. A run
    /// that failed is no error here.
    pub async fn wait(&self, options: &FollowOptions) -> Result<PipelineStatus> {
        let pace = Pace::new(self.backend.clock(), options);
        loop {
            let status = self.status().await?;
            if status.is_terminal() {
                return Ok(status);
            }
            pace.pause(&status).await?;
        }
    }

    /// What happens, until the run has ended.
    ///
    /// Nothing is asked before the stream is polled. It ends after
    /// [`PipelineEvent::Finished`], or after the first error; following again
    /// starts from the beginning.
    pub fn follow(&self, options: &FollowOptions) -> BoxStream<'static, Result<PipelineEvent>> {
        let follower = Follower {
            run: self.clone(),
            pace: Pace::new(self.backend.clock(), options),
            logs: options.logs,
            seen: HashMap::new(),
            ready: VecDeque::new(),
            last: None,
        };
        stream::try_unfold(follower, Follower::next).boxed()
    }
}

/// When to look again, and when to give up.
#[derive(Debug)]
struct Pace {
    clock: Arc<dyn Clock>,
    interval: Duration,
    deadline: Option<OffsetDateTime>,
}

impl Pace {
    fn new(clock: Arc<dyn Clock>, options: &FollowOptions) -> Self {
        let deadline = options.timeout.map(|it| clock.now() + it);
        Self { clock, interval: options.poll_interval, deadline }
    }

    async fn pause(&self, status: &PipelineStatus) -> Result<()> {
        const NAME: &str = "pipelines.runs.follow";
        if self.deadline.is_some_and(|it| it <= self.clock.now()) {
            let reason = format!("the time is over, and the run is still {status}");
            return Err(Error::explained(NAME, ErrorKind::Timeout, reason).into());
        }
        self.clock.sleep(self.interval).await;
        Ok(())
    }
}

#[derive(Debug)]
struct Follower {
    run: PipelineRun,
    pace: Pace,
    logs: bool,
    seen: HashMap<StepRunId, Seen>,
    ready: VecDeque<PipelineEvent>,
    /// How far the run was at the last look.
    last: Option<PipelineStatus>,
}

/// What has been told about one step.
#[derive(Debug, Default)]
struct Seen {
    queued: bool,
    started: bool,
    ended: bool,
    log_bytes: usize,
}

impl Follower {
    async fn next(mut self) -> Result<Option<(PipelineEvent, Self)>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some((event, self)));
            }
            if let Some(status) = &self.last {
                if status.is_terminal() {
                    return Ok(None);
                }
                self.pace.pause(status).await?;
            }
            self.look().await?;
        }
    }

    /// Asks for the run first and its steps second, so that a run that has
    /// ended has no step that goes on.
    async fn look(&mut self) -> Result<()> {
        let details = self.run.details().await?;
        for step in self.run.backend.steps(&details).await? {
            self.look_at(step).await?;
        }
        if details.status.is_terminal() {
            self.ready.push_back(PipelineEvent::Finished(details.status.clone()));
        }
        self.last = Some(details.status);
        Ok(())
    }

    async fn look_at(&mut self, step: StepRun) -> Result<()> {
        let mut seen = self.seen.remove(&step.id).unwrap_or_default();
        if !seen.ended {
            if step.status == StepStatus::Queued && !seen.queued {
                seen.queued = true;
                self.ready.push_back(PipelineEvent::StepQueued(step.clone()));
            }
            if step.reused_from.is_some() && step.status.is_terminal() {
                seen.ended = true;
                self.ready.push_back(PipelineEvent::StepReused(step.clone()));
            } else {
                self.progress(&step, &mut seen).await?;
            }
        }
        self.seen.insert(step.id, seen);
        Ok(())
    }

    async fn progress(&mut self, step: &StepRun, seen: &mut Seen) -> Result<()> {
        let ended = step.status.is_terminal();
        let runs = step.status == StepStatus::Running || (ended && step.started_at.is_some());
        if runs && !seen.started {
            seen.started = true;
            self.ready.push_back(PipelineEvent::StepStarted(step.clone()));
        }
        if self.logs && seen.started {
            let text = self.run.log(step, StepLog::Output).await?;
            seen.log_bytes += self.lines(step, text.get(seen.log_bytes..), ended);
            if step.status == StepStatus::Failed {
                let text = self.run.log(step, StepLog::Error).await?;
                self.lines(step, Some(&text), true);
            }
        }
        if ended {
            seen.ended = true;
            self.ready.push_back(PipelineEvent::StepFinished(step.clone()));
        }
        Ok(())
    }

    /// Tells the lines of `text`, and the last one only when it is complete or
    /// the step has ended. Returns how many bytes have been told.
    fn lines(&mut self, step: &StepRun, text: Option<&str>, ended: bool) -> usize {
        let text = text.unwrap_or_default();
        let told = if ended { text.len() } else { text.rfind('\n').map_or(0, |it| it + 1) };
        for line in text[..told].lines() {
            self.ready.push_back(PipelineEvent::StepLog {
                id: step.id.clone(),
                step: step.name.clone(),
                line: line.to_owned(),
            });
        }
        told
    }
}

#[cfg(test)]
mod tests;
