use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Error, ErrorKind, Result, Scope, TokenCredential, Transport};
use azure_core::{
    cloud::CustomConfiguration,
    credentials::Secret,
    http::{ClientOptions, RetryOptions, Transport as AzureTransport},
};
use azure_identity::ClientSecretCredentialOptions;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    azure::{AzureCredential, TransportClient},
    variables,
};

const NEW: &str = "auth.client_secret";

/// A service principal that proves itself by a secret.
pub struct ClientSecretCredential {
    authority: String,
    transport: Arc<dyn Transport>,
    tenant_id: String,
    client_id: String,
    secret: SecretString,
    /// Has a cache of its own, so it is replaced to get a new token.
    current: Mutex<AzureCredential>,
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
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a part is empty or the
    /// authority of `cloud` is not an `https` URL.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        secret: SecretString,
    ) -> Result<Self> {
        let (tenant_id, client_id) = (tenant_id.into(), client_id.into());
        let parts = [
            ("tenant id", tenant_id.as_str()),
            ("client id", client_id.as_str()),
            ("client secret", secret.expose_secret()),
        ];
        for (name, value) in parts {
            if value.trim().is_empty() {
                return Err(Error::invalid(NEW, format!("{name}: is empty; give it a value")));
            }
        }
        let current = open(&cloud.authority, &transport, &tenant_id, &client_id, &secret)?;
        Ok(Self {
            authority: cloud.authority.clone(),
            transport,
            tenant_id,
            client_id,
            secret,
            current: Mutex::new(current),
        })
    }

    /// The service principal that the variables `AZURE_TENANT_ID`,
    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` name.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument), which names each variable
    /// that is not set.
    pub fn from_env(cloud: &Cloud, transport: Arc<dyn Transport>) -> Result<Self> {
        let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
        let [tenant_id, client_id, secret] = variables::required(NEW, names)?;
        Self::new(cloud, transport, tenant_id, client_id, secret.into())
    }
}

fn open(
    authority: &str,
    transport: &Arc<dyn Transport>,
    tenant_id: &str,
    client_id: &str,
    secret: &SecretString,
) -> Result<AzureCredential> {
    let mut configuration = CustomConfiguration::default();
    authority.clone_into(&mut configuration.authority_host);
    let client_options = ClientOptions {
        cloud: Some(Arc::new(configuration.into())),
        // One retry loop is enough, and it is ours.
        retry: RetryOptions::none(),
        transport: Some(AzureTransport::new(Arc::new(TransportClient(transport.clone())))),
        ..ClientOptions::default()
    };
    let credential = azure_identity::ClientSecretCredential::new(
        tenant_id,
        client_id.to_owned(),
        Secret::new(secret.expose_secret().to_owned()),
        Some(ClientSecretCredentialOptions { client_options }),
    );
    let credential =
        credential.map_err(|err| Error::local(NEW, ErrorKind::InvalidArgument, err))?;
    Ok(AzureCredential(credential))
}

#[async_trait]
impl TokenCredential for ClientSecretCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let current = self.current.lock().clone();
        current.token(scope).await
    }

    fn invalidate(&self, _: &Scope, _: &AccessToken) {
        let Self { authority, transport, tenant_id, client_id, secret, current } = self;
        // It worked with the same parts before, so that it does not fail now.
        if let Ok(fresh) = open(authority, transport, tenant_id, client_id, secret) {
            *current.lock() = fresh;
        }
    }
}

#[cfg(test)]
mod tests {
    use azml_core::{Request, Response, TransportError};
    use bytes::Bytes;

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
    async fn a_rejected_token_is_replaced_although_it_is_cached_below() {
        let authority = Arc::new(Authority::default());
        let credential = credential(&authority, "right");
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
}
