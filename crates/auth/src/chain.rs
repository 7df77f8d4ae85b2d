use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{AccessToken, Error, ErrorKind, Result, Scope, TokenCredential};
use parking_lot::Mutex;

/// Several credentials, of which the first that works is kept.
///
/// When none works, the error says for each why. One that is busy or out of order
/// ends the search for the time being: a later one might be somebody else, and
/// would be kept.
///
/// ```
/// use std::sync::Arc;
///
/// use azml_auth::ChainedCredential;
/// use azml_core::{StaticToken, TokenCredential};
///
/// let chain = ChainedCredential::new()
///     .with_credential("a token of my own", Arc::new(StaticToken::new("fake-token")));
/// assert_eq!(chain.chosen(), None);
/// ```
#[derive(Debug, Default)]
pub struct ChainedCredential {
    links: Vec<Link>,
    chosen: Mutex<Option<usize>>,
}

struct Link {
    name: &'static str,
    credential: Found,
    /// Meant to be used: its refusal is the outcome, and not a reason to be
    /// somebody else.
    is_meant: bool,
    limit: Option<Duration>,
}

/// What a place holds of a credential.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing, and why.
    Absent(String),
    /// One that somebody has set up, and why it cannot be used.
    Broken(String),
    Ready(Arc<dyn TokenCredential>),
}

impl Found {
    /// What has been set up, whether it can be used or not.
    pub(crate) fn set_up<C: TokenCredential>(credential: Result<C>) -> Self {
        match credential {
            Ok(credential) => Self::Ready(Arc::new(credential)),
            Err(err) => Self::Broken(without_operation(&err)),
        }
    }

    fn ready(&self) -> Option<&Arc<dyn TokenCredential>> {
        match self {
            Self::Ready(credential) => Some(credential),
            Self::Absent(_) | Self::Broken(_) => None,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("name", &self.name)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

impl ChainedCredential {
    /// One without credentials.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tries `credential` after those given before. `name` is what errors call it.
    #[must_use]
    pub fn with_credential(self, name: &'static str, credential: Arc<dyn TokenCredential>) -> Self {
        self.with_link(name, Found::Ready(credential), false, None)
    }

    /// Tries `credential` for at most `limit`. Where it is meant to be used, or
    /// set up and broken, no other is tried after it.
    pub(crate) fn with_link(
        mut self,
        name: &'static str,
        credential: Found,
        is_meant: bool,
        limit: Option<Duration>,
    ) -> Self {
        self.links.push(Link { name, credential, is_meant, limit });
        self
    }

    /// The name of the credential that worked, if one has.
    pub fn chosen(&self) -> Option<&'static str> {
        let chosen = *self.chosen.lock();
        Some(self.links.get(chosen?)?.name)
    }

    fn kept(&self) -> Option<&Arc<dyn TokenCredential>> {
        let chosen = *self.chosen.lock();
        self.links.get(chosen?)?.credential.ready()
    }
}

impl Link {
    async fn try_out(
        &self,
        credential: &Arc<dyn TokenCredential>,
        scope: &Scope,
    ) -> Result<AccessToken> {
        let token = credential.token(scope);
        let Some(limit) = self.limit else { return token.await };
        tokio::time::timeout(limit, token).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {limit:?}");
            Err(Error::explained("auth.token", ErrorKind::Timeout, reason))
        })
    }
}

#[async_trait]
impl TokenCredential for ChainedCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        if let Some(credential) = self.kept() {
            return credential.token(scope).await;
        }
        let mut reasons = Vec::new();
        for (index, link) in self.links.iter().enumerate() {
            let reason = match &link.credential {
                Found::Absent(reason) => reason.clone(),
                Found::Broken(reason) => {
                    let text = format!("{} cannot be used; {reason}", link.name);
                    return Err(Error::invalid("auth.chain", text));
                }
                Found::Ready(credential) => match link.try_out(credential, scope).await {
                    Ok(token) => {
                        *self.chosen.lock() = Some(index);
                        return Ok(token);
                    }
                    Err(err) if link.is_meant => return Err(err),
                    // Another time it may well be the one.
                    Err(err)
                        if matches!(err.kind(), ErrorKind::Throttled | ErrorKind::Unavailable) =>
                    {
                        return Err(passing(link.name, err));
                    }
                    Err(err) => without_operation(&err),
                },
            };
            reasons.push(format!("{}: {reason}", link.name));
        }
        let text = if reasons.is_empty() {
            "no credential was given to try".to_owned()
        } else {
            format!("no credential works; {}", reasons.join("; "))
        };
        Err(Error::explained("auth.chain", ErrorKind::Unauthenticated, text))
    }

    fn invalidate(&self, scope: &Scope, rejected: &AccessToken) {
        if let Some(credential) = self.kept() {
            credential.invalidate(scope, rejected);
        }
    }
}

/// The trouble of the credential `name`, with what its service said, so that
/// whoever tries again waits as long as asked.
fn passing(name: &str, err: Error) -> Error {
    let passed = if let Some(fault) = err.service_fault() {
        let mut fault = fault.clone();
        fault.message = format!("{name}: {}", fault.message);
        Error::service("auth.chain", err.kind(), fault)
    } else {
        let text = format!("{name}: {}", without_operation(&err));
        Error::explained("auth.chain", err.kind(), text)
    };
    passed.with_source(err)
}

