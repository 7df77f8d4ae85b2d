//! Databricks Groups API 2.0, which SCIM has replaced.
//!
//! Emulated: the list of the groups that every workspace begins with. The rest
//! is refused by name.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
