//! Where `azure_core` meets our traits: tokens one way, requests the other.

use std::{error::Error as StdError, sync::Arc};

use async_trait::async_trait;
use azml_core::{
    AccessToken, Error, ErrorKind, Response, Result, Scope, ServiceFault, TokenCredential,
    Transport, TransportError,
};
use azure_core::{
    credentials,
    error::ErrorKind as AzureErrorKind,
    http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode, headers::Headers},
};
use bytes::Bytes;
use serde::Deserialize;

/// The call that gets a token, as it is named in errors.
pub(crate) const TOKEN: &str = "auth.token";

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

/// Carries the requests of `azure_identity` over our transport, below our retries.
#[derive(Debug)]
pub(crate) struct TransportClient(pub(crate) Arc<dyn Transport>);

#[async_trait]
impl HttpClient for TransportClient {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut builder =
            http::Request::builder().method(request.method().as_str()).uri(request.url().as_str());
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
        let response = self.0.send(request).await.map_err(|err| wrapped(local(err)))?;
        if !response.status().is_success() {
            return Err(wrapped(fault(&response)));
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

#[derive(Default, Deserialize)]
struct EntraFault {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What the authority says when it gives no token.
fn fault(response: &Response) -> Error {
    let status = response.status().as_u16();
    let body: EntraFault = serde_json::from_slice(response.body()).unwrap_or_else(|_| EntraFault {
        error: String::new(),
        error_description: first_words(response.body()),
    });
    // Trace and correlation ids follow on lines of their own.
    let message = body.error_description.lines().next().unwrap_or_default();
    let kind = match ErrorKind::from_status(status) {
        kind @ (ErrorKind::Throttled | ErrorKind::Unavailable) => kind,
        // Whatever is wrong with it, it is the credential that is not accepted.
        _ => ErrorKind::Unauthenticated,
    };
    let fault = ServiceFault::new(status, body.error, message).with_headers(response.headers());
    Error::service(TOKEN, kind, fault)
}

fn first_words(body: &Bytes) -> String {
    String::from_utf8_lossy(body).trim().chars().take(300).collect()
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
            kind = ours.kind();
            break;
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
    let reason = err.to_string();
    Error::explained(TOKEN, kind, reason.lines().next().unwrap_or_default()).with_source(err)
}
