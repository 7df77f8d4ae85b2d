use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use azml_core::{Clock, Error, ErrorKind};

const BASE: Duration = Duration::from_millis(500);
const MOST: Duration = Duration::from_secs(30);

/// How often an upload is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as it takes.
    Endless,
    /// So often in a row. What another try cannot mend, once.
    Tries(u32),
}

/// Whether the same call may go well another time, without anybody doing anything.
pub(crate) fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Throttled
            | ErrorKind::Unreachable
            | ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::Decode
    )
}

/// Whether the server may have done what was asked, although it looks as if not.
pub(super) fn is_ambiguous(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Decode)
}

/// The waits between tries.
#[derive(Debug)]
pub(super) struct Pause {
    clock: Arc<dyn Clock>,
    patience: Patience,
    failures: u32,
    random: RandomState,
}

impl Pause {
    pub(super) fn new(clock: Arc<dyn Clock>, patience: Patience) -> Self {
        Self { clock, patience, failures: 0, random: RandomState::new() }
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after `err`; `None` when it is enough.
    pub(super) fn after(&mut self, err: &Error) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if let Patience::Tries(most) = self.patience
            && (most <= self.failures || !is_transient(err.kind()))
        {
            return None;
        }
        // What the server asks for is kept to the letter.
        if let Some(asked) = err.service_fault().and_then(|it| it.retry_after) {
            return Some(asked);
        }
        let doubled = BASE.saturating_mul(1 << (self.failures - 1).min(8)).min(MOST);
        // Cut by up to a half, so that many clients do not come back at once.
        let kept = 1000 - self.random.hash_one(self.failures) % 501;
        Some(doubled * u32::try_from(kept).unwrap_or(1000) / 1000)
    }

    pub(super) async fn sleep(&self, wait: Duration) {
        self.clock.sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use azml_core::{ServiceFault, TokioClock};

    use super::*;

    fn error(kind: ErrorKind, asked: Option<u64>) -> Error {
        let fault = ServiceFault::new(503, "", "").with_retry_after(asked.map(Duration::from_secs));
        Error::service("t", kind, fault)
    }

    #[test]
    fn waits_double_up_to_a_limit_unless_the_server_asks_for_more() {
        let mut pause = Pause::new(Arc::new(TokioClock::new()), Patience::Endless);
        for expected in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let wait = pause.after(&error(ErrorKind::Unavailable, None)).unwrap();
            let expected = Duration::from_millis(expected);
            assert!(expected / 2 <= wait && wait <= expected, "{wait:?} of {expected:?}");
        }
        let asked = pause.after(&error(ErrorKind::Throttled, Some(600)));
        assert_eq!(asked, Some(Duration::from_secs(600)));
    }

    #[test]
    fn patience_ends_and_is_not_wasted() {
        let mut pause = Pause::new(Arc::new(TokioClock::new()), Patience::Tries(2));
        assert!(pause.after(&error(ErrorKind::Unavailable, None)).is_some());
        assert!(pause.after(&error(ErrorKind::Unavailable, None)).is_none());
        pause.reset();
        assert!(pause.after(&error(ErrorKind::PermissionDenied, None)).is_none());
    }
}
