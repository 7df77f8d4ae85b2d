//! Databricks Files API 2.0, over the volumes of Unity Catalog and over the
//! artifacts of MLflow runs.
//!
//! Emulated: files (put, get with ranges and `If-Unmodified-Since`, head,
//! delete) and folders (make, head, list page by page, delete).
//! Not emulated: addresses for up- and downloads past the API, on which
//! clients fall back to it. What a path leads to, `routes/tree.rs` knows. The folders
//! that tasks see are the truth; the log holds nothing.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
