//! Written from the published API reference, never from the client crates.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{Cluster, ClusterSpec, Happening, Size, Source, State, Termination};
use crate::{
    kernel::Refusal,
    services::databricks::wire::{millis, number, required},
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
pub(super) struct CreateBody {
    pub(super) idempotency_token: Option<String>,
    #[serde(flatten)]
    pub(super) cluster: NewCluster,
}

#[derive(Deserialize)]
pub(super) struct EditBody {
    pub(super) cluster_id: Option<String>,
    #[serde(flatten)]
    pub(super) cluster: NewCluster,
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
pub(super) struct ListQuery {
    #[serde(default, deserialize_with = "number")]
    pub(super) page_size: Option<i64>,
    pub(super) page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EventsBody {
    pub(super) cluster_id: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(super) limit: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(super) offset: Option<i64>,
    pub(super) order: Option<String>,
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

/// The description as a client wrote it.
pub(crate) fn describe_spec(spec: &ClusterSpec) -> Map<String, Value> {
    let mut it = Map::new();
    it.extend(spec.others.clone());
    if !spec.cluster_name.is_empty() {
        it.insert("cluster_name".into(), json!(spec.cluster_name));
    }
    it.insert("spark_version".into(), json!(spec.spark_version));
    it.insert("node_type_id".into(), json!(spec.node_type_id));
    if let Some(driver) = &spec.driver_node_type_id {
        it.insert("driver_node_type_id".into(), json!(driver));
    }
    match spec.size {
        Size::Fixed(workers) => it.insert("num_workers".into(), json!(workers)),
        Size::Autoscale { min, max } => {
            it.insert("autoscale".into(), json!({ "min_workers": min, "max_workers": max }))
        }
    };
    for (name, map) in [
        ("spark_conf", &spec.spark_conf),
        ("spark_env_vars", &spec.spark_env_vars),
        ("custom_tags", &spec.custom_tags),
    ] {
        if !map.is_empty() {
            it.insert(name.into(), json!(map));
        }
    }
    it
}

pub(super) fn state_name(state: &State) -> &'static str {
    match state {
        State::Pending { .. } => "PENDING",
        State::Running { .. } => "RUNNING",
        State::Restarting { .. } => "RESTARTING",
        State::Resizing { .. } => "RESIZING",
        State::Terminating { .. } => "TERMINATING",
        State::Terminated => "TERMINATED",
    }
}

fn state_message(cluster: &Cluster) -> String {
    match (&cluster.state, &cluster.terminated) {
        (State::Pending { .. } | State::Restarting { .. }, _) => "Starting Spark".into(),
        (State::Terminating { .. } | State::Terminated, Some((_, reason))) => match reason {
            Termination::User(name) => format!("Terminated by {name}"),
            Termination::Inactivity(after) => {
                format!("Terminated after {} minutes of inactivity", after.as_secs() / 60)
            }
            Termination::JobFinished => "The job that the cluster was made for finished".into(),
        },
        _ => String::new(),
    }
}

fn reason(it: &Termination) -> Value {
    match it {
        Termination::User(name) => json!({
            "code": "USER_REQUEST", "type": "SUCCESS", "parameters": { "username": name },
        }),
        Termination::Inactivity(after) => json!({
            "code": "INACTIVITY", "type": "SUCCESS",
            "parameters": { "inactivity_duration_min": (after.as_secs() / 60).to_string() },
        }),
        Termination::JobFinished => json!({ "code": "JOB_FINISHED", "type": "SUCCESS" }),
    }
}

pub(super) fn describe(cluster: &Cluster) -> Value {
    let mut it = describe_spec(&cluster.spec);
    let spec = &cluster.spec;
    let driver = spec.driver_node_type_id.as_ref().unwrap_or(&spec.node_type_id);
    let minutes = spec.autotermination.map_or(0, |it| it.as_secs() / 60);
    let source = match cluster.source {
        Source::Api => "API",
        Source::Job => "JOB",
    };
    let fields = json!({
        "cluster_id": cluster.cluster_id,
        "cluster_name": spec.cluster_name,
        "driver_node_type_id": driver,
        "autotermination_minutes": minutes,
        "enable_elastic_disk": spec.others.get("enable_elastic_disk").unwrap_or(&json!(true)),
        "cluster_source": source,
        "creator_user_name": cluster.creator,
        "state": state_name(&cluster.state),
        "state_message": state_message(cluster),
        "start_time": millis(cluster.started_at),
        "last_state_loss_time": 0,
        "last_activity_time": millis(cluster.active_at),
        "default_tags": {
            "Vendor": "Databricks", "Creator": cluster.creator,
            "ClusterName": spec.cluster_name, "ClusterId": cluster.cluster_id,
        },
    });
    if let Value::Object(fields) = fields {
        it.extend(fields);
    }
    if cluster.is_ending() {
        if let Some((at, why)) = &cluster.terminated {
            it.insert("terminated_time".into(), json!(millis(*at)));
            it.insert("termination_reason".into(), reason(why));
        }
    } else if cluster.running_since().is_some() {
        let memory =
            node_types().find(|it| it.id == spec.node_type_id).map_or(14_336, |it| it.memory_mb);
        it.insert("cluster_memory_mb".into(), json!(memory));
        it.insert("spark_context_id".into(), json!(millis(cluster.started_at)));
    }
    Value::Object(it)
}

pub(super) fn describe_happening(
    cluster: &Cluster,
    at: time::OffsetDateTime,
    it: &Happening,
) -> Value {
    let kind = match it {
        Happening::Creating => "CREATING",
        Happening::Starting => "STARTING",
        Happening::Restarting => "RESTARTING",
        Happening::Resizing => "RESIZING",
        Happening::Running => "RUNNING",
        Happening::Edited => "EDITED",
        Happening::Terminating => "TERMINATING",
        Happening::Pinned => "PINNED",
        Happening::Unpinned => "UNPINNED",
    };
    let id = &cluster.cluster_id;
    json!({ "cluster_id": id, "timestamp": millis(at), "type": kind, "details": {} })
}

const DEFAULT_NODE_TYPE: &str = "Standard_DS3_v2";

struct NodeType {
    id: &'static str,
    category: &'static str,
    cores: f64,
    memory_mb: u32,
    gpus: u32,
}

fn node_types() -> impl Iterator<Item = NodeType> {
    let node =
        |id, category, cores, memory_mb, gpus| NodeType { id, category, cores, memory_mb, gpus };
    [
        node(DEFAULT_NODE_TYPE, "General Purpose", 4.0, 14_336, 0),
        node("Standard_DS4_v2", "General Purpose", 8.0, 28_672, 0),
        node("Standard_D4s_v3", "General Purpose", 4.0, 16_384, 0),
        node("Standard_F4s", "Compute Optimized", 4.0, 8_192, 0),
        node("Standard_E4s_v3", "Memory Optimized", 4.0, 32_768, 0),
        node("Standard_NC6s_v3", "GPU Accelerated", 6.0, 114_688, 1),
    ]
    .into_iter()
}

pub(super) fn describe_node_types() -> Value {
    let them: Vec<Value> = node_types()
        .map(|it| {
            json!({
                "node_type_id": it.id, "instance_type_id": it.id, "description": it.id,
                "memory_mb": it.memory_mb, "num_cores": it.cores, "num_gpus": it.gpus,
                "category": it.category, "is_deprecated": false, "is_hidden": false,
                "node_instance_type": {
                    "instance_type_id": it.id, "local_disks": 1, "local_disk_size_gb": 28,
                },
                "node_info": { "status": [], "available_core_quota": 350.0, "total_core_quota": 350.0 },
                "support_cluster_tags": true, "support_ebs_volumes": true,
                "photon_driver_capable": false, "photon_worker_capable": false,
            })
        })
        .collect();
    json!({ "node_types": them })
}

pub(super) fn describe_spark_versions() -> Value {
    let version = |key, name| json!({ "key": key, "name": name });
    json!({ "versions": [
        version("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
        version("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
        version("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("15.4.x-cpu-ml-scala2.12", "15.4 LTS ML (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("14.3.x-scala2.12", "14.3 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("13.3.x-scala2.12", "13.3 LTS (includes Apache Spark 3.4.1, Scala 2.12)"),
    ] })
}
