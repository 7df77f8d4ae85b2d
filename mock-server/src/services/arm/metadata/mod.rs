//! How clients find the services: the document that describes the cloud, and
//! the one that an Azure ML workspace points to. Neither needs a token.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::{DISCOVERY, SERVICE};
