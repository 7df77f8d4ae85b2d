use std::time::Duration;

/// What Azure ML has stored can be read after this long at the latest, as a rule:
/// its official client waits as long for a batch.
pub(crate) const AZURE_ML_SETTLES: Duration = Duration::from_secs(60);

/// What one batch of a backend may hold, and what becomes of one that is sent twice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// Numbers.
    pub metrics: usize,
    /// Params.
    pub params: usize,
    /// Tags.
    pub tags: usize,
    /// All of them together.
    pub total: usize,
    /// Bytes of keys and values, as they are sent, at about.
    pub bytes: usize,
    /// Whether a number that is sent again is stored once: the same in name, step,
    /// time and value, or in its id.
    pub deduplicates: bool,
    /// How long what was stored may stay unseen. Matters where the backend is not
    /// known to deduplicate: before something is sent again, one looks what is there.
    pub settles_within: Duration,
}

impl BatchLimits {
    /// So many of each kind, at most 1000 together and 900 kB; a backend that
    /// deduplicates.
    pub fn new(metrics: usize, params: usize, tags: usize) -> Self {
        Self {
            metrics: metrics.max(1),
            params: params.max(1),
            tags: tags.max(1),
            total: 1000,
            bytes: 900_000,
            deduplicates: true,
            settles_within: Duration::ZERO,
        }
    }

    /// For a backend that may store a number twice, and shows what it has stored
    /// after `settles_within`.
    #[must_use]
    pub fn with_unknown_duplicates(self, settles_within: Duration) -> Self {
        Self { deduplicates: false, settles_within, ..self }
    }
}
