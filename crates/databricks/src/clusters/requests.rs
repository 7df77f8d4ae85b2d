//! What is asked of clusters, other than their definition.

use std::{collections::BTreeMap, time::Duration};

use azml_core::Result;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{Autoscale, ClusterEventKind, ClusterSource, ClusterState};
use crate::ExtraFields;

/// How large a cluster is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterSize {
    /// So many workers beside the driver.
    Workers(u32),
    /// As many as the service chooses.
    Autoscale(Autoscale),
}

impl ClusterSize {
    /// As many workers as the service chooses between the two.
    pub fn autoscale(min_workers: u32, max_workers: u32) -> Self {
        Self::Autoscale(Autoscale { min_workers, max_workers })
    }
}

/// What to change in the definition of a cluster. What is not named stays.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ClusterUpdate {
    /// The fields that change, by their names on the wire.
    pub fields: ExtraFields,
    /// The fields that go away, by their names on the wire.
    pub removed: Vec<String>,
}

impl ClusterUpdate {
    fn set(mut self, name: &str, value: &serde_json::Value) -> Self {
        // A JSON value can always be written as JSON.
        let _ = self.fields.insert(name, value);
        self
    }

    /// Sets the name.
    #[must_use]
    pub fn with_cluster_name(self, name: impl Into<String>) -> Self {
        self.set("cluster_name", &json!(name.into()))
    }

    /// Sets how many workers it has.
    #[must_use]
    pub fn with_size(self, size: ClusterSize) -> Self {
        match size {
            ClusterSize::Workers(it) => self.set("num_workers", &json!(it)),
            ClusterSize::Autoscale(Autoscale { min_workers, max_workers }) => {
                let bounds = json!({ "min_workers": min_workers, "max_workers": max_workers });
                self.set("autoscale", &bounds)
            }
        }
    }

    /// Sets the idle time after which it is terminated, in whole minutes.
    #[must_use]
    pub fn with_autotermination(self, idle: Duration) -> Self {
        self.set("autotermination_minutes", &json!(idle.as_secs() / 60))
    }

    /// Replaces the tags.
    #[must_use]
    pub fn with_custom_tags(self, tags: &BTreeMap<String, String>) -> Self {
        self.set("custom_tags", &json!(tags))
    }

    /// Replaces the settings of Spark.
    #[must_use]
    pub fn with_spark_conf(self, conf: &BTreeMap<String, String>) -> Self {
        self.set("spark_conf", &json!(conf))
    }

    /// Sets any field by its name on the wire.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `value`
    /// cannot be written as JSON.
    pub fn with_field(mut self, name: impl Into<String>, value: impl Serialize) -> Result<Self> {
        self.fields.insert(name, value)?;
        Ok(self)
    }

    /// Takes a field away.
    #[must_use]
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.removed.push(name.into());
        self
    }
}

word_enum! {
    /// By what clusters are sorted.
    ClusterSort {
        /// By name.
        Name = "CLUSTER_NAME",
        /// As the service likes.
        Default = "DEFAULT",
    }
}

/// Which clusters to list, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterFilter {
    /// Only those in one of these states. Empty stands for all.
    pub states: Vec<ClusterState>,
    /// Only those that came about like this. Empty stands for all.
    pub sources: Vec<ClusterSource>,
    /// Only those that are pinned, or that are not.
    pub is_pinned: Option<bool>,
    /// Only those of one policy.
    pub policy_id: Option<String>,
    /// In which order. `None` is as the service likes.
    pub sort_by: Option<ClusterSort>,
    /// Whether the order is turned round.
    pub is_descending: bool,
}

impl ClusterFilter {
    /// Takes also the clusters in this state.
    #[must_use]
    pub fn with_state(mut self, state: ClusterState) -> Self {
        self.states.push(state);
        self
    }

    /// Takes also the clusters that came about like this.
    #[must_use]
    pub fn with_source(mut self, source: ClusterSource) -> Self {
        self.sources.push(source);
        self
    }

    /// Takes only those that are pinned, or only those that are not.
    #[must_use]
    pub fn with_pinned(self, is_pinned: bool) -> Self {
        Self { is_pinned: Some(is_pinned), ..self }
    }

    /// Takes only those of one policy.
    #[must_use]
    pub fn with_policy_id(self, policy_id: impl Into<String>) -> Self {
        Self { policy_id: Some(policy_id.into()), ..self }
    }

    /// Sorts them.
    #[must_use]
    pub fn sorted_by(self, sort_by: ClusterSort) -> Self {
        Self { sort_by: Some(sort_by), ..self }
    }

    /// Turns the order round.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { is_descending: true, ..self }
    }
}

/// Which events to list. The newest is first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventFilter {
    /// Only these kinds. Empty stands for all.
    pub kinds: Vec<ClusterEventKind>,
    /// Only what happened then or later.
    pub from: Option<OffsetDateTime>,
    /// Only what happened then or earlier.
    pub to: Option<OffsetDateTime>,
    /// Whether the oldest is first.
    pub is_ascending: bool,
}

impl EventFilter {
    /// Takes also events of this kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ClusterEventKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Takes only what happened then or later.
    #[must_use]
    pub fn with_from(self, at: OffsetDateTime) -> Self {
        Self { from: Some(at), ..self }
    }

    /// Takes only what happened then or earlier.
    #[must_use]
    pub fn with_to(self, at: OffsetDateTime) -> Self {
        Self { to: Some(at), ..self }
    }

    /// Begins with the oldest.
    #[must_use]
    pub fn ascending(self) -> Self {
        Self { is_ascending: true, ..self }
    }
}
