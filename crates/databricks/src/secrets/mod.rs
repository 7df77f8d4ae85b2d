//! Secrets: values that tasks see and nobody else prints, in scopes with rights.

mod client;
mod ops;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_util::stream::BoxStream;
use secrecy::{SecretSlice, SecretString};
use time::OffsetDateTime;

pub use self::client::SecretsClient;

string_id! {
    /// Names a scope: 1 to 128 letters, digits and `_`, `-`, `@`, `.`.
    SecretScopeName
}

string_id! {
    /// Names a secret in its scope: 1 to 128 letters, digits and `_`, `-`, `@`, `.`.
    SecretKey
}

/// A scope to make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewSecretScope {
    /// Its name.
    pub name: SecretScopeName,
    /// Whether all users of the workspace may manage it, and not only who makes it.
    pub is_managed_by_all_users: bool,
    /// Where its secrets are. `None` is Databricks itself.
    pub key_vault: Option<KeyVault>,
}

/// A key vault of Azure that keeps the secrets of a scope. Only those who sign in
/// as users of Entra may make such a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyVault {
    /// The resource id of the vault.
    pub resource_id: String,
    /// Its address, for example `https://name.vault.azure.net/`.
    pub dns_name: String,
}

impl NewSecretScope {
    /// A scope that Databricks keeps, managed by who makes it.
    pub fn new(name: impl Into<SecretScopeName>) -> Self {
        Self { name: name.into(), is_managed_by_all_users: false, key_vault: None }
    }

    /// Lets all users of the workspace manage it.
    #[must_use]
    pub fn managed_by_all_users(self) -> Self {
        Self { is_managed_by_all_users: true, ..self }
    }

    /// Shows the secrets of a key vault.
    #[must_use]
    pub fn in_key_vault(self, resource_id: impl Into<String>, dns_name: impl Into<String>) -> Self {
        let key_vault = KeyVault { resource_id: resource_id.into(), dns_name: dns_name.into() };
        Self { key_vault: Some(key_vault), ..self }
    }
}

word_enum! {
    /// Where the secrets of a scope are.
    ScopeBackend {
        /// Databricks itself.
        Databricks = "DATABRICKS",
        /// A key vault of Azure.
        AzureKeyVault = "AZURE_KEYVAULT",
    }
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretScope {
    /// Its name.
    pub name: SecretScopeName,
    /// Where its secrets are.
    pub backend: ScopeBackend,
    /// The vault, if it is one.
    pub key_vault: Option<KeyVault>,
}

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretMetadata {
    /// Its name.
    pub key: SecretKey,
    /// When it was last written.
    pub updated_at: Option<OffsetDateTime>,
}

/// The value of a secret: at most 128 KiB. `Debug` hides it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecretValue {
    /// A text.
    Text(SecretString),
    /// Bytes.
    Bytes(SecretSlice<u8>),
}

impl From<SecretString> for SecretValue {
    fn from(text: SecretString) -> Self {
        Self::Text(text)
    }
}

impl From<SecretSlice<u8>> for SecretValue {
    fn from(bytes: SecretSlice<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

word_enum! {
    /// What somebody may do with a scope.
    SecretPermission {
        /// Read its secrets.
        Read = "READ",
        /// Read and write its secrets.
        Write = "WRITE",
        /// All of it, and give rights to others.
        Manage = "MANAGE",
    }
}

/// Who may do what with a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretAcl {
    /// A user, a group, or a service principal by its application id.
    pub principal: String,
    /// What they may do.
    pub permission: SecretPermission,
}

/// The secrets of one Databricks workspace.
///
/// Implemented by [`SecretsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Secrets>` is the type to store.
#[async_trait]
pub trait Secrets: fmt::Debug + Send + Sync {
    /// Makes a scope.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when there is one of that name.
    async fn create_scope(&self, scope: &NewSecretScope) -> Result<()>;

    /// Lists the scopes.
    fn list_scopes(&self) -> BoxStream<'static, Result<SecretScope>>;

    /// Removes a scope with all that is in it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn delete_scope(&self, scope: &SecretScopeName) -> Result<()>;

    /// Writes a secret, in place of one of that name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such scope,
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) without the
    /// right to write.
    async fn put(
        &self,
        scope: &SecretScopeName,
        key: &SecretKey,
        value: &SecretValue,
    ) -> Result<()>;

    /// Reads a secret. The service gives bytes; see
    /// [`SecretsClient::get_text`] for a text.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such secret or
    /// scope.
    async fn get(&self, scope: &SecretScopeName, key: &SecretKey) -> Result<SecretSlice<u8>>;

    /// Lists the secrets of a scope, without their values.
    fn list(&self, scope: &SecretScopeName) -> BoxStream<'static, Result<SecretMetadata>>;

    /// Removes a secret.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn delete(&self, scope: &SecretScopeName, key: &SecretKey) -> Result<()>;

    /// Gives somebody a right to a scope, in place of the one they have.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such scope.
    async fn put_acl(&self, scope: &SecretScopeName, acl: &SecretAcl) -> Result<()>;

    /// Tells what somebody may do with a scope.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when they have no right to it.
    async fn get_acl(&self, scope: &SecretScopeName, principal: &str) -> Result<SecretAcl>;

    /// Lists who may do what with a scope.
    fn list_acls(&self, scope: &SecretScopeName) -> BoxStream<'static, Result<SecretAcl>>;

    /// Takes the right to a scope away.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when they have none.
    async fn delete_acl(&self, scope: &SecretScopeName, principal: &str) -> Result<()>;
}

impl SecretAcl {
    /// The right `permission` for `principal`.
    pub fn new(principal: impl Into<String>, permission: SecretPermission) -> Self {
        Self { principal: principal.into(), permission }
    }
}

const _: fn(&dyn Secrets) = |_| ();
