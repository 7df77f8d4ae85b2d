//! Where `azure_core` meets our traits: tokens one way, requests the other.

use std::{error::Error as StdError, fmt, sync::Arc};

use async_trait::async_trait;
use azml_core::{
    AccessToken, Error, ErrorKind, Result, Scope, TokenCredential, Transport, TransportError,
};
use azure_core::{
    cloud::CustomConfiguration,
    credentials,
    error::ErrorKind as AzureErrorKind,
    http::{
        AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode,
        Transport as AzureTransport, headers::Headers,
    },
};

use crate::entra::{self, TOKEN};

/// Any credential of the Azure SDK, as one of ours.
#[derive(Clone, Debug)]
pub struct AzureCredential(
    /// The credential of the Azure SDK.
    pub Arc<dyn credentials::TokenCredential>,
);

#[async_trait]
impl TokenCredential for AzureCredential {
    async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let token = self.0.get_token(&[scope.as_str()], None).await.map_err(translate)?;
        Ok(AccessToken::new(token.token.secret(), token.expires_on))
    }
}

/// A credential of `azure_identity`, made anew for each token.
///
/// Theirs have caches, which go by the wall clock and cannot be emptied. Ours, in
/// front of every credential, goes by the clock of the session and forgets a
/// token that a service has refused.
pub(crate) struct Uncached(Opener);

type Opener =
    Box<dyn Fn() -> azure_core::Result<Arc<dyn credentials::TokenCredential>> + Send + Sync>;

impl fmt::Debug for Uncached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncached").finish_non_exhaustive()
    }
}

impl Uncached {
    /// Opens the credential once to see that it can be. `operation` names a failure.
    pub(crate) fn new<C: credentials::TokenCredential + 'static>(
        operation: &'static str,
        open: impl Fn() -> azure_core::Result<Arc<C>> + Send + Sync + 'static,
    ) -> Result<Self> {
        open().map_err(|err| {
            let reason = one_line(&err.to_string());
            Error::invalid(operation, reason).with_source(err)
        })?;
        Ok(Self(Box::new(move || Ok(open()?))))
    }

    pub(crate) async fn token(&self, scope: &Scope) -> Result<AccessToken> {
        let credential = (self.0)().map_err(translate)?;
        AzureCredential(credential).token(scope).await
    }
}

/// Requests go to `authority`, over our transport.
pub(crate) fn client_options(authority: &str, client: Carrier) -> ClientOptions {
    let mut configuration = CustomConfiguration::default();
    authority.clone_into(&mut configuration.authority_host);
    ClientOptions {
        cloud: Some(Arc::new(configuration.into())),
        // One retry loop is enough, and it is ours.
        retry: RetryOptions::none(),
        transport: Some(AzureTransport::new(Arc::new(client))),
        ..ClientOptions::default()
    }
}

/// Carries the requests of `azure_identity` over our transport, below our retries.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    transport: Arc<dyn Transport>,
    /// Where the metadata service is, if it is not where it always is.
    metadata: Option<String>,
}

/// The address of the metadata service of a virtual machine, which
/// `azure_identity` has no setting for.
const METADATA: &str = "http://169.254.169.254";

impl Carrier {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, metadata: None }
    }

    /// Finds the metadata service at another origin.
    pub(crate) fn with_metadata(self, origin: Option<String>) -> Self {
        Self { metadata: origin, ..self }
    }

    fn address(&self, url: &str) -> String {
        match (&self.metadata, url.strip_prefix(METADATA)) {
            (Some(origin), Some(rest)) => format!("{}{rest}", origin.trim_end_matches('/')),
            _ => url.to_owned(),
        }
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let address = self.address(request.url().as_str());
        let mut builder = http::Request::builder().method(request.method().as_str()).uri(address);
        for (name, value) in request.headers().iter() {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.clone(),
            Body::SeekableStream(_) => {
                let reason = "a request for a token has no streaming body";
                return Err(wrapped(Error::explained(TOKEN, ErrorKind::Other, reason)));
            }
        };
        let request = builder
            .body(body)
            .map_err(|err| wrapped(Error::local(TOKEN, ErrorKind::InvalidArgument, err)))?;
        let response = self.transport.send(request).await.map_err(|err| wrapped(local(err)))?;
        if !response.status().is_success() {
            return Err(wrapped(entra::fault(TOKEN, &response)));
        }
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = StatusCode::from(response.status().as_u16());
        Ok(AsyncRawResponse::from_bytes(status, headers, response.into_body()))
    }
}

fn local(err: TransportError) -> Error {
    let kind = match &err {
        TransportError::Connect(_) => ErrorKind::Unreachable,
        TransportError::Invalid(_) => ErrorKind::InvalidArgument,
        _ => ErrorKind::Unavailable,
    };
    Error::local(TOKEN, kind, err)
}

/// Hides our error in one of `azure_core`, which hands it on.
fn wrapped(err: Error) -> azure_core::Error {
    azure_core::Error::new(AzureErrorKind::Other, err)
}

/// Finds our own error again, or says in our words what `azure_core` says.
pub(crate) fn translate(err: azure_core::Error) -> Error {
    let mut kind = ErrorKind::Unauthenticated;
    let mut link: Option<&(dyn StdError + 'static)> = Some(&err);
    while let Some(it) = link {
        if let Some(ours) = it.downcast_ref::<Error>() {
            if let Some(fault) = ours.service_fault() {
                return Error::service(TOKEN, ours.kind(), fault.clone());
            }
            return Error::explained(TOKEN, ours.kind(), causes(ours)).with_source(err);
        }
        match it.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind) {
            Some(AzureErrorKind::Connection) => kind = ErrorKind::Unreachable,
            Some(AzureErrorKind::Io) => kind = ErrorKind::Unavailable,
            Some(AzureErrorKind::DataConversion) => kind = ErrorKind::Decode,
            Some(AzureErrorKind::HttpResponse { status, .. }) => {
                match ErrorKind::from_status(u16::from(*status)) {
                    it @ (ErrorKind::Throttled | ErrorKind::Unavailable) => kind = it,
                    _ => kind = ErrorKind::Unauthenticated,
                }
            }
            _ => (),
        }
        link = it.source();
    }
    let reason = one_line(&err.to_string());
    Error::explained(TOKEN, kind, reason).with_source(err)
}

/// What is behind an error, or itself if nothing is.
fn causes(err: &Error) -> String {
    let mut texts = Vec::new();
    let mut link = err.source();
    while let Some(it) = link {
        texts.push(it.to_string());
        link = it.source();
    }
    if texts.is_empty() { one_line(&err.to_string()) } else { one_line(&texts.join(": ")) }
}

/// The text on one line, without the pointer to a page on troubleshooting.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.split(" To troubleshoot, visit").next().unwrap_or_default();
    text.trim_end_matches('.').chars().take(500).collect()
}
