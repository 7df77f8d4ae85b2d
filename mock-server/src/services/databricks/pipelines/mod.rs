//! Databricks Pipelines API 2.0 (declarative pipelines).
//!
//! Emulated: a workspace without any, which clients may list. The rest is
//! refused by name.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
