use std::collections::BTreeMap;

use serde::Deserialize;

use super::spec::{ClusterSpec, WireAutoscale};
use crate::{
    ExtraFields,
    clusters::{
        Cluster, ClusterEvent, ClusterId, NewCluster, NodeType, SparkVersion, TerminationReason,
        Zones,
    },
    wire::{Integer, Millis},
};

#[derive(Deserialize)]
pub(in super::super) struct ListResponse {
    #[serde(default)]
    pub(in super::super) clusters: Vec<WireCluster>,
    #[serde(default)]
    pub(in super::super) next_page_token: String,
}

#[derive(Deserialize)]
pub(in super::super) struct WireCluster {
    cluster_id: String,
    state: String,
    #[serde(default)]
    cluster_name: String,
    #[serde(default)]
    state_message: String,
    #[serde(default)]
    spark_version: String,
    #[serde(default)]
    node_type_id: String,
    #[serde(default)]
    driver_node_type_id: Option<String>,
    #[serde(default)]
    instance_pool_id: Option<String>,
    #[serde(default)]
    policy_id: Option<String>,
    #[serde(default)]
    num_workers: Integer,
    #[serde(default)]
    autoscale: Option<WireAutoscale>,
    #[serde(default)]
    autotermination_minutes: Integer,
    #[serde(default)]
    spark_conf: BTreeMap<String, String>,
    #[serde(default)]
    spark_env_vars: BTreeMap<String, String>,
    #[serde(default)]
    custom_tags: BTreeMap<String, String>,
    #[serde(default)]
    default_tags: BTreeMap<String, String>,
    #[serde(default)]
    cluster_source: Option<String>,
    #[serde(default)]
    creator_user_name: String,
    #[serde(default)]
    single_user_name: Option<String>,
    #[serde(default)]
    cluster_cores: Option<f64>,
    #[serde(default)]
    cluster_memory_mb: Option<Integer>,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    last_restarted_time: Millis,
    #[serde(default)]
    terminated_time: Millis,
    #[serde(default)]
    termination_reason: Option<WireTerminationReason>,
    #[serde(default)]
    spec: Option<ClusterSpec>,
}

#[derive(Deserialize)]
struct WireTerminationReason {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl From<WireTerminationReason> for TerminationReason {
    fn from(it: WireTerminationReason) -> Self {
        Self { code: it.code, kind: it.kind, parameters: it.parameters }
    }
}

/// A number that is never negative. What cannot be is 0.
fn amount(it: Integer) -> u64 {
    u64::try_from(it.0).unwrap_or_default()
}

impl From<WireCluster> for Cluster {
    fn from(it: WireCluster) -> Self {
        let idle = Integer(it.autotermination_minutes.0.saturating_mul(60)).seconds();
        Self {
            cluster_id: ClusterId::new(it.cluster_id),
            cluster_name: it.cluster_name,
            state: it.state.into(),
            state_message: it.state_message,
            spark_version: it.spark_version,
            node_type_id: it.node_type_id,
            driver_node_type_id: it.driver_node_type_id,
            instance_pool_id: it.instance_pool_id,
            policy_id: it.policy_id,
            num_workers: it.num_workers.count().unwrap_or_default(),
            autoscale: it.autoscale.map(Into::into),
            autotermination: idle,
            spark_conf: it.spark_conf,
            spark_env_vars: it.spark_env_vars,
            custom_tags: it.custom_tags,
            default_tags: it.default_tags,
            source: it.cluster_source.map(Into::into),
            creator_user_name: it.creator_user_name,
            single_user_name: it.single_user_name,
            num_cores: it.cluster_cores,
            memory_mib: it.cluster_memory_mb.map(amount),
            started_at: it.start_time.instant(),
            restarted_at: it.last_restarted_time.instant(),
            terminated_at: it.terminated_time.instant(),
            termination_reason: it.termination_reason.map(Into::into),
            spec: it.spec.map(NewCluster::from),
        }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct EventsResponse {
    #[serde(default)]
    pub(in super::super) events: Vec<WireEvent>,
    /// The request for what comes next.
    #[serde(default)]
    pub(in super::super) next_page: Option<NextPage>,
}

#[derive(Deserialize)]
pub(in super::super) struct NextPage {
    #[serde(default)]
    pub(in super::super) offset: Integer,
}

#[derive(Deserialize)]
pub(in super::super) struct WireEvent {
    cluster_id: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    timestamp: Millis,
    #[serde(default)]
    details: WireDetails,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireDetails {
    user: Option<String>,
    cause: Option<String>,
    current_num_workers: Option<Integer>,
    target_num_workers: Option<Integer>,
    reason: Option<WireTerminationReason>,
    #[serde(flatten)]
    rest: ExtraFields,
}

impl From<WireEvent> for ClusterEvent {
    fn from(it: WireEvent) -> Self {
        Self {
            cluster_id: ClusterId::new(it.cluster_id),
            kind: it.kind.into(),
            at: it.timestamp.instant(),
            user: it.details.user,
            cause: it.details.cause,
            current_num_workers: it.details.current_num_workers.and_then(Integer::count),
            target_num_workers: it.details.target_num_workers.and_then(Integer::count),
            reason: it.details.reason.map(Into::into),
            details: it.details.rest,
        }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct NodeTypesResponse {
    #[serde(default)]
    pub(in super::super) node_types: Vec<WireNodeType>,
}

#[derive(Deserialize)]
pub(in super::super) struct WireNodeType {
    node_type_id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    num_cores: f64,
    #[serde(default)]
    memory_mb: Integer,
    #[serde(default)]
    num_gpus: Integer,
    #[serde(default)]
    node_instance_type: Option<InstanceType>,
    #[serde(default)]
    node_info: Option<NodeInfo>,
    #[serde(default)]
    is_deprecated: bool,
}

#[derive(Deserialize)]
struct InstanceType {
    #[serde(default)]
    local_disks: Integer,
}

#[derive(Deserialize)]
struct NodeInfo {
    #[serde(default)]
    status: Vec<String>,
}

impl From<WireNodeType> for NodeType {
    fn from(it: WireNodeType) -> Self {
        let disks = it.node_instance_type.and_then(|it| it.local_disks.count());
        Self {
            node_type_id: it.node_type_id,
            description: it.description,
            category: it.category,
            num_cores: it.num_cores,
            memory_mib: amount(it.memory_mb),
            num_gpus: it.num_gpus.count().unwrap_or_default(),
            local_disks: disks.unwrap_or_default(),
            is_deprecated: it.is_deprecated,
            unavailable: it.node_info.map(|it| it.status).unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct VersionsResponse {
    #[serde(default)]
    pub(in super::super) versions: Vec<WireVersion>,
}

#[derive(Deserialize)]
pub(in super::super) struct WireVersion {
    key: String,
    #[serde(default)]
    name: String,
}

impl From<WireVersion> for SparkVersion {
    fn from(it: WireVersion) -> Self {
        Self { key: it.key, name: it.name }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct WireZones {
    #[serde(default)]
    zones: Vec<String>,
    #[serde(default)]
    default_zone: Option<String>,
}

impl From<WireZones> for Zones {
    fn from(it: WireZones) -> Self {
        Self { zones: it.zones, default_zone: it.default_zone }
    }
}
