use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Result, Scope, TokenCredential, Transport};
use azure_core::credentials::Secret;
use azure_identity::ClientSecretCredentialOptions;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    azure::{Carrier, Uncached, client_options},
    check, variables,
};

const NEW: &str = "auth.client_secret";

/// A service principal that proves itself by a secret.
pub struct ClientSecretCredential {
    authority: String,
    tenant_id: String,
    client_id: String,
    credential: Uncached,
}

impl fmt::Debug for ClientSecretCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecretCredential")
            .field("authority", &self.authority)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl ClientSecretCredential {
    /// The service principal `client_id` of `tenant_id`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when a part is
    /// empty, the tenant is no id or domain, or the authority of `cloud` is not an
    /// `https` URL.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        secret: SecretString,
    ) -> Result<Self> {
        let (tenant_id, client_id) = (tenant_id.into(), client_id.into());
        check::authority(NEW, cloud)?;
        check::tenant_id(NEW, &tenant_id)?;
        check::filled(NEW, "client id", &client_id)?;
        check::filled(NEW, "client secret", secret.expose_secret())?;
        let (authority, carrier) = (cloud.authority.clone(), Carrier::new(transport));
        let (tenant, client) = (tenant_id.clone(), client_id.clone());
        let credential = Uncached::new(NEW, move || {
            azure_identity::ClientSecretCredential::new(
                &tenant,
                client.clone(),
                Secret::new(secret.expose_secret().to_owned()),
                Some(ClientSecretCredentialOptions {
                    client_options: client_options(&authority, carrier.clone()),
                }),
            )
        })?;
        Ok(Self { authority: cloud.authority.clone(), tenant_id, client_id, credential })
    }

    /// The service principal that the variables `AZURE_TENANT_ID`,
    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` name.
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
        let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
        let [tenant_id, client_id, secret] = variables::required_in(NEW, names, variable)?;
        Self::new(cloud, transport, tenant_id, client_id, secret.into())
    }
}

#[async_trait]
impl TokenCredential for ClientSecretCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.credential.token(scope).await
    }
}

#[cfg(test)]
mod tests {
    use azml_core::{ErrorKind, Request, Response, TokenCache, TokioClock, TransportError};
    use bytes::Bytes;
    use parking_lot::Mutex;

    use super::*;

    /// Plays the authority: knows one secret and counts.
    #[derive(Debug, Default)]
    struct Authority(Mutex<Vec<(String, String)>>);

    #[async_trait]
    impl Transport for Authority {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            let mut seen = self.0.lock();
            seen.push((request.uri().to_string(), body.clone()));
            let (status, text) = if body.contains("client_secret=right") {
                let number = seen.len();
                let token = format!("fake-token-{number}");
                (
                    200,
                    format!(
                        r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#
                    ),
                )
            } else if body.contains("client_secret=busy") {
                (503, "<html>busy</html>".to_owned())
            } else {
                (401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x","error_codes":[7000215]}"#.to_owned())
            };
            let response = http::Response::builder()
                .status(status)
                .header("content-type", "application/json")
                .body(Bytes::from(text));
            Ok(response.unwrap())
        }
    }

    fn credential(authority: &Arc<Authority>, secret: &str) -> ClientSecretCredential {
        let cloud = Cloud::public().with_authority("https://login.a.test");
        let tenant = "00000000-0000-0000-0000-000000000001";
        ClientSecretCredential::new(&cloud, authority.clone(), tenant, "app", secret.into())
            .unwrap()
    }

    fn arm() -> Scope {
        Scope::resource("https://management.azure.com")
    }

    #[tokio::test]
    async fn a_secret_becomes_a_token() {
        let authority = Arc::new(Authority::default());
        let token = credential(&authority, "right").token(&arm()).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "fake-token-1");
        let seen = authority.0.lock().clone();
        let expected =
            "https://login.a.test/00000000-0000-0000-0000-000000000001/oauth2/v2.0/token";
        assert_eq!(seen[0].0, expected);
        assert_eq!(
            seen[0].1,
            "client_id=app&client_secret=right&grant_type=client_credentials\
             &scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
        );
    }

    #[tokio::test]
    async fn a_wrong_secret_is_told_in_the_words_of_the_authority_and_not_tried_again() {
        let authority = Arc::new(Authority::default());
        let err = credential(&authority, "wrong").token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated);
        assert_eq!(
            err.to_string(),
            "auth.token failed: 401 invalid_client: AADSTS7000215: Invalid client secret provided."
        );
        assert_eq!(authority.0.lock().len(), 1);
    }

    #[tokio::test]
    async fn a_busy_authority_is_unavailable() {
        let authority = Arc::new(Authority::default());
        let err = credential(&authority, "busy").token(&arm()).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        assert_eq!(authority.0.lock().len(), 1);
    }

    #[tokio::test]
    async fn a_rejected_token_is_replaced() {
        let authority = Arc::new(Authority::default());
        let credential = Arc::new(credential(&authority, "right"));
        let credential = TokenCache::new(credential, Arc::new(TokioClock::new()));
        let first = credential.token(&arm()).await.unwrap();
        let again = credential.token(&arm()).await.unwrap();
        assert_eq!(first.secret.expose_secret(), again.secret.expose_secret());
        credential.invalidate(&arm(), &first);
        let second = credential.token(&arm()).await.unwrap();
        assert_eq!(second.secret.expose_secret(), "fake-token-2");
    }

    #[test]
    fn the_secret_is_not_printed() {
        let credential = credential(&Arc::new(Authority::default()), "right-fake-secret");
        assert!(!format!("{credential:?}").contains("right-fake-secret"));
    }

    #[test]
    fn an_empty_part_is_named() {
        let cloud = Cloud::public();
        let authority = Arc::new(Authority::default());
        let err = ClientSecretCredential::new(&cloud, authority, "tenant", "", "s".into());
        let text = err.unwrap_err().to_string();
        assert_eq!(text, "auth.client_secret failed: client id: is empty; give it a value");
    }
    #[test]
    fn a_secret_goes_to_no_authority_without_tls() {
        let cloud = Cloud::public().with_authority("http://login.a.test");
        let authority = Arc::new(Authority::default());
        let err = ClientSecretCredential::new(&cloud, authority, "tenant", "app", "s".into());
        assert_eq!(err.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
