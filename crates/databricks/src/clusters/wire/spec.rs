//! The definition of a cluster, as it is sent and as it comes back within a job.

use std::collections::BTreeMap;

use azml_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    ExtraFields,
    clusters::{Autoscale, AzureAttributes, NewCluster},
    wire::Integer,
};

const LEAST_IDLE_MINUTES: i64 = 10;
const MOST_TAGS: usize = 45;

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterSpec {
    #[serde(skip_serializing_if = "String::is_empty")]
    spark_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    node_type_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_node_type_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_instance_pool_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_pool_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_workers: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autoscale: Option<WireAutoscale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autotermination_minutes: Option<Integer>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    spark_conf: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    spark_env_vars: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom_tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    init_scripts: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_log_conf: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_security_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    single_user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_engine: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    apply_policy_default_values: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_attributes: Option<AzureAttributes>,
    #[serde(flatten)]
    extra: ExtraFields,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct WireAutoscale {
    min_workers: Integer,
    max_workers: Integer,
}

impl From<Autoscale> for WireAutoscale {
    fn from(it: Autoscale) -> Self {
        Self { min_workers: it.min_workers.into(), max_workers: it.max_workers.into() }
    }
}

impl From<WireAutoscale> for Autoscale {
    fn from(it: WireAutoscale) -> Self {
        let count = |it: Integer| it.count().unwrap_or_default();
        Self { min_workers: count(it.min_workers), max_workers: count(it.max_workers) }
    }
}

/// `{"dbfs":{"destination":"dbfs:/logs"}}`
#[derive(Serialize, Deserialize)]
struct Place(Map<String, Value>);

impl Place {
    fn new(destination: &str) -> Self {
        let kind = match destination.split_once(':') {
            Some(("dbfs", _)) => "dbfs",
            Some(("abfss", _)) => "abfss",
            Some(("file", _)) => "file",
            _ if destination.starts_with("/Volumes/") => "volumes",
            _ => "workspace",
        };
        Self([(kind.to_owned(), json!({ "destination": destination }))].into_iter().collect())
    }

    fn destination(&self) -> Option<String> {
        let found = self.0.values().find_map(|it| it.get("destination")?.as_str());
        found.map(str::to_owned)
    }
}

impl ClusterSpec {
    /// Checks `new` and writes it down for `operation`.
    pub(crate) fn new(operation: &'static str, new: &NewCluster) -> Result<Self> {
        let minutes = new.autotermination.map(|it| i64::try_from(it.as_secs() / 60));
        let minutes = minutes.map(|it| it.unwrap_or(i64::MAX));
        check(operation, new, minutes)?;
        Ok(Self {
            spark_version: new.spark_version.clone(),
            node_type_id: new.node_type_id.clone(),
            cluster_name: new.cluster_name.clone(),
            driver_node_type_id: new.driver_node_type_id.clone(),
            driver_instance_pool_id: new.driver_instance_pool_id.clone(),
            instance_pool_id: new.instance_pool_id.clone(),
            num_workers: new.autoscale.is_none().then_some(new.num_workers.into()),
            autoscale: new.autoscale.map(Into::into),
            autotermination_minutes: minutes.map(Integer),
            spark_conf: new.spark_conf.clone(),
            spark_env_vars: new.spark_env_vars.clone(),
            custom_tags: new.custom_tags.clone(),
            init_scripts: new.init_scripts.iter().map(|it| Place::new(it)).collect(),
            cluster_log_conf: new.log_destination.as_deref().map(Place::new),
            policy_id: new.policy_id.clone(),
            data_security_mode: new.data_security_mode.clone(),
            single_user_name: new.single_user_name.clone(),
            runtime_engine: new.runtime_engine.clone(),
            apply_policy_default_values: new.apply_policy_default_values,
            azure_attributes: new.azure_attributes.clone(),
            extra: new.extra.clone(),
        })
    }
}

fn check(operation: &'static str, new: &NewCluster, idle_minutes: Option<i64>) -> Result<()> {
    let invalid = |reason: &str| Err(Error::invalid(operation, reason));
    let by_policy = new.policy_id.is_some() && new.apply_policy_default_values;
    if new.spark_version.is_empty() && !by_policy {
        return invalid("spark_version: is empty; give a key such as 15.4.x-scala2.12");
    }
    if new.node_type_id.is_empty() && new.instance_pool_id.is_none() && !by_policy {
        return invalid("node_type_id: is empty; give a VM size, or a pool with in_pool");
    }
    if new.autoscale.is_some_and(|it| it.max_workers < it.min_workers) {
        return invalid("autoscale: max_workers is less than min_workers; swap them");
    }
    if idle_minutes.is_some_and(|it| it < LEAST_IDLE_MINUTES) {
        return invalid("autotermination: is less than 10 minutes; make it longer or leave it out");
    }
    if MOST_TAGS < new.custom_tags.len() {
        return invalid("custom_tags: are more than 45; leave some out");
    }
    Ok(())
}

impl From<ClusterSpec> for NewCluster {
    fn from(it: ClusterSpec) -> Self {
        let minutes = it.autotermination_minutes.map(|it| Integer(it.0.saturating_mul(60)));
        Self {
            cluster_name: it.cluster_name,
            driver_node_type_id: it.driver_node_type_id,
            driver_instance_pool_id: it.driver_instance_pool_id,
            instance_pool_id: it.instance_pool_id,
            num_workers: it.num_workers.and_then(Integer::count).unwrap_or_default(),
            autoscale: it.autoscale.map(Into::into),
            autotermination: minutes.and_then(Integer::seconds),
            spark_conf: it.spark_conf,
            spark_env_vars: it.spark_env_vars,
            custom_tags: it.custom_tags,
            init_scripts: it.init_scripts.iter().filter_map(Place::destination).collect(),
            log_destination: it.cluster_log_conf.as_ref().and_then(Place::destination),
            policy_id: it.policy_id,
            data_security_mode: it.data_security_mode,
            single_user_name: it.single_user_name,
            runtime_engine: it.runtime_engine,
            apply_policy_default_values: it.apply_policy_default_values,
            azure_attributes: it.azure_attributes,
            extra: it.extra,
            ..Self::new(it.spark_version, it.node_type_id)
        }
    }
}
