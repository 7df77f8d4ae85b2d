//! A service principal that proves itself by a certificate.

mod certificate;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use azml_core::{AccessToken, Cloud, Error, ErrorKind, Result, Scope, TokenCredential, Transport};
use azure_core::{error::ErrorKind as AzureErrorKind, http::ClientMethodOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::certificate::ClientCertificate;
use crate::{
    azure::{Carrier, Uncached, client_options},
    check, variables,
};

const NEW: &str = "auth.client_certificate";

/// A service principal that proves itself by a certificate.
///
/// Signs a statement of ten minutes' validity (RS256) with the certificate's
/// key; the key itself is never sent. The form of the statement is that of
/// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.
pub struct ClientCertificateCredential {
    authority: String,
    tenant_id: String,
    client_id: String,
    credential: Uncached,
}

impl fmt::Debug for ClientCertificateCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificateCredential")
            .field("authority", &self.authority)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl ClientCertificateCredential {
    /// The service principal `client_id` of `tenant_id`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a part is empty, the
    /// tenant is no id or domain, or the authority of `cloud` is not an `https` URL.
    pub fn new(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        certificate: ClientCertificate,
    ) -> Result<Self> {
        let (tenant_id, client_id) = (tenant_id.into(), client_id.into());
        check::authority(NEW, cloud)?;
        check::tenant_id(NEW, &tenant_id)?;
        check::filled(NEW, "client id", &client_id)?;
        let authority = cloud.authority.clone();
        let statement = Statement {
            audience: format!("{authority}/{tenant_id}/oauth2/v2.0/token"),
            client_id: client_id.clone(),
            certificate: Arc::new(certificate),
        };
        let carrier = Carrier::new(transport);
        let (tenant, client) = (tenant_id.clone(), client_id.clone());
        let credential = Uncached::new(NEW, move || {
            let client_options = client_options(&authority, carrier.clone());
            ClientAssertionCredential::new(
                tenant.clone(),
                client.clone(),
                statement.clone(),
                Some(ClientAssertionCredentialOptions { client_options }),
            )
        })?;
        Ok(Self { authority: cloud.authority.clone(), tenant_id, client_id, credential })
    }

    /// The service principal that the variables `AZURE_TENANT_ID`,
    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_CERTIFICATE_PATH` name, the last of
    /// them a PEM file with key and certificate.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument), which names each variable
    /// that is not set, and for a file that does not hold what it should.
    pub fn from_env(cloud: &Cloud, transport: Arc<dyn Transport>) -> Result<Self> {
        Self::from_variables(cloud, transport, variables::process)
    }

    pub(crate) fn from_variables(
        cloud: &Cloud,
        transport: Arc<dyn Transport>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"];
        let send_chain = variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
            .is_some_and(|it| matches!(it.to_ascii_lowercase().as_str(), "1" | "true"));
        let [tenant_id, client_id, file] = variables::required_in(NEW, names, variable)?;
        let mut certificate = ClientCertificate::read(Path::new(&file))?;
        if send_chain {
            certificate = certificate.with_chain();
        }
        Self::new(cloud, transport, tenant_id, client_id, certificate)
    }
}

#[async_trait]
impl TokenCredential for ClientCertificateCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        self.credential.token(scope).await
    }
}

/// What is signed for each request of a token.
#[derive(Clone)]
struct Statement {
    audience: String,
    client_id: String,
    certificate: Arc<ClientCertificate>,
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Entra asks to keep it between five and ten minutes.
const VALIDITY_SECONDS: i64 = 600;

impl Statement {
    fn at(&self, now: OffsetDateTime, id: Uuid) -> Result<String> {
        let now = now.unix_timestamp();
        let claims = serde_json::json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": id.to_string(),
            "iat": now,
            "nbf": now,
            "exp": now + VALIDITY_SECONDS,
        });
        self.certificate.sign(&claims)
    }
}

#[async_trait]
impl ClientAssertion for Statement {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        // The authority compares it with its own clock: the wall's is the nearest.
        let signed = self.at(OffsetDateTime::now_utc(), Uuid::new_v4());
        signed.map_err(|err| azure_core::Error::new(AzureErrorKind::Credential, err))
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::explained(NEW, ErrorKind::InvalidArgument, reason)
}
