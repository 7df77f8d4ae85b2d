//! Instance pools: machines that wait, so that clusters start sooner.

mod client;
mod ops;
mod wire;

use std::{collections::BTreeMap, fmt, time::Duration};

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_util::stream::BoxStream;
use serde::Serialize;

pub use self::client::InstancePoolsClient;
use crate::{ExtraFields, clusters::AzureAttributes};

string_id! {
    /// Identifies an instance pool.
    InstancePoolId
}

/// The definition of a pool.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PoolDefinition {
    /// What people call it: 1 to 100 characters. No two pools share it.
    pub name: String,
    /// Azure VM size of its machines. Cannot be edited.
    pub node_type_id: String,
    /// How many machines always wait. `None` is 0.
    pub min_idle_instances: Option<u32>,
    /// The most machines, used ones included. `None` sets no limit.
    pub max_capacity: Option<u32>,
    /// How long a machine beyond the minimum waits, in whole minutes. `None` takes
    /// the default of the service.
    pub idle_timeout: Option<Duration>,
    /// Tags for the machines.
    pub custom_tags: BTreeMap<String, String>,
    /// At most one runtime that the machines bring along. Cannot be edited.
    pub preloaded_spark_versions: Vec<String>,
    /// Whether machines get more disk when they need it. Cannot be edited.
    pub enable_elastic_disk: Option<bool>,
    /// Where in Azure the machines come from. Cannot be edited.
    pub azure_attributes: Option<AzureAttributes>,
    /// Whatever else the service knows of a pool, for example `disk_spec`. Cannot be
    /// edited.
    pub extra: ExtraFields,
}

impl PoolDefinition {
    /// A pool of machines of one size.
    pub fn new(name: impl Into<String>, node_type_id: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            node_type_id: node_type_id.into(),
            min_idle_instances: None,
            max_capacity: None,
            idle_timeout: None,
            custom_tags: BTreeMap::new(),
            preloaded_spark_versions: Vec::new(),
            enable_elastic_disk: None,
            azure_attributes: None,
            extra: ExtraFields::default(),
        }
    }

    /// Sets what people call it.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets how many machines always wait.
    #[must_use]
    pub fn with_min_idle_instances(self, instances: u32) -> Self {
        Self { min_idle_instances: Some(instances), ..self }
    }

    /// Sets the most machines.
    #[must_use]
    pub fn with_max_capacity(self, instances: u32) -> Self {
        Self { max_capacity: Some(instances), ..self }
    }

    /// Sets how long a machine beyond the minimum waits.
    #[must_use]
    pub fn with_idle_timeout(self, idle: Duration) -> Self {
        Self { idle_timeout: Some(idle), ..self }
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_custom_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom_tags.insert(key.into(), value.into());
        self
    }

    /// Lets the machines bring a runtime along.
    #[must_use]
    pub fn with_preloaded_spark_version(self, key: impl Into<String>) -> Self {
        Self { preloaded_spark_versions: vec![key.into()], ..self }
    }

    /// Gives machines more disk when they need it, or not.
    #[must_use]
    pub fn with_elastic_disk(self, enabled: bool) -> Self {
        Self { enable_elastic_disk: Some(enabled), ..self }
    }

    /// Sets where in Azure the machines come from.
    #[must_use]
    pub fn with_azure_attributes(self, azure_attributes: AzureAttributes) -> Self {
        Self { azure_attributes: Some(azure_attributes), ..self }
    }

    /// Sets a field that this crate has no name for.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `value`
    /// cannot be written as JSON.
    pub fn with_extra(mut self, name: impl Into<String>, value: impl Serialize) -> Result<Self> {
        self.extra.insert(name, value)?;
        Ok(self)
    }
}

word_enum! {
    /// Where a pool is in its life.
    PoolState {
        /// It gives machines.
        Active = "ACTIVE",
        /// It gives no more machines.
        Stopped = "STOPPED",
        /// It is gone.
        Deleted = "DELETED",
    }
}

/// What the machines of a pool do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// They are in clusters.
    pub used: u32,
    /// They wait.
    pub idle: u32,
    /// They are being acquired for clusters.
    pub pending_used: u32,
    /// They are being acquired to wait.
    pub pending_idle: u32,
}

/// A pool as the service last described it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InstancePool {
    /// Its id.
    pub instance_pool_id: InstancePoolId,
    /// Its definition.
    pub definition: PoolDefinition,
    /// Where it is in its life.
    pub state: PoolState,
    /// What its machines do.
    pub stats: PoolStats,
    /// Tags that the service gives.
    pub default_tags: BTreeMap<String, String>,
}

/// The instance pools of one Databricks workspace.
///
/// Implemented by [`InstancePoolsClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn InstancePools>` is the type to store.
#[async_trait]
pub trait InstancePools: fmt::Debug + Send + Sync {
    /// Makes a pool.
    ///
    /// Not repeated after a lost response: the service would make a second one.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// definition is not as it should be.
    async fn create(&self, definition: &PoolDefinition) -> Result<InstancePoolId>;

    /// Changes what of a pool can be edited: name, numbers, idle time and tags.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such pool.
    async fn edit(&self, pool_id: &InstancePoolId, definition: &PoolDefinition) -> Result<()>;

    /// Removes a pool. Its idle machines go, those in clusters stay.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such pool.
    async fn delete(&self, pool_id: &InstancePoolId) -> Result<()>;

    /// Describes a pool.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such pool.
    async fn get(&self, pool_id: &InstancePoolId) -> Result<InstancePool>;

    /// Lists the pools.
    fn list(&self) -> BoxStream<'static, Result<InstancePool>>;
}

const _: fn(&dyn InstancePools) = |_| ();
