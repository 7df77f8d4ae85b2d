use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Result;

/// What a token is for, for example `https://management.azure.com/.default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// A scope as the authority spells it.
    pub fn new(scope: impl Into<Box<str>>) -> Self {
        Self(scope.into())
    }

    /// Everything that the caller may do at `resource`: its audience, a URL or
    /// an application id, followed by `/.default`.
    pub fn resource(resource: &str) -> Self {
        Self(format!("{}/.default", resource.trim_end_matches('/')).into())
    }

    /// The scope as the authority spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A proof of identity with an end. `Debug` hides the secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessToken {
    /// What goes behind `Bearer`.
    pub secret: SecretString,
    /// When the service stops to accept it.
    pub expires_at: OffsetDateTime,
}

impl AccessToken {
    /// A token with its end.
    pub fn new(secret: impl Into<SecretString>, expires_at: OffsetDateTime) -> Self {
        Self { secret: secret.into(), expires_at }
    }
}

/// Gets tokens for one identity.
///
/// An implementation need not cache: [`TokenCache`](crate::TokenCache) does, and
/// [`Session`](crate::Session) and [`Endpoint`](crate::Endpoint) put one in front.
#[async_trait]
pub trait TokenCredential: fmt::Debug + Send + Sync + 'static {
    /// A token for `scope`.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) when the authority
    /// does not accept the credential.
    async fn token(&self, scope: &Scope) -> Result<AccessToken>;

    /// Hears that a service has refused `rejected` before its end, so that the
    /// next [`token`](Self::token) is a new one. Does nothing by default.
    fn invalidate(&self, scope: &Scope, rejected: &AccessToken) {
        let _ = (scope, rejected);
    }
}

/// The same token for every scope, without an end: a personal access token, or
/// the token of a run.
#[derive(Clone, Debug)]
pub struct StaticToken(SecretString);

impl StaticToken {
    /// Wraps a token.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(secret.into())
    }
}

#[async_trait]
impl TokenCredential for StaticToken {
    async fn token(&self, _: &Scope) -> Result<AccessToken> {
        Ok(AccessToken::new(self.0.clone(), PrimitiveDateTime::MAX.assume_utc()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let fixed = StaticToken::new("fake-secret");
        let token = AccessToken::new("fake-secret", OffsetDateTime::UNIX_EPOCH);
        assert!(!format!("{fixed:?} {token:?}").contains("fake-secret"));
    }

    #[test]
    fn a_resource_may_end_in_a_slash() {
        let scope = Scope::resource("https://management.azure.com/");
        assert_eq!(scope.as_str(), "https://management.azure.com/.default");
    }
}
