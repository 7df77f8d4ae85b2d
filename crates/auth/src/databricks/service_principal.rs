use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{
    BodySource, Cloud, ErrorKind, Request, ResourceId, Response, Scope, TokenCache,
    TokenCredential, TokioClock, Transport, TransportError,
};
use http::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;

const MANAGEMENT: HeaderName = HeaderName::from_static("x-databricks-azure-sp-management-token");
const WORKSPACE: HeaderName = HeaderName::from_static("x-databricks-azure-workspace-resource-id");

/// Adds to each request what a service principal of Entra needs that is no member
/// of a Databricks workspace: a second token, which shows that it may manage the
/// workspace in Azure, and the id of the workspace there.
///
/// Databricks then takes the service principal in. Put it in front of another
/// transport, and use the result for calls of that workspace only. Fact:
/// <https://learn.microsoft.com/azure/databricks/dev-tools/service-prin-aad-token>.
pub struct ServicePrincipalTransport {
    inner: Arc<dyn Transport>,
    credential: TokenCache,
    scope: Scope,
    workspace: ResourceId,
}

impl fmt::Debug for ServicePrincipalTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicePrincipalTransport")
            .field("inner", &self.inner)
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

impl ServicePrincipalTransport {
    /// Sends through `inner`, with tokens of `credential` for the management of
    /// Azure in `cloud`.
    pub fn new(
        inner: Arc<dyn Transport>,
        cloud: &Cloud,
        credential: Arc<dyn TokenCredential>,
        workspace: ResourceId,
    ) -> Self {
        let credential = TokenCache::new(credential, Arc::new(TokioClock::new()));
        Self { inner, credential, scope: cloud.service_management_scope(), workspace }
    }

    async fn add(&self, request: &mut Request) -> Result<(), TransportError> {
        let invalid = |err: http::header::InvalidHeaderValue| TransportError::Invalid(err.into());
        let token = self.credential.token(&self.scope).await.map_err(|err| match err.kind() {
            // Nothing was sent, so that the call may be tried again.
            ErrorKind::Throttled
            | ErrorKind::Unreachable
            | ErrorKind::Unavailable
            | ErrorKind::Timeout => TransportError::Connect(err.into()),
            _ => TransportError::Invalid(err.into()),
        })?;
        let mut management =
            HeaderValue::try_from(token.secret.expose_secret()).map_err(invalid)?;
        management.set_sensitive(true);
        let workspace = HeaderValue::try_from(self.workspace.to_string()).map_err(invalid)?;
        let headers = request.headers_mut();
        headers.insert(MANAGEMENT, management);
        headers.insert(WORKSPACE, workspace);
        Ok(())
    }
}

#[async_trait]
impl Transport for ServicePrincipalTransport {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        self.add(&mut request).await?;
        self.inner.send(request).await
    }

    async fn send_source(
        &self,
        mut request: Request,
        source: Arc<dyn BodySource>,
    ) -> Result<Response, TransportError> {
        self.add(&mut request).await?;
        self.inner.send_source(request, source).await
    }
}
