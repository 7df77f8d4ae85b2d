use async_trait::async_trait;
use azml_core::{Endpoint, Error, ErrorKind, Result};
use futures_util::stream::BoxStream;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::{
    NewSecretScope, SecretAcl, SecretKey, SecretMetadata, SecretScope, SecretScopeName,
    SecretValue, Secrets, ops,
};
use crate::wire::stream_list;

/// Talks to the Secrets API of one Databricks workspace.
///
/// ```no_run
/// use azml_databricks::{
///     Databricks,
///     secrets::{NewSecretScope, Secrets},
/// };
/// use secrecy::SecretString;
///
/// # async fn demo(databricks: &Databricks, password: SecretString) -> azml_core::Result<()> {
/// let secrets = databricks.secrets();
/// secrets.create_scope(&NewSecretScope::new("team")).await?;
/// secrets.put(&"team".into(), &"password".into(), &password.into()).await?;
/// let text = secrets.get_text(&"team".into(), &"password".into()).await?;
/// # let _ = text;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretsClient {
    endpoint: Endpoint,
}

impl SecretsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Reads a secret that is a text.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when it is not UTF-8,
    /// [`NotFound`](ErrorKind::NotFound) when there is no such secret or scope.
    pub async fn get_text(&self, scope: &SecretScopeName, key: &SecretKey) -> Result<SecretString> {
        let bytes = self.get(scope, key).await?;
        // The error of the decoder would show where the secret is odd.
        let text = std::str::from_utf8(bytes.expose_secret()).map_err(|_| {
            let reason = "the secret is no text; read it with get";
            Error::explained("databricks.secrets.get", ErrorKind::Decode, reason)
        })?;
        Ok(text.into())
    }
}

#[async_trait]
impl Secrets for SecretsClient {
    async fn create_scope(&self, scope: &NewSecretScope) -> Result<()> {
        self.endpoint.call(&ops::CreateScope(scope)).await
    }

    fn list_scopes(&self) -> BoxStream<'static, Result<SecretScope>> {
        let endpoint = self.endpoint.clone();
        stream_list(async move { endpoint.call(&ops::ListScopes).await })
    }

    async fn delete_scope(&self, scope: &SecretScopeName) -> Result<()> {
        self.endpoint.call(&ops::DeleteScope(scope)).await
    }

    async fn put(
        &self,
        scope: &SecretScopeName,
        key: &SecretKey,
        value: &SecretValue,
    ) -> Result<()> {
        self.endpoint.call(&ops::Put { scope, key, value }).await
    }

    async fn get(&self, scope: &SecretScopeName, key: &SecretKey) -> Result<SecretSlice<u8>> {
        self.endpoint.call(&ops::Get(scope, key)).await
    }

    fn list(&self, scope: &SecretScopeName) -> BoxStream<'static, Result<SecretMetadata>> {
        let (endpoint, scope) = (self.endpoint.clone(), scope.clone());
        stream_list(async move { endpoint.call(&ops::List(&scope)).await })
    }

    async fn delete(&self, scope: &SecretScopeName, key: &SecretKey) -> Result<()> {
        self.endpoint.call(&ops::Delete(scope, key)).await
    }

    async fn put_acl(&self, scope: &SecretScopeName, acl: &SecretAcl) -> Result<()> {
        self.endpoint.call(&ops::PutAcl(scope, acl)).await
    }

    async fn get_acl(&self, scope: &SecretScopeName, principal: &str) -> Result<SecretAcl> {
        self.endpoint.call(&ops::GetAcl(scope, principal)).await
    }

    fn list_acls(&self, scope: &SecretScopeName) -> BoxStream<'static, Result<SecretAcl>> {
        let (endpoint, scope) = (self.endpoint.clone(), scope.clone());
        stream_list(async move { endpoint.call(&ops::ListAcls(&scope)).await })
    }

    async fn delete_acl(&self, scope: &SecretScopeName, principal: &str) -> Result<()> {
        self.endpoint.call(&ops::DeleteAcl(scope, principal)).await
    }
}
