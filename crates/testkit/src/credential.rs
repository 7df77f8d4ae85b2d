use std::sync::Arc;

use async_trait::async_trait;
use azml_core::{
    AccessToken, Cloud, Endpoint, Operation, Request, RequestBuilder, Response, Result, Scope,
    TokenCredential, Transport, azure,
};
use http::Method;
use secrecy::SecretString;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{CLIENT_ID, CLIENT_SECRET, TENANT_ID};

/// The service principal of the default world. Signs in with one call, so that
/// a test of a service crate needs no crate for signing in.
#[derive(Debug)]
pub struct ServicePrincipal(Endpoint);

impl ServicePrincipal {
    /// Signs in at the authority of `cloud`.
    pub fn new(cloud: &Cloud, transport: Arc<dyn Transport>) -> Self {
        Self(Endpoint::new(cloud.authority.as_str(), transport))
    }
}

#[async_trait]
impl TokenCredential for ServicePrincipal {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.0.call(&SignIn(scope)).await
    }
}

struct SignIn<'a>(&'a Scope);

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    expires_in: i64,
}

impl Operation for SignIn<'_> {
    const NAME: &'static str = "testkit.sign_in";
    const IDEMPOTENT: bool = true;
    type Output = AccessToken;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .segment(TENANT_ID)
            .path("/oauth2/v2.0/token")
            .form(&[
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT_ID),
                ("client_secret", CLIENT_SECRET),
                ("scope", self.0.as_str()),
            ])
            .build()
    }

    fn decode(&self, response: Response) -> Result<AccessToken> {
        let token: Token = azure::read(Self::NAME, &response)?;
        #[expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]
        let now = OffsetDateTime::from(std::time::SystemTime::now());
        Ok(AccessToken::new(token.access_token, now + Duration::seconds(token.expires_in)))
    }
}
