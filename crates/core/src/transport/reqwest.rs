//! The built-in transport. No other file names reqwest.

#![expect(clippy::disallowed_types, reason = "this is the one place that talks to the network")]

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Uri, header};
use url::Url;

use super::{Request, Response, Transport, TransportError};
use crate::{BodySink, BodySource, Error, ErrorKind, Result, stream_source};

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(100);

const BUILD: &str = "transport.build";

/// Sends requests over HTTP/1.1 and TLS.
///
/// Follows no redirect and repeats nothing: [`Endpoint`](crate::Endpoint) decides
/// about that. Drops `user:password@` from a URL instead of sending it as Basic
/// authentication, because the token is the only proof of identity here.
///
/// Cheap to clone: clones share one connection pool.
#[derive(Clone, Debug)]
pub struct ReqwestTransport(reqwest::Client);

/// Collects the settings of a [`ReqwestTransport`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ReqwestTransportBuilder {
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Duration,
    proxy_from_env: bool,
}

impl ReqwestTransport {
    /// A transport with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// Fails when this machine has no certificate store that can be read.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Starts from the defaults: the certificates of this machine, 10 s to
    /// connect, proxies as `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            proxy_from_env: true,
        }
    }
}

impl ReqwestTransportBuilder {
    /// Trusts the certificates in `pem` beside those of this machine. May hold
    /// several, and may be called several times.
    pub fn with_root_certificates_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.root_certificates.push(pem.as_ref().to_vec());
        self
    }

    /// Gives up when no connection came about after this long.
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Obeys the proxy variables of the environment, or ignores them.
    pub fn with_proxy_from_env(self, proxy_from_env: bool) -> Self {
        Self { proxy_from_env, ..self }
    }

    /// Makes the transport.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a PEM text holds no
    /// certificate, [`Other`](ErrorKind::Other) when TLS cannot be set up.
    pub fn build(self) -> Result<ReqwestTransport> {
        // A program that has chosen a provider keeps it: this call then fails, by design.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut roots = Vec::new();
        for pem in &self.root_certificates {
            let found = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|err| Error::local(BUILD, ErrorKind::InvalidArgument, err))?;
            if found.is_empty() {
                return Err(Error::invalid(
                    BUILD,
                    "root certificates: the text has no block that begins with -----BEGIN CERTIFICATE-----",
                ));
            }
            roots.extend(found);
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        if !roots.is_empty() {
            builder = builder.tls_certs_merge(roots);
        }
        if !self.proxy_from_env {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|err| Error::local(BUILD, ErrorKind::Other, err))?;
        Ok(ReqwestTransport(client))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (parts, body) = request.into_parts();
        whole(self.begin(parts, body.into()).await?).await
    }

    async fn send_source(
        &self,
        request: Request,
        source: Arc<dyn BodySource>,
    ) -> Result<Response, TransportError> {
        let (mut parts, _) = request.into_parts();
        // A body of known length goes without chunks, which some services refuse.
        parts.headers.insert(header::CONTENT_LENGTH, source.len().into());
        let body = reqwest::Body::wrap_stream(stream_source(source));
        whole(self.begin(parts, body).await?).await
    }

    async fn receive(
        &self,
        request: Request,
        sink: &mut dyn BodySink,
    ) -> Result<Response, TransportError> {
        let (parts, body) = request.into_parts();
        let mut sent = self.begin(parts, body.into()).await?;
        if !sent.status().is_success() {
            return whole(sent).await;
        }
        while let Some(part) = sent.chunk().await.map_err(translate)? {
            sink.write(part).await.map_err(|err| TransportError::Invalid(err.into()))?;
        }
        Ok(response(&sent, Bytes::new()))
    }
}

impl ReqwestTransport {
    async fn begin(
        &self,
        parts: http::request::Parts,
        body: reqwest::Body,
    ) -> Result<reqwest::Response, TransportError> {
        let request = self.0.request(parts.method, without_userinfo(&parts.uri)?);
        request.headers(parts.headers).body(body).send().await.map_err(translate)
    }
}

