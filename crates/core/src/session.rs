use std::sync::Arc;

use crate::{
    Clock, Cloud, Endpoint, RetryPolicy, Scope, TokenCache, TokenCredential, TokioClock, Transport,
};

/// How to reach one cloud as one identity: what every client is opened from.
///
/// Cheap to clone: clones share the connections and the tokens.
#[derive(Clone, Debug)]
pub struct Session {
    cloud: Cloud,
    transport: Arc<dyn Transport>,
    credential: Arc<TokenCache>,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
}

impl Session {
    /// A session in `cloud` as whoever `credential` stands for. Caches its tokens.
    pub fn new(
        cloud: Cloud,
        transport: Arc<dyn Transport>,
        credential: Arc<dyn TokenCredential>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let credential = Arc::new(TokenCache::new(credential, clock.clone()));
        Self { cloud, transport, credential, retry: RetryPolicy::default(), clock }
    }

    /// Repeats calls as `retry` says.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Waits on `clock`, and tells the age of tokens by it.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        let credential = Arc::new(self.credential.by_clock(clock.clone()));
        Self { credential, clock, ..self }
    }

    /// The cloud that this session is in.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// What carries the requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The identity, with its tokens cached.
    pub fn credential(&self) -> &Arc<TokenCache> {
        &self.credential
    }

    /// What the waits are measured by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// How calls are repeated.
    pub fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    /// The service at `base`, called with tokens for `scope`.
    pub fn endpoint(&self, base: impl Into<Arc<str>>, scope: Scope) -> Endpoint {
        self.anonymous(base).with_cache(self.credential.clone(), scope)
    }

    /// The service at `base`, called without a token.
    pub fn anonymous(&self, base: impl Into<Arc<str>>) -> Endpoint {
        Endpoint::new(base, self.transport.clone())
            .with_retry(self.retry.clone())
            .with_clock(self.clock.clone())
    }
}
