//! The compute targets of one workspace.

mod attach;
mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Poller, ResourceId, Result, string_id};
use azml_workspace::arm::OperationStatus;
use futures_core::stream::BoxStream;
use secrecy::SecretString;
use time::OffsetDateTime;

pub use self::{attach::AttachDatabricks, client::ComputesClient};

string_id! {
    /// Names a compute target: 2 to 16 letters, digits and dashes, the first a letter.
    ComputeName
}

/// Something that a workspace can run steps on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComputeTarget {
    /// Name within the workspace.
    pub name: ComputeName,
    /// ARM id of the compute target.
    pub id: Option<ResourceId>,
    /// Azure region of the workspace.
    pub location: String,
    /// What kind of compute it is.
    pub compute_type: ComputeType,
    /// Whether it can be used.
    pub provisioning_state: ProvisioningState,
    /// Why it cannot be used.
    pub provisioning_errors: Vec<ProvisioningError>,
    /// The resource behind it, for example a Databricks workspace.
    pub resource_id: Option<ResourceId>,
    /// Whether the resource was there before, and stays when it is detached.
    pub is_attached: bool,
    /// Free text.
    pub description: Option<String>,
    /// Where the Databricks workspace answers.
    pub databricks_workspace_url: Option<String>,
    /// When it was attached or made.
    pub created_at: Option<OffsetDateTime>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What kind of compute a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComputeType {
    /// An attached Databricks workspace.
    Databricks,
    /// A cluster that Azure ML runs.
    AmlCompute,
    /// A single machine that Azure ML runs.
    ComputeInstance,
    /// A kind that this version of the crate has no name for.
    Unknown(String),
}

/// Whether a compute target can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvisioningState {
    /// Not yet.
    Creating,
    /// Being changed.
    Updating,
    /// Not any longer.
    Deleting,
    /// Yes.
    Succeeded,
    /// No: the errors say why.
    Failed,
    /// No: somebody stopped it on the way.
    Canceled,
    /// A state that this version of the crate has no name for.
    Unknown(String),
}

/// One reason why a compute target cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvisioningError {
    /// Machine-readable code, for example `BadArgument`.
    pub code: String,
    /// Human-readable text.
    pub message: String,
}

/// What an attached Databricks workspace is called with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatabricksCredentials {
    /// The access token that it was attached with.
    pub access_token: SecretString,
}

impl ProvisioningState {
    /// Reads the service's word, in any case.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "creating" => Self::Creating,
            "updating" => Self::Updating,
            "deleting" => Self::Deleting,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" | "cancelled" => Self::Canceled,
            _ => Self::Unknown(word.to_owned()),
        }
    }
}

impl ComputeType {
    /// Reads the service's word, in any case.
    pub fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "databricks" => Self::Databricks,
            "amlcompute" => Self::AmlCompute,
            "computeinstance" => Self::ComputeInstance,
            _ => Self::Unknown(word.to_owned()),
        }
    }
}

/// The compute targets of one workspace.
///
/// Implemented by [`ComputesClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn Computes>` is the type to store.
#[async_trait]
pub trait Computes: fmt::Debug + Send + Sync {
    /// Starts attaching a Databricks workspace under `name`. Attaching again
    /// under the same name replaces the token.
    ///
    /// The poller's outcome is the target, ready for use. It fails with the
    /// service's reason, for example that the token is not valid.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for a name, resource or token that cannot be right.
    async fn attach(
        &self,
        name: &ComputeName,
        attach: &AttachDatabricks,
    ) -> Result<Poller<OperationStatus, ComputeTarget>>;

    /// Describes one compute target.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such target exists.
    async fn get(&self, name: &ComputeName) -> Result<ComputeTarget>;

    /// Lists all compute targets.
    fn list(&self) -> BoxStream<'static, Result<ComputeTarget>>;

    /// Tells the access token that a Databricks workspace was attached with.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such target exists,
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) when this
    /// identity may not read its secrets.
    async fn credentials(&self, name: &ComputeName) -> Result<DatabricksCredentials>;

    /// Starts detaching a compute target. The resource behind it lives on.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such target exists.
    async fn detach(&self, name: &ComputeName) -> Result<Poller<OperationStatus, ()>>;
}

const _: fn(&dyn Computes) = |_| ();
