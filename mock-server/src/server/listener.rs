//! A socket that speaks http and TLS on one port: the first byte tells.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, Response},
};
use futures_util::{future::BoxFuture, stream};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    dispatch::{self, Tls},
    proxy::{self, Way},
    tls::Authority,
};
use crate::kernel::{ConnectionReset, MockCloud};

/// The first byte of every TLS connection, and of no http request.
const TLS_HANDSHAKE: u8 = 0x16;

/// How long connections may take to finish what they are doing when the
/// listener stops.
const FAREWELL: Duration = Duration::from_secs(4);

/// What every connection shares.
#[derive(Clone)]
struct Shared {
    cloud: MockCloud,
    authority: Arc<Authority>,
    stop: Stop,
}

/// Tells when the listener is to stop: on command, or when nobody is left to give it.
#[derive(Clone)]
pub(super) struct Stop(pub(super) watch::Receiver<bool>);

impl Stop {
    async fn wait(&mut self) {
        let _: bool = self.0.wait_for(|it| *it).await.is_ok();
    }
}

/// Serves `cloud` until `stop` says so, then lets the open requests end.
pub(super) async fn serve(
    listener: TcpListener,
    cloud: MockCloud,
    authority: Arc<Authority>,
    mut stop: Stop,
) {
    let shared = Shared { cloud, authority, stop: stop.clone() };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.wait() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, shared.clone()));
                }
                Err(err) => {
                    // Out of file descriptors, most likely: others must close first.
                    tracing::warn!(%err, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(_) = connections.join_next() => (),
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all).await.is_err() {
        tracing::warn!("requests were still open when the server stopped");
    }
}

async fn connection(stream: TcpStream, shared: Shared) {
    if let Err(err) = try_connection(stream, shared).await {
        tracing::debug!(%err, "a connection broke");
    }
}

async fn try_connection(stream: TcpStream, mut shared: Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let mut first = [0];
    let seen = tokio::select! {
        seen = stream.peek(&mut first) => seen?,
        // It has asked for nothing yet.
        () = shared.stop.wait() => return Ok(()),
    };
    if seen == 1 && first[0] == TLS_HANDSHAKE {
        return secured(stream, local, &local.ip().to_string(), shared).await;
    }
    spoken(stream, local, false, shared).await
}

/// Shakes hands as `name` and goes on inside.
async fn secured<S>(stream: S, local: SocketAddr, name: &str, mut shared: Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let acceptor = TlsAcceptor::from(shared.authority.config(name)?);
    let stream = tokio::select! {
        stream = acceptor.accept(stream) => stream?,
        () = shared.stop.wait() => return Ok(()),
    };
    spoken(stream, local, true, shared).await
}

/// Answers the requests of one connection.
async fn spoken<S>(stream: S, local: SocketAddr, tls: bool, shared: Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop = shared.stop.clone();
    let service = service_fn(move |request| answer(request, local, tls, shared.clone()));
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = stop.wait() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.map_err(io::Error::other)
}

async fn answer(
    request: Request<Incoming>,
    local: SocketAddr,
    tls: bool,
    shared: Shared,
) -> io::Result<Response<Body>> {
    match proxy::way(request.method(), request.uri(), local) {
        Way::Serve => (),
        Way::Refuse(target) => return Ok(proxy::refused(&target)),
        Way::Tunnel { host, is_tls } => {
            tokio::spawn(tunnel(request, local, host, is_tls, shared));
            return Ok(Response::new(Body::empty()));
        }
    }
    let mut request = request.map(Body::new);
    if tls {
        request.extensions_mut().insert(Tls);
    }
    let response = dispatch::answer(&shared.cloud, request).await;
    if response.extensions().get::<ConnectionReset>().is_some() {
        return broken(response).await;
    }
    Ok(response)
}

/// The inside of a tunnel, which ends here and not at `host`. Boxed, because a
/// tunnel may be asked for inside a tunnel.
fn tunnel(
    request: Request<Incoming>,
    local: SocketAddr,
    host: String,
    is_tls: bool,
    shared: Shared,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let entered = async {
            let stream = hyper::upgrade::on(request).await.map_err(io::Error::other)?;
            let stream = TokioIo::new(stream);
            if is_tls {
                return secured(stream, local, &host, shared).await;
            }
            spoken(stream, local, false, shared).await
        };
        if let Err(err) = entered.await {
            tracing::debug!(%host, %err, "a tunnel broke");
        }
    })
}

/// Breaks the connection: without any answer when there is nothing to send,
/// else in the middle of the body.
async fn broken(response: Response<Body>) -> io::Result<Response<Body>> {
    let reset = || io::Error::new(io::ErrorKind::ConnectionReset, "a planned fault");
    if response.body().is_end_stream() {
        return Err(reset());
    }
    let (parts, body) = response.into_parts();
    let whole = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let steps = stream::unfold(Some(whole), move |left: Option<Bytes>| async move {
        let Some(bytes) = left else { return Some((Err(reset()), None)) };
        if bytes.is_empty() {
            // Lets the connection send what it has before it breaks.
            tokio::task::yield_now().await;
            return Some((Err(reset()), None));
        }
        Some((Ok(bytes), Some(Bytes::new())))
    });
    Ok(Response::from_parts(parts, Body::from_stream(steps)))
}
