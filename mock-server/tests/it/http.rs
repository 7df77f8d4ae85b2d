//! Just enough of a client to see what really goes over the wire.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What came back, and whether the connection ended before the answer did.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) is_cut: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Bounds `work`.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(url: &str, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let authority = url.trim_start_matches("http://");
    let stream = TcpStream::connect(authority).await?;
    exchange(stream, method, path, authority, body).await
}

/// Asks for a document and insists on getting it.
pub(crate) async fn get(url: &str, path: &str) -> Value {
    let answer = soon(send(url, "GET", path, "")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// Posts a document and insists on success.
pub(crate) async fn post(url: &str, path: &str, body: &Value) -> Value {
    let answer = soon(send(url, "POST", path, &body.to_string())).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// Sends one request on `stream` and reads until it ends.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    target: &str,
    host: &str,
    body: &str,
) -> io::Result<Answer> {
    exchange_with(stream, method, target, &format!("host: {host}"), body).await
}

/// As [`exchange`], with a head of several lines.
pub(crate) async fn exchange_with(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> io::Result<Answer> {
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\n{headers}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut bytes = Vec::new();
    // An end without a farewell is what some tests want to see.
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&bytes)
}

pub(crate) fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    let length = head.lines().find_map(|it| {
        let (name, value) = it.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let is_cut = length.is_some_and(|it: usize| body.len() < it);
    Ok(Answer { status, body: body.to_owned(), is_cut })
}

/// Shakes hands with `name`, trusting nothing but the certificate in `ca_pem`.
pub(crate) async fn secured<S>(stream: S, name: &str, ca_pem: &str) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
