use std::{collections::BTreeMap, time::Duration};

use azml_core::Result;
use serde::{Deserialize, Serialize};

use crate::ExtraFields;

/// What to create. Only what has no sensible default is an argument of `new`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewCluster {
    /// Runtime version key, for example `15.4.x-scala2.12`.
    pub spark_version: String,
    /// Azure VM size, for example `Standard_DS3_v2`. Empty when the machines come
    /// from a pool.
    pub node_type_id: String,
    /// What people call it.
    pub cluster_name: Option<String>,
    /// Azure VM size of the driver. `None` takes that of the workers.
    pub driver_node_type_id: Option<String>,
    /// Pool that the driver comes from. `None` takes that of the workers.
    pub driver_instance_pool_id: Option<String>,
    /// Pool that the machines come from.
    pub instance_pool_id: Option<String>,
    /// Workers beside the driver. Does not count when there is an `autoscale`.
    pub num_workers: u32,
    /// Lets the service choose the number of workers.
    pub autoscale: Option<Autoscale>,
    /// Idle time after which the service terminates the cluster, rounded down
    /// to whole minutes, of which there are at least 10. `None` never terminates
    /// it. Clusters of a job run have none.
    pub autotermination: Option<Duration>,
    /// Settings of Spark, for example `spark.speculation`.
    pub spark_conf: BTreeMap<String, String>,
    /// Environment of the processes on the cluster.
    pub spark_env_vars: BTreeMap<String, String>,
    /// Tags for the machines.
    pub custom_tags: BTreeMap<String, String>,
    /// Scripts to run at start: paths that begin with `dbfs:/`, `/Volumes/` or
    /// `/` (a workspace file).
    pub init_scripts: Vec<String>,
    /// Where logs are delivered, for example `dbfs:/logs`.
    pub log_destination: Option<String>,
    /// Policy that the definition must keep to.
    pub policy_id: Option<String>,
    /// How users are kept apart, for example `SINGLE_USER`.
    pub data_security_mode: Option<String>,
    /// The one user of a `SINGLE_USER` cluster.
    pub single_user_name: Option<String>,
    /// `STANDARD` or `PHOTON`. `None` lets the service choose.
    pub runtime_engine: Option<String>,
    /// Whether what is not set is taken from the policy.
    pub apply_policy_default_values: bool,
    /// Where in Azure the machines come from.
    pub azure_attributes: Option<AzureAttributes>,
    /// At most 64 characters. The same token gives the same cluster, unless it is
    /// terminated. `None` makes a new one at each call. For
    /// [`create`](super::Clusters::create) only.
    pub idempotency_token: Option<String>,
    /// Whatever else the service knows of a cluster, for example `docker_image`.
    pub extra: ExtraFields,
}

/// Where in Azure machines come from. Written exactly as it is declared here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AzureAttributes {
    /// How safe the workers are from being taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<AzureAvailability>,
    /// How many of the first machines, the driver included, are never taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_on_demand: Option<u32>,
    /// The most to pay for a spot machine, in dollars an hour. -1 is the price of
    /// one on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_bid_max_price: Option<f64>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

word_enum! {
    /// How safe machines are from being taken away.
    AzureAvailability {
        /// Spot machines, which the cloud may take away.
        Spot = "SPOT_AZURE",
        /// Machines that stay.
        OnDemand = "ON_DEMAND_AZURE",
        /// Spot machines as long as there are any.
        SpotWithFallback = "SPOT_WITH_FALLBACK_AZURE",
    }
}

impl AzureAttributes {
    /// Workers that the cloud may take away, replaced by others that stay.
    pub fn spot_with_fallback() -> Self {
        let availability = Some(AzureAvailability::SpotWithFallback);
        Self { availability, first_on_demand: Some(1), ..Self::default() }
    }
}

/// Between how many workers the service may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autoscale {
    /// The fewest workers.
    pub min_workers: u32,
    /// The most workers.
    pub max_workers: u32,
}

impl NewCluster {
    /// A cluster of one worker that never terminates by itself.
    pub fn new(spark_version: impl Into<String>, node_type_id: impl Into<String>) -> Self {
        Self {
            spark_version: spark_version.into(),
            node_type_id: node_type_id.into(),
            cluster_name: None,
            driver_node_type_id: None,
            driver_instance_pool_id: None,
            instance_pool_id: None,
            num_workers: 1,
            autoscale: None,
            autotermination: None,
            spark_conf: BTreeMap::new(),
            spark_env_vars: BTreeMap::new(),
            custom_tags: BTreeMap::new(),
            init_scripts: Vec::new(),
            log_destination: None,
            policy_id: None,
            data_security_mode: None,
            single_user_name: None,
            runtime_engine: None,
            apply_policy_default_values: false,
            azure_attributes: None,
            idempotency_token: None,
            extra: ExtraFields::default(),
        }
    }

