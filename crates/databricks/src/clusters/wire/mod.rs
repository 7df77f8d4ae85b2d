//! JSON exactly as the service writes it. Nothing here leaves this crate.

mod answers;
mod spec;

use serde::{Deserialize, Serialize};

pub(super) use self::answers::{
    EventsResponse, ListResponse, NodeTypesResponse, VersionsResponse, WireCluster, WireZones,
};
pub(crate) use self::spec::ClusterSpec;
use self::spec::WireAutoscale;
use super::{ClusterEventKind, ClusterSize};
use crate::ExtraFields;

#[derive(Serialize)]
pub(super) struct ById<'a> {
    pub(super) cluster_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    #[serde(flatten)]
    pub(super) cluster: ClusterSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idempotency_token: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct EditRequest<'a> {
    pub(super) cluster_id: &'a str,
    #[serde(flatten)]
    pub(super) cluster: ClusterSpec,
}

#[derive(Serialize)]
pub(super) struct UpdateRequest<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) update_mask: String,
    pub(super) cluster: &'a ExtraFields,
}

#[derive(Serialize)]
pub(super) struct RestartRequest<'a> {
    pub(super) cluster_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_user: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct OwnerRequest<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) owner_username: &'a str,
}

#[derive(Serialize)]
pub(super) struct ResizeRequest<'a> {
    cluster_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_workers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    autoscale: Option<WireAutoscale>,
}

impl<'a> ResizeRequest<'a> {
    pub(super) fn new(cluster_id: &'a str, size: ClusterSize) -> Self {
        let (num_workers, autoscale) = match size {
            ClusterSize::Workers(it) => (Some(it), None),
            ClusterSize::Autoscale(it) => (None, Some(it.into())),
        };
        Self { cluster_id, num_workers, autoscale }
    }
}

#[derive(Serialize)]
pub(super) struct EventsRequest<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) order: &'a str,
    pub(super) limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<i64>,
    #[serde(skip_serializing_if = "<[ClusterEventKind]>::is_empty")]
    pub(super) event_types: &'a [ClusterEventKind],
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) cluster_id: String,
}
