use std::fmt;

use time::OffsetDateTime;

use super::{JobId, JobRunId, TaskKey};
use crate::clusters::ClusterId;

word_enum! {
    /// Where a run is in its life.
    LifeCycleState {
        /// Waits for its turn.
        Queued = "QUEUED",
        /// Its machines are being prepared.
        Pending = "PENDING",
        /// At work.
        Running = "RUNNING",
        /// At its end, cleaning up.
        Terminating = "TERMINATING",
        /// Over.
        Terminated = "TERMINATED",
        /// Over before it began, because another one was active.
        Skipped = "SKIPPED",
        /// Over, because the service or a task failed.
        InternalError = "INTERNAL_ERROR",
        /// Waits for the tasks that it depends on.
        Blocked = "BLOCKED",
        /// Failed and will be tried again.
        WaitingForRetry = "WAITING_FOR_RETRY",
    }
}

word_enum! {
    /// What a run came to.
    ResultState {
        /// It did what it should.
        Success = "SUCCESS",
        /// It failed.
        Failed = "FAILED",
        /// It took too long.
        TimedOut = "TIMEDOUT",
        /// It was canceled.
        Canceled = "CANCELED",
        /// It was left out, because a condition did not hold.
        Excluded = "EXCLUDED",
        /// It was left out, because a task that it depends on failed.
        UpstreamFailed = "UPSTREAM_FAILED",
        /// It was left out, because a task that it depends on was canceled.
        UpstreamCanceled = "UPSTREAM_CANCELED",
        /// It is a success, although some tasks failed.
        SuccessWithFailures = "SUCCESS_WITH_FAILURES",
        /// It was left out, because too many runs were active.
        MaximumConcurrentRunsReached = "MAXIMUM_CONCURRENT_RUNS_REACHED",
        /// It was left out, because it is switched off.
        Disabled = "DISABLED",
    }
}

/// Where a run is and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRunState {
    /// Where the run is in its life.
    pub life_cycle_state: LifeCycleState,
    /// What it came to, once it is over.
    pub result_state: Option<ResultState>,
    /// Why, in words for people. Often empty.
    pub state_message: String,
}

impl JobRunState {
    /// Whether nothing more will happen.
    pub fn is_terminal(&self) -> bool {
        use LifeCycleState::{InternalError, Skipped, Terminated};
        matches!(self.life_cycle_state, Terminated | Skipped | InternalError)
    }

    /// Whether the run is over and did what it should.
    pub fn is_success(&self) -> bool {
        use ResultState::{Success, SuccessWithFailures};
        self.is_terminal() && matches!(self.result_state, Some(Success | SuccessWithFailures))
    }
}

impl fmt::Display for JobRunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.life_cycle_state)?;
        if let Some(result) = &self.result_state {
            write!(f, " {result}")?;
        }
        if !self.state_message.is_empty() {
            write!(f, ": {}", self.state_message)?;
        }
        Ok(())
    }
}

/// A run as the service last described it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRun {
    /// The id that [`Jobs::submit`](super::Jobs::submit) returned.
    pub run_id: JobRunId,
    /// The job it belongs to. A submitted run has one of its own.
    pub job_id: Option<JobId>,
    /// What people call it.
    pub run_name: String,
    /// Where it is and what it came to.
    pub state: JobRunState,
    /// Its tasks.
    pub tasks: Vec<TaskRun>,
    /// The page that shows it. May be empty.
    pub run_page_url: String,
    /// Who started it.
    pub creator_user_name: String,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskRun {
    /// Its name in the run.
    pub task_key: TaskKey,
    /// The id to ask for its output by.
    pub run_id: JobRunId,
    /// Where it is and what it came to.
    pub state: JobRunState,
    /// The cluster that it runs on, once there is one.
    pub cluster_id: Option<ClusterId>,
    /// How often it was tried before.
    pub attempt_number: u32,
    /// The tasks that it waits for.
    pub depends_on: Vec<TaskKey>,
    /// The page that shows it. May be empty.
    pub run_page_url: String,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
}

/// What the run of a task has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRunOutput {
    /// What a notebook gave to `dbutils.notebook.exit`.
    pub notebook_result: Option<String>,
    /// Whether the result was longer than the service keeps.
    pub is_notebook_result_truncated: bool,
    /// The end of what a script printed.
    pub logs: Option<String>,
    /// Whether it printed more than the service keeps.
    pub are_logs_truncated: bool,
    /// The error in one line, if it failed.
    pub error: Option<String>,
    /// Where the error came from, line by line.
    pub error_trace: Option<String>,
    /// The run itself.
    pub run: Option<JobRun>,
}
