use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    listener::{self, Stop},
    ready::Ready,
    tls::Authority,
};
use crate::kernel::{MockCloud, MockCloudBuilder};

/// A mock cloud that listens: http, TLS and a proxy on one port.
///
/// It goes by the wall clock and waits for nothing unless told otherwise.
/// Dropping it closes the port and breaks off what is open; [`stop`](Self::stop)
/// ends things in order.
#[derive(Debug)]
pub struct MockServer {
    cloud: MockCloud,
    ready: Ready,
    authority: Arc<Authority>,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Serves the cloud that `builder` describes on a free port of the loopback address.
    ///
    /// # Errors
    ///
    /// Fails when no port, no folder or no certificate can be had.
    pub async fn start(builder: MockCloudBuilder) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::serve(listener, builder.for_socket().build()?, None)
    }

    /// Serves `cloud` at `listener`, with the authority in `ca_folder` or, by
    /// default, in the folder of the cloud's files.
    pub(crate) fn serve(
        listener: TcpListener,
        cloud: MockCloud,
        ca_folder: Option<PathBuf>,
    ) -> io::Result<Self> {
        let ca_folder = ca_folder.unwrap_or_else(|| cloud.shared.files().join("ca"));
        let authority = Arc::new(Authority::in_folder(&ca_folder)?);
        let local = reachable(listener.local_addr()?).to_string();
        let ready = Ready::new(&local, &std::path::absolute(authority.file())?);
        cloud.shared.listens_at(&local, ready.ca_file.as_ref());
        let (stop, stopped) = watch::channel(false);
        let serving = listener::serve(listener, cloud.clone(), authority.clone(), Stop(stopped));
        let serving = Some(tokio::spawn(serving));
        Ok(Self { cloud, ready, authority, stop, serving })
    }

    /// The port by plain http, for example `http://127.0.0.1:4711`.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The same port by TLS.
    pub fn tls_url(&self) -> &str {
        &self.ready.tls_url
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// Names and secrets of the default world.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The cloud behind the port.
    pub fn cloud(&self) -> &MockCloud {
        &self.cloud
    }

    /// Stops accepting, lets open requests and children end, and keeps what is
    /// to be kept. Takes a few seconds at most.
    ///
    /// # Errors
    ///
    /// Fails when the log cannot be written out.
    pub async fn stop(mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        let children = self.cloud.shared.executor.end_all(None);
        let serving = self.serving.take();
        let served = async {
            if let Some(serving) = serving {
                // It only fails by a panic, which has been told already.
                let _ = serving.await;
            }
        };
        futures_util::future::join(children, served).await;
        self.cloud.shared.close().await
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// Where a client on this machine finds what listens at `local`.
fn reachable(local: SocketAddr) -> SocketAddr {
    let ip = match local.ip() {
        IpAddr::V4(it) if it.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(it) if it.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        it => it,
    };
    SocketAddr::new(ip, local.port())
}
