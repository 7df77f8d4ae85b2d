//! Token management: the personal access tokens of everybody. For admins.

mod client;
mod ops;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::Result;
use futures_util::stream::BoxStream;
use secrecy::SecretString;

pub use self::client::TokenManagementClient;
use crate::{
    principals::PrincipalId,
    tokens::{NewToken, TokenId, TokenInfo, TokenUpdate},
};

/// A token of somebody, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagedToken {
    /// The token.
    pub info: TokenInfo,
    /// Who made it.
    pub created_by: Option<PrincipalId>,
    /// The name of who made it.
    pub created_by_username: String,
    /// Whom it stands for.
    pub owner: Option<PrincipalId>,
}

/// A token that has just been made for a service principal. `Debug` hides the secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OnBehalfToken {
    /// The secret, which the service does not show again.
    pub secret: SecretString,
    /// The rest.
    pub token: ManagedToken,
}

/// Whose tokens to list. The default is everybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenFilter {
    /// Only those that this principal made.
    pub created_by: Option<PrincipalId>,
    /// Only those that the principal of this name made.
    pub created_by_username: Option<String>,
}

impl TokenFilter {
    /// Takes only those that this principal made.
    #[must_use]
    pub fn with_created_by(self, id: impl Into<PrincipalId>) -> Self {
        Self { created_by: Some(id.into()), ..self }
    }

    /// Takes only those that the principal of this name made.
    #[must_use]
    pub fn with_created_by_username(self, name: impl Into<String>) -> Self {
        Self { created_by_username: Some(name.into()), ..self }
    }
}

/// The personal access tokens of everybody in one Databricks workspace.
///
/// Implemented by [`TokenManagementClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn TokenManagement>` is the type to store.
#[async_trait]
pub trait TokenManagement: fmt::Debug + Send + Sync {
    /// Makes a token for a service principal.
    ///
    /// Not repeated after a lost response: nobody would know the secret of the first
    /// one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such service
    /// principal.
    async fn create_on_behalf(
        &self,
        application_id: &str,
        token: &NewToken,
    ) -> Result<OnBehalfToken>;

    /// Lists tokens.
    fn list(&self, filter: TokenFilter) -> BoxStream<'static, Result<ManagedToken>>;

    /// Describes a token.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such token.
    async fn get(&self, token_id: &TokenId) -> Result<ManagedToken>;

    /// Changes the comment or the scopes of a token.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such token.
    async fn update(&self, token_id: &TokenId, update: &TokenUpdate) -> Result<()>;

    /// Makes a token worthless.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such token.
    async fn delete(&self, token_id: &TokenId) -> Result<()>;
}

const _: fn(&dyn TokenManagement) = |_| ();
