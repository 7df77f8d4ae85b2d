//! MLflow REST: plain at `/mlflow`, and as a view of an Azure ML workspace's
//! runs under `/mlflow/v1.0` and `/mlflow/v2.0`.
//!
//! Emulated: experiments (create, get, get-by-name), runs (create, get,
//! update, delete, restore, log-metric, log-parameter, set-tag, delete-tag,
//! log-batch), metrics/get-history, health and version.
//! Not emulated yet: search, inputs, artifacts, logged models, the registry;
//! the store is the one that run history uses, so they are views to come.
//!
//! Reference: `mlflow server` 3.17.2.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::{AZURE_ML, PLAIN};
