//! What every Databricks client asks before it signs in: which workspace this
//! host is, and where OAuth is.
//!
//! Emulated: `databricks-config`. OAuth is a service of its own.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::{SERVICE, base_of};
