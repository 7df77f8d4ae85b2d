use std::{fmt, fs, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Error, Result, Scope, TokenCredential, Transport};
use secrecy::{ExposeSecret, SecretString};

use super::{oauth::Authority, ops::Grant};
use crate::{check, variables};

const NEW: &str = "auth.databricks_federation";

/// Where the token of somebody whom the workspace trusts is. It is read anew for
/// each token of Databricks, since it lives short.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FederatedToken {
    /// In a variable of the environment.
    Variable(String),
    /// In a file.
    File(PathBuf),
}

impl FederatedToken {
    fn read(&self) -> Result<SecretString> {
        let text = match self {
            Self::Variable(name) => {
                let [text] = variables::required(NEW, [name.as_str()])?;
                text
            }
            Self::File(file) => fs::read_to_string(file).map_err(|err| {
                let reason = format!("token file: {} cannot be read: {err}", file.display());
                Error::invalid(NEW, reason)
            })?,
        };
        let token: SecretString = text.trim().to_owned().into();
        check::filled(NEW, "federated token", token.expose_secret())?;
        Ok(token)
    }
}

/// Somebody whom a Databricks workspace trusts: a CI system, a Kubernetes service
/// account. Exchanges the token of that system for one of Databricks.
///
/// The tokens hold for one workspace. Fact:
/// <https://learn.microsoft.com/azure/databricks/dev-tools/auth/oauth-federation>.
pub struct FederationCredential {
    client_id: Option<String>,
    subject: FederatedToken,
    authority: Authority,
}

impl fmt::Debug for FederationCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederationCredential")
            .field("host", &self.authority.host())
            .field("client_id", &self.client_id)
            .field("subject", &self.subject)
            .finish()
    }
}

impl FederationCredential {
    /// Whoever `subject` stands for, in the workspace at `host`, by a rule of the
    /// whole account.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `host` is empty.
    pub fn new(host: &str, transport: Arc<dyn Transport>, subject: FederatedToken) -> Result<Self> {
        check::filled(NEW, "host", host)?;
        Ok(Self { client_id: None, subject, authority: Authority::new(host, transport) })
    }

    /// By a rule of this service principal instead.
    #[must_use]
    pub fn with_client_id(self, client_id: impl Into<String>) -> Self {
        Self { client_id: Some(client_id.into()), ..self }
    }
}

#[async_trait]
impl TokenCredential for FederationCredential {
    async fn token(&self, _: &Scope) -> Result<AccessToken> {
        let subject = self.subject.read()?;
        self.authority.token(Grant::Exchange(self.client_id.as_deref(), &subject)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Authority as Workspace, arm};

    #[tokio::test]
    async fn a_missing_token_is_named_before_anything_is_sent() {
        for (subject, text) in [
            (
                FederatedToken::File("nowhere".into()),
                "auth.databricks_federation failed: token file: nowhere cannot be read: No such file or directory (os error 2)",
            ),
            (
                FederatedToken::Variable("AZML_NO_SUCH_VARIABLE".to_owned()),
                "auth.databricks_federation failed: environment: set AZML_NO_SUCH_VARIABLE",
            ),
        ] {
            let credential =
                FederationCredential::new("a.test", Arc::new(Workspace::default()), subject)
                    .unwrap();
            assert_eq!(credential.token(&arm()).await.unwrap_err().to_string(), text);
        }
    }
}
