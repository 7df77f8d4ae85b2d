use std::{fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Result, Scope, TokenCredential, Transport};
use azure_identity::{ClientAssertionCredentialOptions, WorkloadIdentityCredentialOptions};

use crate::{
    azure::{Carrier, Uncached, client_options},
    check, variables,
};

const NEW: &str = "auth.workload_identity";

/// A service principal that proves itself by a token of somebody whom Entra
/// trusts: a Kubernetes service account, a CI system.
///
/// The token is in a file, which is read anew for each token of Entra.
pub struct WorkloadIdentityCredential {
    authority: String,
    tenant_id: String,
    client_id: String,
    token_file: PathBuf,
    credential: Uncached,
}

impl fmt::Debug for WorkloadIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkloadIdentityCredential")
            .field("authority", &self.authority)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("token_file", &self.token_file)
            .finish_non_exhaustive()
    }
}

impl WorkloadIdentityCredential {
    /// The service principal `client_id` of `tenant_id`, by the token in
    /// `token_file`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when a part is
    /// empty or the file cannot be read.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        token_file: impl Into<PathBuf>,
    ) -> Result<Self> {
        let (tenant_id, client_id) = (tenant_id.into(), client_id.into());
        let token_file = token_file.into();
        check::authority(NEW, cloud)?;
        check::tenant_id(NEW, &tenant_id)?;
        check::filled(NEW, "client id", &client_id)?;
        check::filled(NEW, "token file", &token_file.to_string_lossy())?;
        let (authority, carrier) = (cloud.authority.clone(), Carrier::new(transport));
        let parts = (tenant_id.clone(), client_id.clone(), token_file.clone());
        let credential = Uncached::new(NEW, move || {
            let client_options = client_options(&authority, carrier.clone());
            azure_identity::WorkloadIdentityCredential::new(Some(
                WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    tenant_id: Some(parts.0.clone()),
                    client_id: Some(parts.1.clone()),
                    token_file_path: Some(parts.2.clone()),
                },
            ))
        })?;
        let authority = cloud.authority.clone();
        Ok(Self { authority, tenant_id, client_id, token_file, credential })
    }

    /// The one that the variables `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
    /// `AZURE_FEDERATED_TOKEN_FILE` name, as Kubernetes sets them.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), which names
    /// each variable that is not set.
    pub fn from_env(cloud: &Cloud, transport: Arc<dyn Transport>) -> Result<Self> {
        Self::from_variables(cloud, transport, variables::process)
    }

    pub(crate) fn from_variables(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"];
        let [tenant_id, client_id, file] = variables::required_in(NEW, names, variable)?;
        Self::new(cloud, transport, tenant_id, client_id, file)
    }
}

#[async_trait]
impl TokenCredential for WorkloadIdentityCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.credential.token(scope).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use azml_core::ErrorKind;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing::{Authority, TENANT_ID, arm};

    #[tokio::test]
    async fn the_token_of_the_file_goes_to_the_authority_and_is_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "fake-federated-token").unwrap();
        let authority = Arc::new(Authority::default());
        let cloud = Cloud::public().with_authority("https://login.a.test");
        let credential =
            WorkloadIdentityCredential::new(&cloud, authority.clone(), TENANT_ID, "app", file)
                .unwrap();
        assert!(!format!("{credential:?}").contains("fake-federated-token"));

        let first = credential.token(&arm()).await.unwrap();
        assert_eq!(first.secret.expose_secret(), "fake-token-1");
        let (address, body) = authority.seen()[0].clone();
        assert_eq!(address, format!("https://login.a.test/{TENANT_ID}/oauth2/v2.0/token"));
        assert_eq!(
            body,
            "client_assertion=fake-federated-token\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_id=app&grant_type=client_credentials\
             &scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
        );
        let second = credential.token(&arm()).await.unwrap();
        assert_eq!(second.secret.expose_secret(), "fake-token-2");
    }

    #[tokio::test]
    async fn a_refused_assertion_is_told_in_the_words_of_the_authority() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "wrong").unwrap();
        let authority = Arc::new(Authority::refusing(
            r#"{"error":"invalid_client","error_description":"AADSTS700024: Client assertion is not within its valid time range.\r\nTrace ID: x"}"#,
        ));
        let credential =
            WorkloadIdentityCredential::new(&Cloud::public(), authority, TENANT_ID, "app", file)
                .unwrap();
        let err = credential.token(&arm()).await.unwrap_err();
        assert_eq!(
            err.to_string(),
            "auth.token failed: 401 invalid_client: AADSTS700024: Client assertion is not within its valid time range."
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let authority = Arc::new(Authority::default());
        let cloud = Cloud::public();
        let err =
            WorkloadIdentityCredential::new(&cloud, authority, TENANT_ID, "app", "no/such/file")
                .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(
            err.to_string(),
            "auth.workload_identity failed: failed to read federated token from file no/such/file"
        );
    }

    #[test]
    fn each_missing_variable_is_named() {
        let authority = Arc::new(Authority::default());
        let err = WorkloadIdentityCredential::from_variables(&Cloud::public(), authority, |_| None);
        assert_eq!(
            err.unwrap_err().to_string(),
            "auth.workload_identity failed: environment: set AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE"
        );
    }
}
