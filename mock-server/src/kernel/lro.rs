//! Operations that go on after the answer, as Azure Resource Manager shows them.

use std::time::Duration;

use axum::http::{HeaderName, header};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::clock::later;

/// How long a client is to wait at most before it asks again, in seconds.
const LONGEST_PAUSE: u64 = 5;

/// One operation, from its beginning on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LongRunning {
    pub(crate) id: String,
    pub(crate) started_at: OffsetDateTime,
    /// When it ends, or has ended.
    pub(crate) ends_at: OffsetDateTime,
    /// `None` while it goes on.
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Succeeded,
    Failed(Failure),
    Canceled,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    /// The status that a refusal for this reason would have.
    pub(crate) status: u16,
}

impl LongRunning {
    pub(crate) fn new(id: String, started_at: OffsetDateTime, takes: Duration) -> Self {
        Self { id, started_at, ends_at: later(started_at, takes), outcome: None }
    }

    /// The service's word for how it is doing.
    pub(crate) fn status(&self) -> &'static str {
        match self.outcome {
            None => "InProgress",
            Some(Outcome::Succeeded) => "Succeeded",
            Some(Outcome::Failed(_)) => "Failed",
            Some(Outcome::Canceled) => "Canceled",
        }
    }

    /// Seconds after which another look is worth its while.
    pub(crate) fn pause(&self, now: OffsetDateTime) -> u64 {
        let left = (self.ends_at - now).as_seconds_f64().ceil();
        if self.outcome.is_some() || left <= 0.0 {
            return 0;
        }
        Duration::try_from_secs_f64(left)
            .map_or(LONGEST_PAUSE, |it| it.as_secs().min(LONGEST_PAUSE))
    }

    /// The headers of the answer that starts the operation.
    pub(crate) fn headers(
        &self,
        status_url: String,
        result_url: String,
        now: OffsetDateTime,
    ) -> [(HeaderName, String); 4] {
        [
            (HeaderName::from_static("azure-asyncoperation"), status_url),
            (header::LOCATION, result_url),
            (header::RETRY_AFTER, self.pause(now).to_string()),
            (HeaderName::from_static("x-ms-async-operation-timeout"), "PT1H".to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::EPOCH;

    #[test]
    fn a_client_is_not_told_to_wait_longer_than_the_operation_takes() {
        let second = Duration::from_secs(1);
        let pause = |takes: Duration| LongRunning::new("o".into(), EPOCH, takes).pause(EPOCH);
        assert_eq!(pause(Duration::ZERO), 0);
        assert_eq!(pause(second / 2), 1);
        assert_eq!(pause(second * 3), 3);
        assert_eq!(pause(second * 60), LONGEST_PAUSE);
    }
}
