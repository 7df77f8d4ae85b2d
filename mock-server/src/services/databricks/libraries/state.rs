use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    executor::Installation,
    kernel::{self, Ctx, Decision, World, WorldId, clock::later, effects::Effect},
    services::databricks::{
        self,
        clusters::{self, Clusters},
        workspace_of,
    },
};

/// How long an installation typically takes.
const INSTALL: Duration = Duration::from_secs(30);

/// What can be installed, as the API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Library {
    Pypi(Package),
    Maven(Maven),
    Cran(Package),
    Jar(String),
    Egg(String),
    Whl(String),
    Requirements(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) package: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repo: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Maven {
    pub(crate) coordinates: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repo: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) exclusions: Vec<String>,
}

/// The libraries of each cluster, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Libraries(BTreeMap<String, Vec<Entry>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(super) library: Library,
    pub(super) status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    /// Until the cluster runs.
    Pending {
        since: OffsetDateTime,
    },
    /// Until then, or until the executor reports.
    Installing {
        ready_at: Option<OffsetDateTime>,
    },
    Installed {
        at: OffsetDateTime,
    },
    Failed {
        at: OffsetDateTime,
        message: String,
    },
    UninstallOnRestart {
        at: OffsetDateTime,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Wanted {
        cluster_id: String,
        library: Library,
        at: OffsetDateTime,
    },
    Installing {
        cluster_id: String,
        library: Library,
        ready_at: Option<OffsetDateTime>,
        epoch: u64,
    },
    Installed {
        cluster_id: String,
        library: Library,
        at: OffsetDateTime,
    },
    Failed {
        cluster_id: String,
        library: Library,
        message: String,
        at: OffsetDateTime,
    },
    Unwanted {
        cluster_id: String,
        library: Library,
        at: OffsetDateTime,
        at_once: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {
    Begin { cluster_id: String, library: Library },
    End { cluster_id: String, library: Library },
}

/// Whether the libraries of a task are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Waiting,
    /// All have been tried; the last one at this time, if there are any.
    Settled(Option<OffsetDateTime>),
    Failed {
        at: OffsetDateTime,
        message: String,
    },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Libraries(event))
}

/// Asks for libraries on a cluster, for the API or for a task. Those that are
/// there stay as they are.
pub(crate) fn decide_install(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    libraries: Vec<Library>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    let known = state.libraries.0.get(cluster_id).map_or(&[][..], Vec::as_slice);
    let is_wanted = |it: &Library| {
        let entry = known.iter().find(|entry| entry.library == *it);
        !entry.is_some_and(|it| {
            !matches!(it.status, Status::Failed { .. } | Status::UninstallOnRestart { .. })
        })
    };
    let wanted = |library| {
        event(workspace, Event::Wanted { cluster_id: cluster_id.to_owned(), library, at: ctx.now })
    };
    Ok((libraries.into_iter().filter(is_wanted).map(wanted).collect(), ()))
}

/// Marks libraries. They stay usable until the cluster restarts.
pub(super) fn decide_uninstall(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    libraries: Vec<Library>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    let at_once = state.clusters.get(cluster_id)?.running_since().is_none();
    let known = state.libraries.0.get(cluster_id).map_or(&[][..], Vec::as_slice);
    let is_known = |it: &Library| known.iter().any(|entry| entry.library == *it);
    let unwanted = |library| {
        let cluster_id = cluster_id.to_owned();
        event(workspace, Event::Unwanted { cluster_id, library, at: ctx.now, at_once })
    };
    Ok((libraries.into_iter().filter(is_known).map(unwanted).collect(), ()))
}

pub(crate) fn decide_due(
    world: &World,
    workspace: u64,
    due: &Due,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let it = match due.clone() {
        Due::Begin { cluster_id, library } => {
            let ready_at = (!ctx.executes).then(|| later(ctx.now, ctx.delay(INSTALL)));
            Event::Installing { cluster_id, library, ready_at, epoch: world.epoch }
        }
        Due::End { cluster_id, library } => Event::Installed { cluster_id, library, at: ctx.now },
    };
    vec![event(workspace, it)]
}

/// Takes in what the executor says of an installation that it was asked for.
pub(crate) fn decide_report(
    world: &World,
    installation: &Installation,
    outcome: Result<(), String>,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let Installation { epoch, workspace, cluster_id, library, .. } = installation;
    let entry = world
        .databricks
        .get(workspace)
        .and_then(|it| it.libraries.0.get(cluster_id)?.iter().find(|it| it.library == *library));
    let is_awaited = entry.is_some_and(|it| it.status == Status::Installing { ready_at: None });
    if *epoch != world.epoch || !is_awaited {
        return Vec::new();
    }
    let (cluster_id, library, at) = (cluster_id.clone(), library.clone(), ctx.now);
    let it = match outcome {
        Ok(()) => Event::Installed { cluster_id, library, at },
        Err(message) => Event::Failed { cluster_id, library, message, at },
    };
    vec![event(*workspace, it)]
}

