//! JSON exactly as the service writes it. Nothing here leaves this crate.

mod spec;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::spec::ClusterSpec;
use self::spec::WireAutoscale;
use super::{Cluster, ClusterId, TerminationReason};
use crate::wire::Millis;

#[derive(Serialize)]
pub(super) struct ById<'a> {
    pub(super) cluster_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct EditRequest<'a> {
    pub(super) cluster_id: &'a str,
    #[serde(flatten)]
    pub(super) cluster: ClusterSpec,
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) cluster_id: String,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) clusters: Vec<WireCluster>,
    #[serde(default)]
    pub(super) next_page_token: String,
}

#[derive(Deserialize)]
pub(super) struct WireCluster {
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
    num_workers: u32,
    #[serde(default)]
    autoscale: Option<WireAutoscale>,
    #[serde(default)]
    autotermination_minutes: u64,
    #[serde(default)]
    spark_conf: BTreeMap<String, String>,
    #[serde(default)]
    spark_env_vars: BTreeMap<String, String>,
    #[serde(default)]
    custom_tags: BTreeMap<String, String>,
    #[serde(default)]
    creator_user_name: String,
    #[serde(default)]
    start_time: Millis,
    #[serde(default)]
    terminated_time: Millis,
    #[serde(default)]
    termination_reason: Option<WireTerminationReason>,
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

impl From<WireCluster> for Cluster {
    fn from(it: WireCluster) -> Self {
        let minutes = Some(it.autotermination_minutes).filter(|it| *it > 0);
        Cluster {
            cluster_id: ClusterId::new(it.cluster_id),
            cluster_name: it.cluster_name,
            state: it.state.into(),
            state_message: it.state_message,
            spark_version: it.spark_version,
            node_type_id: it.node_type_id,
            num_workers: it.num_workers,
            autoscale: it.autoscale.map(Into::into),
            autotermination: minutes.map(|it| std::time::Duration::from_secs(it * 60)),
            spark_conf: it.spark_conf,
            spark_env_vars: it.spark_env_vars,
            custom_tags: it.custom_tags,
            creator_user_name: it.creator_user_name,
            started_at: it.start_time.instant(),
            terminated_at: it.terminated_time.instant(),
            termination_reason: it.termination_reason.map(|it| TerminationReason {
                code: it.code,
                kind: it.kind,
                parameters: it.parameters,
            }),
        }
    }
}
