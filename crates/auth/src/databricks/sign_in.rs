//! From what is known to a workspace that can be called.

use std::sync::Arc;

use azml_core::{Cloud, Endpoint, Error, ResourceId, Result, TokenCredential, Transport};

use super::{
    AuthType, DatabricksConfig, DatabricksOauthCredential, FederatedToken, FederationCredential,
    ServicePrincipalTransport,
};
use crate::{AzureCliCredential, ClientSecretCredential, PersonalAccessToken};

const SIGN_IN: &str = "auth.databricks_sign_in";

/// The variable that holds a token of another system when none is named.
const OIDC_TOKEN: &str = "DATABRICKS_OIDC_TOKEN";

impl DatabricksConfig {
    /// The workspace, called as whoever is set up: give it to
    /// `azml_databricks::Databricks::from_endpoint`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), which names
    /// what is missing for the way to sign in.
    pub fn endpoint(&self, cloud: &Cloud, transport: Arc<dyn Transport>) -> Result<Endpoint> {
        let auth_type = self.chosen();
        let host = need(self.host.as_deref(), auth_type, "host", "DATABRICKS_HOST")?;
        let credential = self.credential(auth_type, host, cloud, &transport)?;
        let transport = match (auth_type, self.workspace()?) {
            (AuthType::AzureClientSecret | AuthType::AzureCli, Some(workspace)) => {
                let credential = credential.clone();
                Arc::new(ServicePrincipalTransport::new(transport, cloud, credential, workspace))
            }
            _ => transport,
        };
        let scope = cloud.databricks_scope();
        Ok(Endpoint::new(host, transport).with_credential(credential, scope))
    }

    fn workspace(&self) -> Result<Option<ResourceId>> {
        let Some(text) = &self.azure_workspace_resource_id else { return Ok(None) };
        let id = text.parse::<ResourceId>().map_err(|err| {
            Error::invalid(SIGN_IN, format!("azure_workspace_resource_id: {err}"))
        })?;
        Ok(Some(id))
    }

    fn credential(
        &self,
        auth_type: AuthType,
        host: &str,
        cloud: &Cloud,
        transport: &Arc<dyn Transport>,
    ) -> Result<Arc<dyn TokenCredential>> {
        let transport = transport.clone();
        Ok(match auth_type {
            AuthType::Pat => {
                let token = need(self.token.clone(), auth_type, "token", "DATABRICKS_TOKEN")?;
                Arc::new(PersonalAccessToken::new(token))
            }
            AuthType::OauthM2m => {
                let id = need(
                    self.client_id.as_deref(),
                    auth_type,
                    "client_id",
                    "DATABRICKS_CLIENT_ID",
                )?;
                let secret = self.client_secret.clone();
                let secret = need(secret, auth_type, "client_secret", "DATABRICKS_CLIENT_SECRET")?;
                Arc::new(DatabricksOauthCredential::new(host, transport, id, secret)?)
            }
            AuthType::EnvOidc => {
                let name = self.oidc_token_env.clone().unwrap_or_else(|| OIDC_TOKEN.to_owned());
                self.federated(host, transport, FederatedToken::Variable(name))?
            }
            AuthType::FileOidc => {
                let variable = "DATABRICKS_OIDC_TOKEN_FILEPATH";
                let file = need(
                    self.oidc_token_filepath.as_ref(),
                    auth_type,
                    "oidc_token_filepath",
                    variable,
                )?;
                self.federated(host, transport, FederatedToken::File(file.into()))?
            }
            AuthType::AzureClientSecret => {
                let tenant = need(
                    self.azure_tenant_id.as_deref(),
                    auth_type,
                    "azure_tenant_id",
                    "ARM_TENANT_ID",
                )?;
                let id = need(
                    self.azure_client_id.as_deref(),
                    auth_type,
                    "azure_client_id",
                    "ARM_CLIENT_ID",
                )?;
                let secret = self.azure_client_secret.clone();
                let secret = need(secret, auth_type, "azure_client_secret", "ARM_CLIENT_SECRET")?;
                Arc::new(ClientSecretCredential::new(cloud, transport, tenant, id, secret)?)
            }
            AuthType::AzureCli => match &self.azure_tenant_id {
                Some(tenant) => Arc::new(AzureCliCredential::for_tenant(tenant.clone())?),
                None => Arc::new(AzureCliCredential::new()?),
            },
        })
    }

    fn federated(
        &self,
        host: &str,
        transport: Arc<dyn Transport>,
        subject: FederatedToken,
    ) -> Result<Arc<dyn TokenCredential>> {
        let credential = FederationCredential::new(host, transport, subject)?;
        Ok(Arc::new(match &self.client_id {
            Some(id) => credential.with_client_id(id.clone()),
            None => credential,
        }))
    }
}

fn need<T>(value: Option<T>, auth_type: AuthType, key: &str, variable: &str) -> Result<T> {
    value.ok_or_else(|| {
        let reason = format!(
            "{key}: is not known, and {auth_type} needs it; set {variable}, or {key} in a profile"
        );
        Error::invalid(SIGN_IN, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Authority;

    #[test]
    fn what_is_missing_is_named_with_its_variable() {
        let cloud = Cloud::public();
        let transport = Arc::new(Authority::default());
        for (config, key) in [
            (DatabricksConfig::new().with_token("t"), "host"),
            (DatabricksConfig::new().with_host("a.test").with_auth_type(AuthType::Pat), "token"),
            (
                DatabricksConfig::new().with_host("a.test").with_auth_type(AuthType::FileOidc),
                "oidc_token_filepath",
            ),
        ] {
            let err = config.endpoint(&cloud, transport.clone()).unwrap_err().to_string();
            let expected = format!("auth.databricks_sign_in failed: {key}: is not known, and ");
            assert!(err.starts_with(&expected), "{err}");
        }
        assert_eq!(transport.seen(), []);
    }
}