/// What the mock was installing when it ended is begun again.
pub(crate) fn decide_restart(world: &World, workspace: u64, ctx: &Ctx<'_>) -> Vec<kernel::Event> {
    let Some(state) = world.databricks.get(&workspace) else { return Vec::new() };
    let all = state.libraries.0.iter().flat_map(|(id, them)| them.iter().map(move |it| (id, it)));
    // Installed ones too: the folder that they were in is gone.
    let is_real =
        |it: &Entry| matches!(it.status, Status::Installing { .. } | Status::Installed { .. });
    let begun = all.filter(|(_, it)| ctx.executes && is_real(it)).map(|(cluster_id, it)| {
        let (cluster_id, library) = (cluster_id.clone(), it.library.clone());
        event(workspace, Event::Wanted { cluster_id, library, at: ctx.now })
    });
    begun.collect()
}

pub(crate) fn effect_of(workspace: u64, event: Event) -> Option<Effect> {
    match event {
        Event::Installing { cluster_id, library, ready_at: None, epoch } => {
            let world = WorldId::default();
            let it = Installation { world, epoch, workspace, cluster_id, library };
            Some(Effect::Install(Box::new(it)))
        }
        _ => None,
    }
}

impl Libraries {
    /// Carries out what has been decided. Never refuses, never decides.
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::Wanted { cluster_id, library, at } => {
                self.set(cluster_id, library, Status::Pending { since: at });
            }
            Event::Installing { cluster_id, library, ready_at, .. } => {
                self.set(cluster_id, library, Status::Installing { ready_at });
            }
            Event::Installed { cluster_id, library, at } => {
                self.set(cluster_id, library, Status::Installed { at });
            }
            Event::Failed { cluster_id, library, message, at } => {
                self.set(cluster_id, library, Status::Failed { at, message });
            }
            Event::Unwanted { cluster_id, library, at, at_once: false } => {
                self.set(cluster_id, library, Status::UninstallOnRestart { at });
            }
            Event::Unwanted { cluster_id, library, .. } => {
                self.0.entry(cluster_id).or_default().retain(|it| it.library != library);
            }
        }
    }

    fn set(&mut self, cluster_id: String, library: Library, status: Status) {
        let entries = self.0.entry(cluster_id).or_default();
        match entries.iter_mut().find(|it| it.library == library) {
            Some(it) => it.status = status,
            None => entries.push(Entry { library, status }),
        }
    }

    /// Machines are new after a restart, so everything is installed anew.
    pub(crate) fn follow(&mut self, event: &clusters::Event) {
        let (cluster_id, at) = match event {
            clusters::Event::Restarting { cluster_id, at, .. }
            | clusters::Event::Terminating { cluster_id, at, .. } => (cluster_id, *at),
            clusters::Event::Removed { cluster_id } => {
                self.0.remove(cluster_id);
                return;
            }
            _ => return,
        };
        if let Some(entries) = self.0.get_mut(cluster_id) {
            entries.retain(|it| !matches!(it.status, Status::UninstallOnRestart { .. }));
            for it in entries.iter_mut() {
                it.status = Status::Pending { since: at };
            }
        }
    }

    /// What time alone brings about next, on clusters that run.
    pub(crate) fn next_due(&self, clusters: &Clusters) -> Option<(OffsetDateTime, Due)> {
        let due = |cluster_id: &String, it: &Entry| {
            let (cluster_id, library) = (cluster_id.clone(), it.library.clone());
            match it.status {
                Status::Pending { since } => {
                    let running = clusters.get(&cluster_id).ok()?.running_since()?;
                    Some((running.max(since), Due::Begin { cluster_id, library }))
                }
                Status::Installing { ready_at } => {
                    Some((ready_at?, Due::End { cluster_id, library }))
                }
                _ => None,
            }
        };
        let all = self.0.iter().flat_map(|(id, them)| them.iter().map(move |it| (id, it)));
        all.filter_map(|(id, it)| due(id, it)).min_by_key(|(at, _)| *at)
    }

    /// Whether a task that needs `wanted` can start on a cluster.
    pub(crate) fn readiness(&self, cluster_id: &str, wanted: &[Library]) -> Readiness {
        let mut settled = None;
        for it in self.of(cluster_id) {
            match &it.status {
                Status::Pending { .. } | Status::Installing { .. } => return Readiness::Waiting,
                Status::Failed { at, message } if wanted.contains(&it.library) => {
                    return Readiness::Failed { at: *at, message: message.clone() };
                }
                Status::Installed { at }
                | Status::Failed { at, .. }
                | Status::UninstallOnRestart { at } => settled = settled.max(Some(*at)),
            }
        }
        Readiness::Settled(settled)
    }

    pub(super) fn of(&self, cluster_id: &str) -> &[Entry] {
        self.0.get(cluster_id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &Vec<Entry>)> {
        self.0.iter()
    }
}
