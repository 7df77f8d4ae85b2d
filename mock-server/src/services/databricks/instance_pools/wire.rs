//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{NewPool, Pool};
use crate::{
    kernel::Refusal,
    services::databricks::{Databricks, wire::required},
};

#[derive(Deserialize)]
pub(super) struct PoolBody {
    pub(super) instance_pool_id: Option<String>,
    instance_pool_name: Option<String>,
    node_type_id: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct ById {
    pub(super) instance_pool_id: Option<String>,
}

/// Fields that are numbers, though some clients write texts.
const NUMBERS: &[&str] =
    &["min_idle_instances", "max_capacity", "idle_instance_autotermination_minutes"];

impl PoolBody {
    pub(super) fn read(self) -> Result<NewPool, Refusal> {
        let mut others = self.others;
        others.retain(|_, value| !value.is_null());
        for name in NUMBERS {
            let Some(value) = others.get_mut(*name) else { continue };
            let number = match &*value {
                Value::String(it) => it.parse().ok(),
                other => other.as_i64(),
            };
            let refused = || Refusal::invalid(format!("{name} must be 0 or more, not {value}"));
            *value = json!(number.filter(|it: &i64| 0 <= *it).ok_or_else(refused)?);
        }
        let number = |name: &str| others.get(name).and_then(Value::as_i64);
        if let (Some(least), Some(most)) = (number("min_idle_instances"), number("max_capacity"))
            && most < least
        {
            let text = "min_idle_instances must not exceed max_capacity";
            return Err(Refusal::invalid(text));
        }
        Ok(NewPool {
            name: required(self.instance_pool_name, "instance_pool_name")?,
            node_type_id: required(self.node_type_id, "node_type_id")?,
            others,
        })
    }
}

pub(super) fn describe(state: &Databricks, pool: &Pool) -> Value {
    let used = state.clusters.machines_from(&pool.id);
    let idle = pool.others.get("min_idle_instances").and_then(Value::as_u64).unwrap_or(0);
    let mut it = pool.others.clone();
    let own = json!({
        "instance_pool_id": pool.id, "instance_pool_name": pool.name,
        "node_type_id": pool.node_type_id, "state": "ACTIVE", "status": {},
        "stats": {
            "used_count": used, "idle_count": idle, "pending_used_count": 0,
            "pending_idle_count": 0,
        },
        "default_tags": {
            "Vendor": "Databricks", "DatabricksInstancePoolCreatorId": pool.creator,
            "DatabricksInstancePoolId": pool.id,
        },
    });
    if let Value::Object(own) = own {
        it.extend(own);
    }
    it.entry("min_idle_instances").or_insert(json!(0));
    it.entry("idle_instance_autotermination_minutes").or_insert(json!(60));
    it.entry("enable_elastic_disk").or_insert(json!(true));
    Value::Object(it)
}