    /// A cluster of a driver alone, which also works.
    pub fn single_node(spark_version: impl Into<String>, node_type_id: impl Into<String>) -> Self {
        Self::new(spark_version, node_type_id)
            .with_num_workers(0)
            .with_spark_conf("spark.databricks.cluster.profile", "singleNode")
            .with_spark_conf("spark.master", "local[*]")
            .with_custom_tag("ResourceClass", "SingleNode")
    }

    /// A cluster whose machines come from a pool.
    pub fn in_pool(spark_version: impl Into<String>, instance_pool_id: impl Into<String>) -> Self {
        let instance_pool_id = Some(instance_pool_id.into());
        Self { instance_pool_id, ..Self::new(spark_version, "") }
    }

    /// Sets what people call it.
    #[must_use]
    pub fn with_cluster_name(self, cluster_name: impl Into<String>) -> Self {
        Self { cluster_name: Some(cluster_name.into()), ..self }
    }

    /// Sets the VM size of the driver.
    #[must_use]
    pub fn with_driver_node_type_id(self, node_type_id: impl Into<String>) -> Self {
        Self { driver_node_type_id: Some(node_type_id.into()), ..self }
    }

    /// Sets the number of workers beside the driver.
    #[must_use]
    pub fn with_num_workers(self, num_workers: u32) -> Self {
        Self { num_workers, autoscale: None, ..self }
    }

    /// Lets the service choose the number of workers.
    #[must_use]
    pub fn with_autoscale(self, min_workers: u32, max_workers: u32) -> Self {
        Self { autoscale: Some(Autoscale { min_workers, max_workers }), ..self }
    }

    /// Terminates the cluster after `idle` without work.
    #[must_use]
    pub fn with_autotermination(self, idle: Duration) -> Self {
        Self { autotermination: Some(idle), ..self }
    }

    /// Adds a setting of Spark.
    #[must_use]
    pub fn with_spark_conf(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.spark_conf.insert(key.into(), value.into());
        self
    }

    /// Adds a variable to the environment of the processes.
    #[must_use]
    pub fn with_spark_env_var(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.spark_env_vars.insert(key.into(), value.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_custom_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.custom_tags.insert(key.into(), value.into());
        self
    }

    /// Adds a script to run at start.
    #[must_use]
    pub fn with_init_script(mut self, path: impl Into<String>) -> Self {
        self.init_scripts.push(path.into());
        self
    }

    /// Delivers logs to `destination`.
    #[must_use]
    pub fn with_log_destination(self, destination: impl Into<String>) -> Self {
        Self { log_destination: Some(destination.into()), ..self }
    }

    /// Keeps the definition to a policy.
    #[must_use]
    pub fn with_policy_id(self, policy_id: impl Into<String>) -> Self {
        Self { policy_id: Some(policy_id.into()), ..self }
    }

    /// Sets how users are kept apart.
    #[must_use]
    pub fn with_data_security_mode(self, mode: impl Into<String>) -> Self {
        Self { data_security_mode: Some(mode.into()), ..self }
    }

    /// Sets the one user of a `SINGLE_USER` cluster.
    #[must_use]
    pub fn with_single_user_name(self, user_name: impl Into<String>) -> Self {
        Self { single_user_name: Some(user_name.into()), ..self }
    }

    /// Sets `STANDARD` or `PHOTON`.
    #[must_use]
    pub fn with_runtime_engine(self, engine: impl Into<String>) -> Self {
        Self { runtime_engine: Some(engine.into()), ..self }
    }

    /// Takes what is not set from the policy.
    #[must_use]
    pub fn with_policy_defaults(self) -> Self {
        Self { apply_policy_default_values: true, ..self }
    }

    /// Sets where in Azure the machines come from.
    #[must_use]
    pub fn with_azure_attributes(self, azure_attributes: AzureAttributes) -> Self {
        Self { azure_attributes: Some(azure_attributes), ..self }
    }

    /// Takes the driver from a pool of its own.
    #[must_use]
    pub fn with_driver_instance_pool_id(self, instance_pool_id: impl Into<String>) -> Self {
        Self { driver_instance_pool_id: Some(instance_pool_id.into()), ..self }
    }

    /// Makes all calls of `create` with this token one cluster.
    #[must_use]
    pub fn with_idempotency_token(self, token: impl Into<String>) -> Self {
        Self { idempotency_token: Some(token.into()), ..self }
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
