//! Azure ML workspaces.
//!
//! They come and go by long-running operations; PATCH takes effect at once.
//! The storage account, key vault and the like that a workspace names need not
//! exist, and are only shown: its blobs lie in the account of the default
//! workspace, because a local client cannot tell accounts apart.
//! Not emulated: private endpoints, encryption, soft deletion, moving.
//!
//! Reference: what azureml-core 1.61 sends and needs; the published description
//! of Microsoft.MachineLearningServices 2022-05-01 and later.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use self::wire::workspace_json;
pub(crate) use self::{routes::SERVICE, state::MlWorkspace};
