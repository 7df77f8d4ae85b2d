//! How far runs are.

use std::fmt;

/// How far a run of a pipeline is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PipelineStatus {
    /// Waits to be started.
    NotStarted,
    /// Runs.
    Running,
    /// All steps ended well.
    Finished,
    /// A step failed.
    Failed,
    /// Somebody ended it.
    Canceled,
    /// A word that this version of the crate does not know. Not an end.
    Unknown(String),
}

impl PipelineStatus {
    /// Whether nothing more will happen.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Canceled)
    }

    /// Whether all steps ended well.
    pub fn is_success(&self) -> bool {
        *self == Self::Finished
    }

    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "NotStarted" | "0" => Self::NotStarted,
            "Running" | "Queued" | "1" => Self::Running,
            "Failed" | "2" => Self::Failed,
            "Finished" | "Completed" | "3" => Self::Finished,
            "Canceled" | "Cancelled" | "4" => Self::Canceled,
            _ => Self::Unknown(word.to_owned()),
        }
    }
}

impl fmt::Display for PipelineStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "NotStarted",
            Self::Running => "Running",
            Self::Finished => "Finished",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Unknown(word) => word,
        })
    }
}

/// How far a run of one step is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepStatus {
    /// Waits for other steps.
    NotStarted,
    /// Waits for a cluster.
    Queued,
    /// Runs.
    Running,
    /// Ended well.
    Finished,
    /// Its code or its cluster failed.
    Failed,
    /// Somebody ended it.
    Canceled,
    /// Ended in the middle.
    PartiallyExecuted,
    /// Left out, because it was not needed.
    Bypassed,
    /// A word that this version of the crate does not know. Not an end.
    Unknown(String),
}

impl StepStatus {
    /// Whether nothing more will happen.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Finished
                | Self::Failed
                | Self::Canceled
                | Self::PartiallyExecuted
                | Self::Bypassed
        )
    }

    /// Reads the words of the pipelines service and those of run history.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "NotStarted" | "0" => Self::NotStarted,
            "Queued" | "Preparing" | "Provisioning" | "Starting" | "1" => Self::Queued,
            "Running" | "Finalizing" | "CancelRequested" | "2" => Self::Running,
            "Failed" | "3" => Self::Failed,
            "Finished" | "Completed" | "4" => Self::Finished,
            "Canceled" | "Cancelled" | "5" => Self::Canceled,
            "PartiallyExecuted" | "6" => Self::PartiallyExecuted,
            "Bypassed" | "7" => Self::Bypassed,
            _ => Self::Unknown(word.to_owned()),
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted => "NotStarted",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Finished => "Finished",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::PartiallyExecuted => "PartiallyExecuted",
            Self::Bypassed => "Bypassed",
            Self::Unknown(word) => word,
        })
    }
}