/// `auth.token failed: reason` is the reason.
pub(crate) fn without_operation(err: &Error) -> String {
    let text = err.to_string();
    match text.split_once(" failed: ") {
        Some((_, reason)) => reason.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use secrecy::ExposeSecret;
    use time::macros::datetime;

    use super::*;
    use crate::testing::arm;

    /// Gives its token after the given number of refusals, and counts.
    #[derive(Debug)]
    struct Fixed {
        kind: Option<ErrorKind>,
        delay: Duration,
        asked: AtomicU32,
        invalidated: AtomicU32,
    }

    impl Fixed {
        fn new(kind: Option<ErrorKind>) -> Arc<Self> {
            Self::after(kind, Duration::ZERO)
        }

        fn after(kind: Option<ErrorKind>, delay: Duration) -> Arc<Self> {
            Arc::new(Self { kind, delay, asked: AtomicU32::new(0), invalidated: AtomicU32::new(0) })
        }
    }

    #[async_trait]
    impl TokenCredential for Fixed {
        async fn token(&self, _: &Scope) -> Result<AccessToken> {
            self.asked.fetch_add(1, Relaxed);
            tokio::time::sleep(self.delay).await;
            match self.kind {
                Some(kind) => Err(Error::explained("auth.token", kind, "not me")),
                None => Ok(AccessToken::new("fake-secret", datetime!(2100-01-01 0:00 UTC))),
            }
        }

        fn invalidate(&self, _: &Scope, _: &AccessToken) {
            self.invalidated.fetch_add(1, Relaxed);
        }
    }

    #[tokio::test]
    async fn the_first_that_works_is_kept_and_alone_hears_of_refusals() {
        let (bad, good) = (Fixed::new(Some(ErrorKind::Unauthenticated)), Fixed::new(None));
        let chain = ChainedCredential::new()
            .with_link("none", Found::Absent("it is not here".to_owned()), true, None)
            .with_credential("bad", bad.clone())
            .with_credential("good", good.clone());
        let token = chain.token(&arm()).await.unwrap();
        chain.token(&arm()).await.unwrap();
        chain.invalidate(&arm(), &token);
        assert_eq!(token.secret.expose_secret(), "fake-secret");
        assert_eq!(chain.chosen(), Some("good"));
        assert_eq!((bad.asked.load(Relaxed), good.asked.load(Relaxed)), (1, 2));
        assert_eq!((bad.invalidated.load(Relaxed), good.invalidated.load(Relaxed)), (0, 1));
        assert!(!format!("{chain:?}").contains("fake-secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_is_told_with_its_reason_and_none_hangs() {
        let chain = ChainedCredential::new()
            .with_link("environment", Found::Absent("it is not set".to_owned()), true, None)
            .with_link(
                "managed identity",
                Found::Ready(Fixed::after(None, Duration::from_secs(9999))),
                false,
                Some(Duration::from_secs(5)),
            )
            .with_credential("Azure CLI", Fixed::new(Some(ErrorKind::Unauthenticated)));
        let err = chain.token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        insta::assert_snapshot!(err, @"auth.chain failed: no credential works; environment: it is not set; managed identity: no answer within 5s; Azure CLI: not me");
        assert_eq!(chain.chosen(), None);
    }

    #[tokio::test]
    async fn a_credential_that_is_meant_is_not_replaced_by_another_identity() {
        for kind in [ErrorKind::Unauthenticated, ErrorKind::Unavailable] {
            let other = Fixed::new(None);
            let chain = ChainedCredential::new()
                .with_link("environment", Found::Ready(Fixed::new(Some(kind))), true, None)
                .with_credential("Azure CLI", other.clone());
            assert_eq!(chain.token(&arm()).await.unwrap_err().kind(), kind);
            assert_eq!(other.asked.load(Relaxed), 0);
        }
    }

    #[tokio::test]
    async fn trouble_that_passes_does_not_make_another_identity_the_chosen_one() {
        for kind in [ErrorKind::Throttled, ErrorKind::Unavailable] {
            let other = Fixed::new(None);
            let chain = ChainedCredential::new()
                .with_credential("managed identity", Fixed::new(Some(kind)))
                .with_credential("Azure CLI", other.clone());
            let err = chain.token(&arm()).await.unwrap_err();
            assert_eq!(err.kind(), kind);
            assert_eq!(err.to_string(), "auth.chain failed: managed identity: not me");
            assert_eq!((chain.chosen(), other.asked.load(Relaxed)), (None, 0));
        }
        for kind in [ErrorKind::Unreachable, ErrorKind::Unauthenticated, ErrorKind::Timeout] {
            let chain = ChainedCredential::new()
                .with_credential("managed identity", Fixed::new(Some(kind)))
                .with_credential("Azure CLI", Fixed::new(None));
            chain.token(&arm()).await.unwrap();
            assert_eq!(chain.chosen(), Some("Azure CLI"));
        }
    }

    #[tokio::test]
    async fn an_empty_chain_says_so() {
        let err = ChainedCredential::new().token(&arm()).await.unwrap_err();
        assert_eq!(err.to_string(), "auth.chain failed: no credential was given to try");
    }
}
