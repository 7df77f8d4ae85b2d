//! What every Databricks client asks before it signs in: which workspace this
//! host is, and where OAuth is.
//!
//! Emulated: `databricks-config`. The OAuth endpoints that it names are not.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
