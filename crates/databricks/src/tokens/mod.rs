//! Personal access tokens of the caller.

mod client;
pub(crate) mod ops;
pub(crate) mod wire;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_util::stream::BoxStream;
use secrecy::SecretString;
use time::OffsetDateTime;

pub use self::client::TokensClient;
use crate::wire::unsupported;

string_id! {
    /// Identifies a token. It is not the secret.
    TokenId
}

/// A token to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewToken {
    /// What it is for, for people.
    pub comment: Option<String>,
    /// How long it is good, in whole seconds. `None` takes the longest that the
    /// workspace allows.
    pub lifetime: Option<Duration>,
    /// The APIs that it is good for, for example `sql`. Empty stands for all.
    pub scopes: Vec<String>,
}

impl NewToken {
    /// Says what it is for.
    #[must_use]
    pub fn with_comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }

    /// Sets how long it is good.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Sets the APIs that it is good for.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..self }
    }
}

/// What to change in a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenUpdate {
    /// What it is for, for people.
    pub comment: Option<String>,
    /// The APIs that it is good for.
    pub scopes: Option<Vec<String>>,
}

impl TokenUpdate {
    /// Says what it is for.
    #[must_use]
    pub fn with_comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }

    /// Sets the APIs that it is good for.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { scopes: Some(scopes.into_iter().map(Into::into).collect()), ..self }
    }
}

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its id.
    pub token_id: TokenId,
    /// What it is for, for people.
    pub comment: String,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When it stops to be good. `None` is never.
    pub expires_at: Option<OffsetDateTime>,
    /// The APIs that it is good for. Empty stands for all.
    pub scopes: Vec<String>,
}

/// A token that has just been made. `Debug` hides the secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedToken {
    /// The secret, which the service does not show again.
    pub secret: SecretString,
    /// The rest.
    pub info: TokenInfo,
}

/// The personal access tokens of the caller in one Databricks workspace.
///
/// Implemented by [`TokensClient`]. What a fake leaves out answers with an error.
/// For the tokens of others see [`token_management`](crate::token_management).
#[async_trait]
pub trait Tokens: fmt::Debug + Send + Sync {
    /// Makes a token. Not repeated after a lost response: nobody would know the
    /// secret of the first one.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) when the
    /// workspace has no tokens for the caller.
    async fn create(&self, token: &NewToken) -> Result<CreatedToken>;

    /// Lists the tokens.
    fn list(&self) -> BoxStream<'static, Result<TokenInfo>>;

    /// Makes a token worthless.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such token.
    async fn delete(&self, token_id: &TokenId) -> Result<()>;

    /// Changes the comment or the scopes of a token.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such token.
    async fn update(&self, token_id: &TokenId, update: &TokenUpdate) -> Result<()> {
        let _ = (token_id, update);
        Err(unsupported("databricks.tokens.update"))
    }
}

const _: fn(&dyn Tokens) = |_| ();
