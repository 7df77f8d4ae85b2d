pub(super) mod rules;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    kernel::{Refusal, clock::later},
    services::databricks::jobs::Jobs,
};

/// How long a terminated cluster is kept that is not pinned.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The clusters of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Clusters {
    all: BTreeMap<String, Cluster>,
    /// Which cluster was made for which idempotency token.
    by_token: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Cluster {
    pub(crate) cluster_id: String,
    pub(crate) spec: ClusterSpec,
    pub(crate) creator: String,
    pub(crate) source: Source,
    pub(crate) pinned: bool,
    /// When it was created, or last started.
    pub(crate) started_at: OffsetDateTime,
    pub(crate) restarted_at: Option<OffsetDateTime>,
    pub(crate) state: State,
    /// When it last did something for somebody.
    pub(crate) active_at: OffsetDateTime,
    pub(crate) terminated: Option<(OffsetDateTime, Termination)>,
    /// What happened to it, oldest first.
    pub(crate) history: Vec<(OffsetDateTime, Happening)>,
}

/// What a client may choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClusterSpec {
    pub(crate) cluster_name: String,
    pub(crate) spark_version: String,
    pub(crate) node_type_id: String,
    pub(crate) driver_node_type_id: Option<String>,
    pub(crate) size: Size,
    pub(crate) autotermination: Option<Duration>,
    pub(crate) spark_conf: BTreeMap<String, String>,
    pub(crate) spark_env_vars: BTreeMap<String, String>,
    pub(crate) custom_tags: BTreeMap<String, String>,
    /// What is given back as it came.
    pub(crate) others: BTreeMap<String, Value>,
}

