use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Endpoint, Result, Scope, TokenCredential, Transport};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use super::ops::{Config, Discover, Grant, Token};
use crate::{check, variables};

const NEW: &str = "auth.databricks_oauth";

/// A service principal of Databricks that proves itself by a secret of Databricks
/// (OAuth, machine to machine).
///
/// The tokens hold for one workspace: do not use it for a session that also
/// calls Azure. Fact: <https://learn.microsoft.com/azure/databricks/dev-tools/auth/oauth-m2m>.
pub struct DatabricksOauthCredential {
    client_id: String,
    secret: SecretString,
    authority: Authority,
}

impl fmt::Debug for DatabricksOauthCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabricksOauthCredential")
            .field("host", &self.authority.host())
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl DatabricksOauthCredential {
    /// The service principal `client_id` in the workspace at `host`, for example
    /// `https://adb-1.2.azuredatabricks.net`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when a part is empty.
    pub fn new(
        host: &str,
        transport: Arc<dyn Transport>,
        client_id: impl Into<String>,
        secret: impl Into<SecretString>,
    ) -> Result<Self> {
        let (client_id, secret) = (client_id.into(), secret.into());
        check::filled(NEW, "host", host)?;
        check::filled(NEW, "client id", &client_id)?;
        check::filled(NEW, "client secret", secret.expose_secret())?;
        Ok(Self { client_id, secret, authority: Authority::new(host, transport) })
    }

    /// The service principal and the workspace that the variables
    /// `DATABRICKS_HOST`, `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET` name.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), which names each variable
    /// that is not set.
    pub fn from_env(transport: Arc<dyn Transport>) -> Result<Self> {
        let names = ["DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"];
        let [host, client_id, secret] = variables::required(NEW, names)?;
        Self::new(&host, transport, client_id, secret)
    }
}

#[async_trait]
impl TokenCredential for DatabricksOauthCredential {
    async fn token(&self, _: &Scope) -> Result<AccessToken> {
        self.authority.token(Grant::Client(&self.client_id, &self.secret)).await
    }
}

/// Hands out the tokens of one workspace.
#[derive(Debug)]
pub(super) struct Authority {
    workspace: Endpoint,
    token_endpoint: OnceCell<String>,
}

impl Authority {
    pub(super) fn new(host: &str, transport: Arc<dyn Transport>) -> Self {
        let workspace = Endpoint::new(with_scheme(host), transport);
        Self { workspace, token_endpoint: OnceCell::new() }
    }

    pub(super) fn host(&self) -> &str {
        self.workspace.base()
    }

    pub(super) async fn token(&self, grant: Grant<'_>) -> Result<AccessToken> {
        let endpoint = self.token_endpoint.get_or_try_init(|| self.discover()).await?;
        // Tokens end by the wall clock, because services look at theirs.
        #[expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]
        let now = OffsetDateTime::from(std::time::SystemTime::now());
        self.workspace.at(endpoint.as_str()).call(&Token { grant, now }).await
    }

    /// Where the workspace hands out tokens. Older ones do not say.
    async fn discover(&self) -> Result<String> {
        let described = match self.workspace.call(&Config).await {
            Ok(described) => described.oidc_endpoint,
            Err(err) if err.service_fault().is_some_and(|it| it.status == 404) => None,
            Err(err) => return Err(err),
        };
        let authority = described.unwrap_or_else(|| format!("{}/oidc", self.host()));
        Ok(self.workspace.at(authority).call(&Discover).await?.token_endpoint)
    }
}

/// Hosts are often given without a scheme, as in a browser.
pub(super) fn with_scheme(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::testing::Authority as Workspace;

    #[test]
    fn the_secret_is_not_printed_and_an_empty_part_is_named() {
        let transport = Arc::new(Workspace::default());
        let credential =
            DatabricksOauthCredential::new("adb-1.test", transport.clone(), "app", "fake-secret");
        let text = format!("{:?}", credential.unwrap());
        assert_eq!(
            text,
            r#"DatabricksOauthCredential { host: "https://adb-1.test", client_id: "app", .. }"#
        );
        let err = DatabricksOauthCredential::new("adb-1.test", transport, "app", "").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(
            err.to_string(),
            "auth.databricks_oauth failed: client secret: is empty; give it a value"
        );
    }
}
