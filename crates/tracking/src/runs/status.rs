/// How a run is doing, in the words of MLflow.
///
/// Run history has finer words. They map onto these; the word itself is kept in
/// [`RunInfo::status_text`](super::RunInfo::status_text).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// It has not begun.
    Scheduled,
    /// It is at work, or about to end.
    Running,
    /// It has ended well.
    Finished,
    /// It has ended badly.
    Failed,
    /// Somebody ended it.
    Killed,
    /// A word that this version of the crate does not know. Taken as not ended.
    Unknown(String),
}

impl RunStatus {
    /// Reads a word of MLflow or of run history, in any case.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "scheduled" | "notstarted" | "queued" | "preparing" | "provisioning" | "starting"
            | "unapproved" => Self::Scheduled,
            "running" | "notresponding" | "pausing" | "paused" | "finalizing"
            | "cancelrequested" => Self::Running,
            "finished" | "completed" => Self::Finished,
            "failed" => Self::Failed,
            "killed" | "canceled" | "cancelled" => Self::Killed,
            _ => Self::Unknown(word.to_owned()),
        }
    }

    /// The word of MLflow.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
            Self::Unknown(word) => word,
        }
    }

    /// Whether the run is over.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_of_both_services_meet() {
        for (word, status) in [
            ("NotStarted", RunStatus::Scheduled),
            ("SCHEDULED", RunStatus::Scheduled),
            ("Finalizing", RunStatus::Running),
            ("CancelRequested", RunStatus::Running),
            ("RUNNING", RunStatus::Running),
            ("Completed", RunStatus::Finished),
            ("FINISHED", RunStatus::Finished),
            ("Failed", RunStatus::Failed),
            ("Canceled", RunStatus::Killed),
            ("Cancelled", RunStatus::Killed),
            ("KILLED", RunStatus::Killed),
            ("Resting", RunStatus::Unknown("Resting".to_owned())),
        ] {
            assert_eq!(RunStatus::from_word(word), status, "{word}");
        }
    }

    proptest! {
        #[test]
        fn an_unknown_word_is_kept_and_is_not_the_end(word in "[A-Za-z]{13,20}") {
            prop_assume!(!word.eq_ignore_ascii_case("notresponding"));
            prop_assume!(!word.eq_ignore_ascii_case("cancelrequested"));
            let status = RunStatus::from_word(&word);
            prop_assert!(!status.is_final());
            prop_assert_eq!(status, RunStatus::Unknown(word));
        }
    }
}
