//! How requests reach the services: names and paths to operations, and, with
//! the feature `server`, a socket with http and TLS on one port.

pub(crate) mod dispatch;
