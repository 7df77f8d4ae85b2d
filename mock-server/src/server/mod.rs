//! How requests reach the services: names and paths to operations, and, with
//! the feature `server`, a socket with http and TLS on one port.

pub(crate) mod dispatch;
#[cfg(feature = "server")]
mod listener;
#[cfg(feature = "server")]
mod mock_server;
#[cfg(feature = "server")]
mod proxy;
#[cfg(feature = "server")]
pub(crate) mod ready;
#[cfg(feature = "server")]
pub(crate) mod tls;

#[cfg(feature = "server")]
pub use self::mock_server::MockServer;
