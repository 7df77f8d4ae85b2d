use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How often and how patiently a call is repeated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Total tries, the first included. 1 turns retries off.
    pub max_attempts: u32,
    /// Wait before the second try. Doubles with each further one, and is cut by
    /// up to a half at random, so that many clients do not come back at once.
    pub base_delay: Duration,
    /// Upper bound for any wait, also for one that the service asked for.
    pub max_delay: Duration,
    /// How long one try may take, the token included.
    pub attempt_timeout: Duration,
    /// How long all tries and waits may take together.
    pub total_timeout: Duration,
    /// Where the random cuts begin. The same seed gives the same waits.
    pub jitter_seed: u64,
}

impl Default for RetryPolicy {
    /// 4 tries, 500 ms base, 30 s at most, 100 s for a try, 5 min for all.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(100),
            total_timeout: Duration::from_secs(5 * 60),
            jitter_seed: RandomState::new().hash_one(0),
        }
    }
}

impl RetryPolicy {
    /// A policy that tries once.
    #[must_use]
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Sets the total tries, the first included.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// Sets the wait before the second try.
    #[must_use]
    pub fn with_base_delay(self, base_delay: Duration) -> Self {
        Self { base_delay, ..self }
    }

    /// Sets the longest wait.
    #[must_use]
    pub fn with_max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay, ..self }
    }

    /// Sets how long one try may take.
    #[must_use]
    pub fn with_attempt_timeout(self, attempt_timeout: Duration) -> Self {
        Self { attempt_timeout, ..self }
    }

    /// Sets how long all tries and waits may take together.
    #[must_use]
    pub fn with_total_timeout(self, total_timeout: Duration) -> Self {
        Self { total_timeout, ..self }
    }

    /// Sets where the random cuts begin.
    #[must_use]
    pub fn with_jitter_seed(self, jitter_seed: u64) -> Self {
        Self { jitter_seed, ..self }
    }

    /// The wait after `counted` tries, before the cut.
    pub(super) fn backoff(&self, counted: u32) -> Duration {
        let doubled = 1 << counted.saturating_sub(1).min(16);
        self.base_delay.saturating_mul(doubled).min(self.max_delay)
    }
}

/// A stream of cuts (`SplitMix64`).
#[derive(Debug)]
pub(super) struct Jitter(AtomicU64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Between half of `wait` and all of it.
    pub(super) fn spread(&self, wait: Duration) -> Duration {
        let half = wait / 2;
        let per_mille = u32::try_from(self.next() % 1001).unwrap_or_default();
        half + half.saturating_mul(per_mille) / 1000
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut it = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }
}
