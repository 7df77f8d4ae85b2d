//! Written from the published API reference, never from the client crates.

mod answers;
mod catalogue;
mod lists;

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use self::answers::describe_spec;
use self::catalogue::DEFAULT_NODE_TYPE;
pub(super) use self::{
    answers::{describe, state_name},
    catalogue::{describe_node_types, describe_spark_versions, describe_zones},
    lists::{EventsBody, ListQuery, list},
};
use super::state::{ClusterSpec, Size};
use crate::{
    kernel::Refusal,
    services::databricks::{
        Databricks, policies,
        wire::{number, required},
    },
};

/// The description of a cluster, in a call or in a task.
#[derive(Deserialize)]
pub(crate) struct NewCluster {
    #[serde(default)]
    cluster_name: String,
    spark_version: Option<String>,
    node_type_id: Option<String>,
    driver_node_type_id: Option<String>,
    #[serde(default, deserialize_with = "number")]
    num_workers: Option<i64>,
    autoscale: Option<Autoscale>,
    #[serde(default, deserialize_with = "number")]
    autotermination_minutes: Option<i64>,
    #[serde(default)]
    spark_conf: BTreeMap<String, Value>,
    #[serde(default)]
    spark_env_vars: BTreeMap<String, Value>,
    #[serde(default)]
    custom_tags: BTreeMap<String, String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct Autoscale {
    min_workers: u32,
    max_workers: u32,
}

#[derive(Deserialize)]
pub(super) struct ResizeBody {
    pub(super) cluster_id: Option<String>,
    #[serde(default, deserialize_with = "number")]
    num_workers: Option<i64>,
    autoscale: Option<Autoscale>,
}

#[derive(Deserialize)]
pub(super) struct ByIdBody {
    pub(super) cluster_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UpdateBody {
    pub(super) cluster_id: Option<String>,
    #[serde(default)]
    pub(super) update_mask: String,
    #[serde(default)]
    pub(super) cluster: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct OwnerBody {
    pub(super) cluster_id: Option<String>,
    pub(super) owner_username: Option<String>,
}

fn size(num_workers: Option<i64>, autoscale: Option<&Autoscale>) -> Result<Option<Size>, Refusal> {
    match (num_workers, autoscale) {
        (Some(_), Some(_)) => {
            Err(Refusal::invalid("Only one of num_workers and autoscale may be specified"))
        }
        (Some(it), None) => {
            let refused = || Refusal::invalid(format!("num_workers must be 0 or more, not {it}"));
            u32::try_from(it).map(|it| Some(Size::Fixed(it))).map_err(|_| refused())
        }
        (None, Some(&Autoscale { min_workers: min, max_workers: max })) if min <= max => {
            Ok(Some(Size::Autoscale { min, max }))
        }
        (None, Some(_)) => {
            Err(Refusal::invalid("autoscale.min_workers must not exceed autoscale.max_workers"))
        }
        (None, None) => Ok(None),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(it) => it,
        other => other.to_string(),
    }
}

impl NewCluster {
    /// Checks the description.
    pub(crate) fn into_spec(self) -> Result<ClusterSpec, Refusal> {
        let pool = self.others.get("instance_pool_id");
        let node_type_id = match self.node_type_id {
            None if pool.is_some() => DEFAULT_NODE_TYPE.to_owned(),
            other => required(other, "node_type_id")?,
        };
        let size = size(self.num_workers, self.autoscale.as_ref())?;
        let texts =
            |it: BTreeMap<String, Value>| it.into_iter().map(|(k, v)| (k, text(v))).collect();
        let minutes = self.autotermination_minutes.and_then(|it| u64::try_from(it).ok());
        if minutes.is_some_and(|it| it != 0 && !(10..=43_200).contains(&it)) {
            let text = "The field autotermination_minutes must be 0 or between 10 and 43200";
            return Err(Refusal::invalid(text));
        }
        Ok(ClusterSpec {
            cluster_name: self.cluster_name,
            spark_version: required(self.spark_version, "spark_version")?,
            node_type_id,
            driver_node_type_id: self.driver_node_type_id,
            size: size.unwrap_or_default(),
            autotermination: minutes.filter(|it| *it != 0).map(|it| Duration::from_secs(it * 60)),
            spark_conf: texts(self.spark_conf),
            spark_env_vars: texts(self.spark_env_vars),
            custom_tags: self.custom_tags,
            others: self.others,
        })
    }
}

impl ResizeBody {
    pub(super) fn size(&self) -> Result<Size, Refusal> {
        required(size(self.num_workers, self.autoscale.as_ref())?, "num_workers")
    }
}

/// What a description asks for beside the cluster itself.
const NOT_KEPT: &[&str] = &["apply_policy_default_values", "clone_from"];

/// Reads the description of a cluster. Its policy and its pool have their say.
pub(super) fn read_spec(
    state: &Databricks,
    mut fields: Map<String, Value>,
) -> Result<ClusterSpec, Refusal> {
    fields.retain(|_, value| !value.is_null());
    let takes_defaults = fields.get("apply_policy_default_values").is_some_and(|it| *it == true);
    policies::apply(state, &mut fields, takes_defaults)?;
    for name in NOT_KEPT {
        fields.remove(*name);
    }
    if let Some(pool) = fields.get("instance_pool_id").and_then(Value::as_str) {
        let node_type = state.pools.node_type(pool)?.to_owned();
        let asked = fields.get("node_type_id").and_then(Value::as_str);
        if asked.is_some_and(|it| it != node_type) {
            let text =
                "The field 'node_type_id' cannot be supplied when an instance pool ID is provided.";
            return Err(Refusal::invalid(text));
        }
        fields.insert("node_type_id".into(), json!(node_type));
    }
    if fields.get("custom_tags").and_then(Value::as_object).is_some_and(|it| MOST_TAGS < it.len()) {
        return Err(Refusal::invalid(format!("A cluster has at most {MOST_TAGS} custom tags")));
    }
    let read = serde_json::from_value::<NewCluster>(Value::Object(fields));
    read.map_err(|err| Refusal::malformed(err.to_string()))?.into_spec()
}

const MOST_TAGS: usize = 45;

/// The description after the fields that `mask` names are as in `changes`.
pub(super) fn masked(
    spec: &ClusterSpec,
    changes: &Map<String, Value>,
    mask: &str,
) -> Result<Map<String, Value>, Refusal> {
    let mut fields = describe_spec(spec);
    if let Some(idle) = spec.autotermination {
        fields.insert("autotermination_minutes".into(), json!(idle.as_secs() / 60));
    }
    let names: Vec<&str> = match mask.trim() {
        "" => return Err(Refusal::invalid("Missing required field: update_mask")),
        "*" => {
            fields.clear();
            changes.keys().map(String::as_str).collect()
        }
        mask => mask.split(',').map(str::trim).collect(),
    };
    for name in names {
        let top = name.split('.').next().unwrap_or(name);
        match changes.get(top) {
            Some(value) => fields.insert(top.to_owned(), value.clone()),
            None => fields.remove(top),
        };
        // A cluster is of one size.
        match top {
            "num_workers" if changes.contains_key(top) => drop(fields.remove("autoscale")),
            "autoscale" if changes.contains_key(top) => drop(fields.remove("num_workers")),
            _ => (),
        }
    }
    Ok(fields)
}
