use async_trait::async_trait;
use azml_core::{AccessToken, Result, Scope, StaticToken, TokenCredential};
use secrecy::SecretString;

use crate::variables;

/// A personal access token of one Databricks workspace.
///
/// It knows one workspace only: do not use it for a session that also calls Azure.
#[derive(Clone, Debug)]
pub struct PersonalAccessToken(StaticToken);

impl PersonalAccessToken {
    /// Wraps a token, for example `dapi0123`.
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self(StaticToken::new(token))
    }

    /// The token in the variable `DATABRICKS_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when it is not set.
    pub fn from_env() -> Result<Self> {
        let [token] = variables::required("auth.personal_access_token", ["DATABRICKS_TOKEN"])?;
        Ok(Self::new(token))
    }
}

#[async_trait]
impl TokenCredential for PersonalAccessToken {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.0.token(scope).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_printed() {
        let token = PersonalAccessToken::new("dapi-fake-token");
        assert!(!format!("{token:?}").contains("fake-token"));
    }
}
