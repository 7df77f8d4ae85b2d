//! MLflow REST: plain at `/mlflow`, at the root of a Databricks workspace, and
//! as a view of an Azure ML workspace's runs under `/mlflow/v1.0` and `/mlflow/v2.0`.
//!
//! Emulated: experiments, runs, metrics, parameters, tags, batches, datasets,
//! search with the whole grammar, histories, logged models, the model registry
//! with aliases and stages, artifacts (listed everywhere; kept for clients by
//! the plain server and at the Databricks root, whole or in parts), the GraphQL of its pages.
//! The registry of an Azure ML workspace is that of model management.
//! Not emulated: traces, evaluation, prompts' optimization, gateway, webhooks,
//! workspaces of MLflow itself, presigned addresses.
//!
//! Reference: `mlflow server` 3.17.2.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::{
        AZURE_ML, AZURE_ML_PREVIEW, DATABRICKS, DATABRICKS_ONLY, DATABRICKS_PROXY, DBFS, GENAI,
        PLAIN, PROXY, SERVER, SIGNED,
    },
    wire::no_such_page,
};
