use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

use crate::{AccessToken, Clock, Result, Scope, TokenCredential};

/// How long before its end a token is replaced, unless it lives so short that
/// half its life is less.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Keeps the tokens of a credential until shortly before their end.
///
/// When many callers want the same token at once, one asks for it and the others
/// wait. While the old token is still good, nobody waits, and a failed refresh
/// is not noticed.
#[derive(Debug)]
pub struct TokenCache {
    credential: Arc<dyn TokenCredential>,
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<Scope, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    kept: Mutex<Option<Kept>>,
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Kept {
    token: AccessToken,
    refresh_at: OffsetDateTime,
}

impl TokenCache {
    /// An empty cache in front of `credential`.
    pub fn new(credential: Arc<dyn TokenCredential>, clock: Arc<dyn Clock>) -> Self {
        Self { credential, clock, slots: Mutex::default() }
    }

    /// The same credential by another clock, with nothing in the cache.
    pub(crate) fn by_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self::new(self.credential.clone(), clock)
    }

    /// Forgets `rejected`, unless another caller has replaced it meanwhile.
    pub fn invalidate(&self, scope: &Scope, rejected: &AccessToken) {
        let slot = self.slot(scope);
        let mut kept = locked(&slot.kept);
        let is_kept = kept
            .as_ref()
            .is_some_and(|it| it.token.secret.expose_secret() == rejected.secret.expose_secret());
        if is_kept {
            *kept = None;
            drop(kept);
            self.credential.invalidate(scope, rejected);
        }
    }

    fn slot(&self, scope: &Scope) -> Arc<Slot> {
        let mut slots = locked(&self.slots);
        if let Some(slot) = slots.get(scope) {
            return slot.clone();
        }
        slots.entry(scope.clone()).or_default().clone()
    }

    async fn refresh(&self, scope: &Scope, slot: &Slot) -> Result<AccessToken> {
        let token = self.credential.token(scope).await?;
        let life = Duration::try_from(token.expires_at - self.clock.now()).unwrap_or_default();
        let refresh_at = token.expires_at - MARGIN.min(life / 2);
        *locked(&slot.kept) = Some(Kept { token: token.clone(), refresh_at });
        Ok(token)
    }
}

impl Slot {
    fn fresh(&self, now: OffsetDateTime) -> Option<AccessToken> {
        locked(&self.kept).as_ref().filter(|it| now < it.refresh_at).map(|it| it.token.clone())
    }

    fn good(&self, now: OffsetDateTime) -> Option<AccessToken> {
        locked(&self.kept)
            .as_ref()
            .filter(|it| now < it.token.expires_at)
            .map(|it| it.token.clone())
    }
}

#[async_trait]
impl TokenCredential for TokenCache {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let slot = self.slot(scope);
        if let Some(token) = slot.fresh(self.clock.now()) {
            return Ok(token);
        }
        let turn = match slot.good(self.clock.now()) {
            Some(token) => match slot.refreshing.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(token),
            },
            None => slot.refreshing.lock().await,
        };
        if let Some(token) = slot.fresh(self.clock.now()) {
            return Ok(token);
        }
        let result = self.refresh(scope, &slot).await;
        drop(turn);
        match result {
            Ok(token) => Ok(token),
            Err(err) => slot.good(self.clock.now()).ok_or(err),
        }
    }

    fn invalidate(&self, scope: &Scope, rejected: &AccessToken) {
        TokenCache::invalidate(self, scope, rejected);
    }
}

/// What a panic elsewhere has left is still a token or none.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::{Error, ErrorKind, TokioClock};

    /// Hands out `token-1`, `token-2`, each good for an hour and slow to come.
    #[derive(Debug)]
    struct Counted {
        asked: AtomicU32,
        allowed: u32,
        clock: TokioClock,
    }

    #[async_trait]
    impl TokenCredential for Counted {
        async fn token(&self, _: &Scope) -> Result<AccessToken> {
            let number = self.asked.fetch_add(1, Relaxed) + 1;
            sleep(Duration::from_secs(1)).await;
            if self.allowed < number {
                return Err(Error::explained("test.token", ErrorKind::Unavailable, "closed"));
            }
            let expires_at = self.clock.now() + Duration::from_secs(3600);
            Ok(AccessToken::new(format!("token-{number}"), expires_at))
        }
    }

    fn cache(allowed: u32) -> (Arc<Counted>, TokenCache) {
        let clock = TokioClock::new();
        let counted = Arc::new(Counted { asked: AtomicU32::new(0), allowed, clock });
        (counted.clone(), TokenCache::new(counted, Arc::new(clock)))
    }

    async fn text(cache: &TokenCache) -> String {
        let token = cache.token(&Scope::resource("https://a.test")).await.unwrap();
        token.secret.expose_secret().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn many_waiters_cause_one_refresh() {
        let (counted, cache) = cache(9);
        let texts = join_all((0..50).map(|_| text(&cache))).await;
        assert!(texts.iter().all(|it| it == "token-1"), "{texts:?}");
        assert_eq!(counted.asked.load(Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_five_minutes_before_its_end() {
        let (_, cache) = cache(9);
        assert_eq!(text(&cache).await, "token-1");
        advance(Duration::from_secs(3600 - 301)).await;
        assert_eq!(text(&cache).await, "token-1");
        advance(Duration::from_secs(2)).await;
        assert_eq!(text(&cache).await, "token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_token_outlives_a_failed_refresh() {
        let (counted, cache) = cache(1);
        assert_eq!(text(&cache).await, "token-1");
        advance(Duration::from_secs(3600 - 200)).await;
        assert_eq!(text(&cache).await, "token-1");
        assert_eq!(counted.asked.load(Relaxed), 2);
        advance(Duration::from_secs(300)).await;
        let scope = Scope::resource("https://a.test");
        assert_eq!(cache.token(&scope).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_rejected_token_is_forgotten() {
        let (_, cache) = cache(9);
        let scope = Scope::resource("https://a.test");
        let first = cache.token(&scope).await.unwrap();
        cache.invalidate(&scope, &first);
        assert_eq!(text(&cache).await, "token-2");
        cache.invalidate(&scope, &first);
        assert_eq!(text(&cache).await, "token-2");
    }
}
