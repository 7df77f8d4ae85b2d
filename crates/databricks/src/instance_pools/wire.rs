//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{InstancePool, PoolDefinition, PoolStats};
use crate::{ExtraFields, clusters::AzureAttributes, wire::Integer};

/// What can be edited.
#[derive(Serialize, Deserialize)]
pub(super) struct Editable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance_pool_id: Option<String>,
    #[serde(default)]
    instance_pool_name: String,
    #[serde(default)]
    node_type_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_idle_instances: Option<Integer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_capacity: Option<Integer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle_instance_autotermination_minutes: Option<Integer>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    custom_tags: BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    #[serde(flatten)]
    editable: Editable,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    preloaded_spark_versions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_elastic_disk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_attributes: Option<&'a AzureAttributes>,
    #[serde(flatten)]
    extra: &'a ExtraFields,
}

impl Editable {
    /// Checks `it` and writes down what can be edited.
    pub(super) fn new(
        operation: &'static str,
        id: Option<&str>,
        it: &PoolDefinition,
    ) -> Result<Self> {
        let invalid = |reason: &str| Err(Error::invalid(operation, reason));
        if !(1..=100).contains(&it.name.chars().count()) {
            return invalid("name: has not 1 to 100 characters; give it such a name");
        }
        if it.node_type_id.is_empty() {
            return invalid("node_type_id: is empty; give a VM size such as Standard_DS3_v2");
        }
        if it.max_capacity.is_some_and(|most| most < it.min_idle_instances.unwrap_or_default()) {
            return invalid("min_idle_instances: is more than max_capacity; lower it");
        }
        if 1 < it.preloaded_spark_versions.len() {
            return invalid("preloaded_spark_versions: are more than 1; choose one");
        }
        let minutes = |it: std::time::Duration| i64::try_from(it.as_secs() / 60);
        Ok(Self {
            instance_pool_id: id.map(str::to_owned),
            instance_pool_name: it.name.clone(),
            node_type_id: it.node_type_id.clone(),
            min_idle_instances: it.min_idle_instances.map(Into::into),
            max_capacity: it.max_capacity.map(Into::into),
            idle_instance_autotermination_minutes: it
                .idle_timeout
                .map(|it| Integer(minutes(it).unwrap_or(i64::MAX))),
            custom_tags: it.custom_tags.clone(),
        })
    }
}

impl<'a> CreateRequest<'a> {
    pub(super) fn new(operation: &'static str, it: &'a PoolDefinition) -> Result<Self> {
        Ok(Self {
            editable: Editable::new(operation, None, it)?,
            preloaded_spark_versions: &it.preloaded_spark_versions,
            enable_elastic_disk: it.enable_elastic_disk,
            azure_attributes: it.azure_attributes.as_ref(),
            extra: &it.extra,
        })
    }
}

#[derive(Serialize)]
pub(super) struct ById<'a> {
    pub(super) instance_pool_id: &'a str,
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) instance_pool_id: String,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) instance_pools: Vec<WirePool>,
}

#[derive(Deserialize)]
pub(super) struct WirePool {
    #[serde(default)]
    state: String,
    #[serde(default)]
    stats: WireStats,
    #[serde(default)]
    default_tags: BTreeMap<String, String>,
    #[serde(default)]
    preloaded_spark_versions: Vec<String>,
    #[serde(default)]
    enable_elastic_disk: Option<bool>,
    #[serde(default)]
    azure_attributes: Option<AzureAttributes>,
    #[serde(flatten)]
    editable: Editable,
    #[serde(flatten)]
    extra: ExtraFields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names of the service")]
struct WireStats {
    used_count: Integer,
    idle_count: Integer,
    pending_used_count: Integer,
    pending_idle_count: Integer,
}

impl From<WirePool> for InstancePool {
    fn from(it: WirePool) -> Self {
        let count = |it: Integer| it.count().unwrap_or_default();
        let own = it.editable;
        let minutes = own.idle_instance_autotermination_minutes;
        let definition = PoolDefinition {
            name: own.instance_pool_name,
            node_type_id: own.node_type_id,
            min_idle_instances: own.min_idle_instances.and_then(Integer::count),
            max_capacity: own.max_capacity.and_then(Integer::count),
            idle_timeout: minutes.map(|it| Integer(it.0.saturating_mul(60_000)).millis()),
            custom_tags: own.custom_tags,
            preloaded_spark_versions: it.preloaded_spark_versions,
            enable_elastic_disk: it.enable_elastic_disk,
            azure_attributes: it.azure_attributes,
            extra: it.extra,
        };
        let stats = PoolStats {
            used: count(it.stats.used_count),
            idle: count(it.stats.idle_count),
            pending_used: count(it.stats.pending_used_count),
            pending_idle: count(it.stats.pending_idle_count),
        };
        Self {
            instance_pool_id: own.instance_pool_id.unwrap_or_default().into(),
            definition,
            state: it.state.into(),
            stats,
            default_tags: it.default_tags,
        }
    }
}