impl ClusterSpec {
    /// The pool that its machines come from.
    pub(crate) fn pool(&self) -> Option<&str> {
        self.others.get("instance_pool_id").and_then(Value::as_str)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Size {
    Fixed(u32),
    Autoscale { min: u32, max: u32 },
}

impl Size {
    /// The workers that it has at rest.
    pub(crate) fn workers(self) -> u32 {
        match self {
            Self::Fixed(it) | Self::Autoscale { min: it, .. } => it,
        }
    }
}

impl Default for Size {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// Who asked for it: a client, or a job that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    Api,
    Job,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Pending { ready_at: OffsetDateTime },
    Running { since: OffsetDateTime },
    Restarting { ready_at: OffsetDateTime },
    Resizing { ready_at: OffsetDateTime },
    Terminating { done_at: OffsetDateTime },
    Terminated,
}

/// Why a cluster ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Termination {
    User(String),
    Inactivity(Duration),
    JobFinished,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Happening {
    Creating,
    Starting,
    Restarting,
    Resizing { from: Size, to: Size },
    Running,
    Edited,
    Terminating(Termination),
    Pinned,
    Unpinned,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Created {
        cluster_id: String,
        spec: Box<ClusterSpec>,
        creator: String,
        source: Source,
        idempotency_token: Option<String>,
        at: OffsetDateTime,
        ready_at: OffsetDateTime,
    },
    Edited {
        cluster_id: String,
        spec: Box<ClusterSpec>,
        at: OffsetDateTime,
    },
    Starting {
        cluster_id: String,
        at: OffsetDateTime,
        ready_at: OffsetDateTime,
    },
    Restarting {
        cluster_id: String,
        at: OffsetDateTime,
        ready_at: OffsetDateTime,
    },
    Resizing {
        cluster_id: String,
        size: Size,
        at: OffsetDateTime,
        ready_at: OffsetDateTime,
    },
    Ran {
        cluster_id: String,
        at: OffsetDateTime,
    },
    Terminating {
        cluster_id: String,
        reason: Termination,
        at: OffsetDateTime,
        done_at: OffsetDateTime,
    },
    Terminated {
        cluster_id: String,
        at: OffsetDateTime,
    },
    Removed {
        cluster_id: String,
    },
    OwnerChanged {
        cluster_id: String,
        owner: String,
    },
    Pinned {
        cluster_id: String,
        pinned: bool,
        at: OffsetDateTime,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {
    Ready(String),
    Gone(String),
    Idle(String),
    /// Terminated so long ago that it is forgotten.
    Expired(String),
}

impl Cluster {
    /// Since when tasks can run on it.
    pub(crate) fn running_since(&self) -> Option<OffsetDateTime> {
        match self.state {
            State::Running { since } => Some(since),
            // It keeps working while it grows or shrinks.
            State::Resizing { .. } => Some(self.active_at),
            _ => None,
        }
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Terminating { .. } | State::Terminated)
    }
}

impl Clusters {
    /// Carries out what has been decided. Never refuses, never decides.
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::Created {
                cluster_id,
                spec,
                creator,
                source,
                idempotency_token,
                at,
                ready_at,
            } => {
                if let Some(token) = idempotency_token {
                    self.by_token.insert(token, cluster_id.clone());
                }
                let cluster = Cluster {
                    cluster_id: cluster_id.clone(),
                    spec: *spec,
                    creator,
                    source,
                    pinned: false,
                    started_at: at,
                    restarted_at: None,
                    state: State::Pending { ready_at },
                    active_at: at,
                    terminated: None,
                    history: vec![(at, Happening::Creating)],
                };
                self.all.insert(cluster_id, cluster);
            }
            Event::Edited { cluster_id, spec, at } => self.change(&cluster_id, at, |it| {
                it.spec = *spec;
                Happening::Edited
            }),
            Event::Starting { cluster_id, at, ready_at } => self.change(&cluster_id, at, |it| {
                (it.started_at, it.terminated) = (at, None);
                it.state = State::Pending { ready_at };
                Happening::Starting
            }),
            Event::Restarting { cluster_id, at, ready_at } => self.change(&cluster_id, at, |it| {
                it.restarted_at = Some(at);
                it.state = State::Restarting { ready_at };
                Happening::Restarting
            }),
            Event::Resizing { cluster_id, size, at, ready_at } => {
                self.change(&cluster_id, at, |it| {
                    let from = std::mem::replace(&mut it.spec.size, size);
                    it.state = State::Resizing { ready_at };
                    Happening::Resizing { from, to: size }
                });
            }
            Event::Ran { cluster_id, at } => self.change(&cluster_id, at, |it| {
                it.state = State::Running { since: at };
                Happening::Running
            }),
            Event::Terminating { cluster_id, reason, at, done_at } => {
                self.change(&cluster_id, at, |it| {
                    it.terminated = Some((at, reason.clone()));
                    it.state = State::Terminating { done_at };
                    Happening::Terminating(reason)
                });
            }
            Event::Terminated { cluster_id, .. } => {
                self.all.entry(cluster_id).and_modify(|it| it.state = State::Terminated);
            }
            Event::Removed { cluster_id } => drop(self.all.remove(&cluster_id)),
            Event::OwnerChanged { cluster_id, owner } => {
                self.all.entry(cluster_id).and_modify(|it| it.creator = owner);
            }
            Event::Pinned { cluster_id, pinned, at } => self.change(&cluster_id, at, |it| {
                it.pinned = pinned;
                if pinned { Happening::Pinned } else { Happening::Unpinned }
            }),
        }
    }

    fn change(
        &mut self,
        cluster_id: &str,
        at: OffsetDateTime,
        how: impl FnOnce(&mut Cluster) -> Happening,
    ) {
        if let Some(cluster) = self.all.get_mut(cluster_id) {
            let happening = how(cluster);
            cluster.history.push((at, happening));
            cluster.active_at = at;
        }
    }

    /// A task ended on this cluster.
    pub(crate) fn was_used(&mut self, cluster_id: &str, at: OffsetDateTime) {
        if let Some(cluster) = self.all.get_mut(cluster_id) {
            cluster.active_at = cluster.active_at.max(at);
        }
    }

    /// What time alone brings about next. A cluster is idle when no task uses it.
    pub(crate) fn next_due(&self, jobs: &Jobs) -> Option<(OffsetDateTime, Due)> {
        let due = |it: &Cluster| {
            let id = || it.cluster_id.clone();
            match it.state {
                State::Pending { ready_at }
                | State::Restarting { ready_at }
                | State::Resizing { ready_at } => Some((ready_at, Due::Ready(id()))),
                State::Terminating { done_at } => Some((done_at, Due::Gone(id()))),
                State::Running { .. } => {
                    let idle = it.spec.autotermination.filter(|_| !jobs.uses(&it.cluster_id))?;
                    Some((later(it.active_at, idle), Due::Idle(id())))
                }
                State::Terminated => {
                    let (ended_at, _) = it.terminated.as_ref().filter(|_| !it.pinned)?;
                    Some((later(*ended_at, KEPT), Due::Expired(id())))
                }
            }
        };
        self.all.values().filter_map(due).min_by_key(|(at, _)| *at)
    }

    pub(crate) fn get(&self, cluster_id: &str) -> Result<&Cluster, Refusal> {
        let missing = || Refusal::invalid(format!("Cluster {cluster_id} does not exist"));
        self.all.get(cluster_id).ok_or_else(missing)
    }

    /// How many machines of a pool are in use.
    pub(crate) fn machines_from(&self, pool_id: &str) -> u32 {
        let is_from = |it: &&Cluster| it.spec.pool() == Some(pool_id) && !it.is_ending();
        self.all.values().filter(is_from).map(|it| 1 + it.spec.size.workers()).sum()
    }

    /// How many clusters somebody has under a policy.
    pub(crate) fn under_policy(&self, policy_id: &str, user: &str) -> u64 {
        let is_under = |it: &&Cluster| {
            let policy = it.spec.others.get("policy_id").and_then(Value::as_str);
            policy == Some(policy_id) && it.creator == user && !it.is_ending()
        };
        self.all.values().filter(is_under).map(|_| 1).sum()
    }

    /// The cluster that a token has made, as long as it is not terminated.
    pub(super) fn made_for(&self, token: &str) -> Option<&str> {
        let id = self.by_token.get(token)?;
        self.all.get(id).filter(|it| !it.is_ending()).map(|_| id.as_str())
    }

    /// All clusters, the one that did something last first.
    pub(super) fn latest_first(&self) -> Vec<&Cluster> {
        let mut them: Vec<&Cluster> = self.all.values().collect();
        them.sort_by_key(|it| std::cmp::Reverse(it.started_at));
        them
    }
}
