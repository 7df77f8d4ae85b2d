use std::fmt;

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

word_enum! {
    /// Where a run is in its life, in the newer words.
    StatusState {
        /// Waits for the tasks that it depends on.
        Blocked = "BLOCKED",
        /// Its machines are being prepared.
        Pending = "PENDING",
        /// Waits for its turn.
        Queued = "QUEUED",
        /// At work.
        Running = "RUNNING",
        /// At its end, cleaning up.
        Terminating = "TERMINATING",
        /// Over, however it went.
        Terminated = "TERMINATED",
        /// Failed and will be tried again.
        Waiting = "WAITING",
    }
}

word_enum! {
    /// Whose doing the end of a run was.
    TerminationKind {
        /// It came to a regular end.
        Success = "SUCCESS",
        /// The service failed. Trying again may help.
        InternalError = "INTERNAL_ERROR",
        /// The task or its definition is at fault.
        ClientError = "CLIENT_ERROR",
        /// The cloud failed.
        CloudFailure = "CLOUD_FAILURE",
    }
}

/// The same as [`JobRunState`], in the newer words, which tell why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobRunStatus {
    /// Where the run is in its life.
    pub state: StatusState,
    /// Why it ended, once it is over.
    pub termination: Option<Termination>,
    /// Why it waits, while it is queued: for example `MAX_CONCURRENT_RUNS_REACHED`.
    pub queue_code: Option<String>,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Termination {
    /// For example `SUCCESS`, `RUN_EXECUTION_ERROR`, `USER_CANCELED`.
    pub code: String,
    /// Whose doing it was.
    pub kind: TerminationKind,
    /// In words for people.
    pub message: String,
}

impl JobRunStatus {
    /// The state in the older words, for a service that sends the newer ones only.
    pub(super) fn to_state(&self) -> JobRunState {
        let ended = self.termination.as_ref();
        let result_state = ended.map(|it| match it.code.as_str() {
            "SUCCESS" => ResultState::Success,
            "SUCCESS_WITH_FAILURES" => ResultState::SuccessWithFailures,
            "USER_CANCELED" | "CANCELED" => ResultState::Canceled,
            "DISABLED" => ResultState::Disabled,
            "MAX_CONCURRENT_RUNS_EXCEEDED" => ResultState::MaximumConcurrentRunsReached,
            "SKIPPED" => ResultState::Excluded,
            _ => ResultState::Failed,
        });
        let life_cycle_state = match &self.state {
            StatusState::Blocked => LifeCycleState::Blocked,
            StatusState::Pending => LifeCycleState::Pending,
            StatusState::Queued => LifeCycleState::Queued,
            StatusState::Running => LifeCycleState::Running,
            StatusState::Terminating => LifeCycleState::Terminating,
            StatusState::Waiting => LifeCycleState::WaitingForRetry,
            StatusState::Terminated => match result_state {
                Some(ResultState::Failed) => LifeCycleState::InternalError,
                Some(ResultState::Excluded | ResultState::MaximumConcurrentRunsReached) => {
                    LifeCycleState::Skipped
                }
                _ => LifeCycleState::Terminated,
            },
            StatusState::Unknown(word) => LifeCycleState::Unknown(word.clone()),
        };
        let state_message = ended.map(|it| it.message.clone()).unwrap_or_default();
        JobRunState { life_cycle_state, result_state, state_message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_words_say_the_same_as_the_older_ones() {
        for (state, code, expected) in [
            ("TERMINATED", Some("SUCCESS"), "TERMINATED SUCCESS"),
            ("TERMINATED", Some("RUN_EXECUTION_ERROR"), "INTERNAL_ERROR FAILED"),
            ("TERMINATED", Some("USER_CANCELED"), "TERMINATED CANCELED"),
            ("TERMINATED", Some("SKIPPED"), "SKIPPED EXCLUDED"),
            ("WAITING", None, "WAITING_FOR_RETRY"),
            ("NEW", None, "NEW"),
        ] {
            let termination = code.map(|code| Termination {
                code: code.to_owned(),
                kind: TerminationKind::Success,
                message: String::new(),
            });
            let state = state.to_owned().into();
            let status = JobRunStatus { state, termination, queue_code: None };
            assert_eq!(status.to_state().to_string(), expected);
        }
    }
}
