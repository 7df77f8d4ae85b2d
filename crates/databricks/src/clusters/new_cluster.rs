use std::{collections::BTreeMap, time::Duration};

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
    /// Pool that the machines come from.
    pub instance_pool_id: Option<String>,
    /// Workers beside the driver. Does not count when there is an `autoscale`.
    pub num_workers: u32,
    /// Lets the service choose the number of workers.
    pub autoscale: Option<Autoscale>,
    /// Idle time after which the service terminates the cluster, rounded down
    /// to whole minutes. `None` never terminates it. Clusters of a job run have none.
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
}
