//! Datastores: the storage that a workspace has been given.

mod client;
mod ops;
mod register;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_core::stream::BoxStream;
use secrecy::SecretString;

pub use self::{
    client::DatastoresClient,
    register::{BlobContainer, RegisterOptions},
};

string_id! {
    /// Names a datastore, for example `workspaceblobstore`.
    DatastoreName
}

/// Storage under a name that steps and data can refer to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Datastore {
    /// Name within the workspace.
    pub name: DatastoreName,
    /// What kind of storage it is.
    pub kind: DatastoreKind,
    /// Whether the workspace uses it when none is named.
    pub is_default: bool,
    /// Where the data lies, for the kinds that are Azure storage accounts.
    pub storage: Option<StorageLocation>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What kind of storage a datastore is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatastoreKind {
    /// A blob container.
    AzureBlob,
    /// A file share.
    AzureFile,
    /// A file system of Data Lake Storage Gen2.
    AzureDataLakeGen2,
    /// The file system of a Databricks workspace.
    Dbfs,
    /// A kind that this version of the crate has no name for.
    Unknown(String),
}

/// A container of a storage account, and how to get in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StorageLocation {
    /// Name of the storage account.
    pub account: String,
    /// Name of the container or share.
    pub container: String,
    /// `https`, or `http` for an emulator.
    pub protocol: String,
    /// What follows `ACCOUNT.blob.`, for example `core.windows.net`.
    pub endpoint: String,
    /// How to get in.
    pub credential: DatastoreCredential,
}

/// How to get into the storage behind a datastore.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DatastoreCredential {
    /// As oneself: the caller's own identity decides.
    Identity,
    /// The storage account's key.
    AccountKey(SecretString),
    /// A shared access signature.
    Sas(SecretString),
    /// A kind that this version of the crate has no name for.
    Unknown(String),
}

impl StorageLocation {
    /// The container's address, without a signature.
    pub fn container_url(&self) -> String {
        let Self { protocol, account, endpoint, container, .. } = self;
        format!("{protocol}://{account}.blob.{endpoint}/{container}")
    }

    /// The address of `path` in the container as Spark spells it.
    pub fn wasbs_uri(&self, path: &str) -> String {
        let Self { account, endpoint, container, .. } = self;
        format!("wasbs://{container}@{account}.blob.{endpoint}/{}", path.trim_start_matches('/'))
    }
}

/// The datastores of one workspace.
///
/// Implemented by [`DatastoresClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn Datastores>` is the type to store.
#[async_trait]
pub trait Datastores: fmt::Debug + Send + Sync {
    /// Describes the workspace's default datastore.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) when this
    /// identity may not read the workspace's secrets.
    async fn default(&self) -> Result<Datastore>;

    /// Describes one datastore.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such datastore exists.
    async fn get(&self, name: &DatastoreName) -> Result<Datastore>;

    /// Lists all datastores.
    fn list(&self) -> BoxStream<'static, Result<Datastore>>;

    /// Makes `name` the datastore that the workspace uses when none is named.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such datastore exists.
    async fn set_default(&self, name: &DatastoreName) -> Result<()>;

    /// Gives a blob container a name in the workspace, and describes the datastore
    /// that this makes.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before anything
    /// is sent, for a name or an address that cannot be right. A name that is
    /// taken is refused by the service, unless the options say to replace it.
    async fn register_blob_container(
        &self,
        name: &DatastoreName,
        container: &BlobContainer,
        options: &RegisterOptions,
    ) -> Result<Datastore>;

    /// Takes the name of a datastore back. The data stays where it is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such datastore exists.
    async fn unregister(&self, name: &DatastoreName) -> Result<()>;
}

const _: fn(&dyn Datastores) = |_| ();