/// The answer with its whole body.
async fn whole(sent: reqwest::Response) -> Result<Response, TransportError> {
    let empty = response(&sent, Bytes::new());
    let body = sent.bytes().await.map_err(translate)?;
    Ok(empty.map(|_| body))
}

fn response(sent: &reqwest::Response, body: Bytes) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = sent.status();
    response.headers_mut().clone_from(sent.headers());
    response
}

fn without_userinfo(uri: &Uri) -> Result<Url, TransportError> {
    // The text of the error does not repeat the URI, which may hold a signature.
    let mut url =
        Url::parse(&uri.to_string()).map_err(|err| TransportError::Invalid(err.into()))?;
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
        let err = io::Error::new(io::ErrorKind::InvalidInput, "the URI has no host");
        return Err(TransportError::Invalid(err.into()));
    }
    Ok(url)
}

fn translate(err: reqwest::Error) -> TransportError {
    let err = err.without_url();
    if err.is_builder() {
        TransportError::Invalid(err.into())
    } else if err.is_connect() {
        TransportError::Connect(err.into())
    } else {
        TransportError::Interrupted(err.into())
    }
}

#[cfg(test)]
mod tests {
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_string, method, path},
    };

    use super::*;

    fn local() -> ReqwestTransport {
        ReqwestTransport::builder().with_proxy_from_env(false).build().unwrap()
    }

    #[tokio::test]
    async fn userinfo_of_a_url_is_not_sent() {
        let server = MockServer::start().await;
        Mock::given(method("PUT"))
            .and(path("/a/b"))
            .and(body_string("body"))
            .respond_with(ResponseTemplate::new(201).insert_header("x-seen", "yes"))
            .mount(&server)
            .await;
        let uri = format!("http://account:key@{}/a/b", server.address());
        let request = http::Request::put(uri).body(Bytes::from("body")).unwrap();

        let response = local().send(request).await.unwrap();

        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-seen"], "yes");
        let seen = server.received_requests().await.unwrap();
        assert!(!seen[0].headers.contains_key("authorization"));
    }

    #[tokio::test]
    async fn a_body_of_parts_is_sent_with_its_length_and_an_answer_is_received_in_parts() {
        let server = MockServer::start().await;
        let bytes: Vec<u8> = (0..3_000_001_u32).map(|it| it.to_le_bytes()[1]).collect();
        Mock::given(method("PUT"))
            .and(path("/large"))
            .and(wiremock::matchers::header("content-length", "3000001"))
            .and(wiremock::matchers::body_bytes(bytes.clone()))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(bytes.clone()))
            .mount(&server)
            .await;
        let uri = format!("{}/large", server.uri());
        let put = || http::Request::put(&uri).body(Bytes::new()).unwrap();
        let body: Arc<dyn BodySource> = Arc::new(Bytes::from(bytes.clone()));
        let response = local().send_source(put(), body).await.unwrap();
        assert!(response.body() == &bytes);

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("large");
        let mut sink = crate::FileSink::new(&file);
        let request = put().map(|_| Bytes::from(bytes.clone()));
        let response = local().receive(request, &mut sink).await.unwrap();
        sink.finish().await.unwrap();
        assert!(response.body().is_empty() && std::fs::read(file).unwrap() == bytes);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_like_any_other() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(307).insert_header("location", "http://a.test/"))
            .mount(&server)
            .await;
        let request = http::Request::get(server.uri()).body(Bytes::new()).unwrap();
        assert_eq!(local().send(request).await.unwrap().status(), 307);
    }

    #[tokio::test]
    async fn a_closed_port_means_that_nothing_was_sent() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let uri = format!("http://127.0.0.1:{port}/?sig=hidden");
        let request = http::Request::get(uri).body(Bytes::new()).unwrap();
        let err = local().send(request).await.unwrap_err();
        assert!(matches!(err, TransportError::Connect(_)));
        assert!(!format!("{err:?}").contains("hidden"), "{err:?}");
    }

    #[test]
    fn a_text_without_a_certificate_is_refused() {
        let err = ReqwestTransport::builder().with_root_certificates_pem("no").build().unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }
}
