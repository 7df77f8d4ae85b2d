use std::time::Duration;

use super::{Cluster, ClusterSpec, Due, Event, Size, Source, State, Termination};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World, clock::later, effects::Effect},
    services::databricks::{self, jobs, workspace_of},
};

// How long machines typically take.
const START: Duration = Duration::from_secs(4 * 60);
const RESTART: Duration = Duration::from_secs(2 * 60);
const RESIZE: Duration = Duration::from_secs(60);
const TERMINATE: Duration = Duration::from_secs(20);

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Clusters(event))
}

fn wrong_state(cluster: &Cluster, wanted: &str) -> Refusal {
    let (id, state) = (&cluster.cluster_id, super::super::wire::state_name(&cluster.state));
    let text = format!("Cluster {id} is in unexpected state {state}, not {wanted}");
    Refusal::invalid(text).with_code("INVALID_STATE")
}

/// Creates a cluster, for whoever asks: the API, or a task that has none.
pub(crate) fn decide_create(
    world: &World,
    workspace: u64,
    spec: ClusterSpec,
    creator: String,
    source: Source,
    idempotency_token: Option<String>,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let clusters = &workspace_of(world, workspace)?.clusters;
    if let Some(id) = idempotency_token.as_deref().and_then(|it| clusters.made_for(it)) {
        return Ok((Vec::new(), id.to_owned()));
    }
    let now = ctx.now;
    let cluster_id = format!(
        "{:02}{:02}-{:02}{:02}{:02}-mock{:04}",
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
        ctx.draw_id()
    );
    let created = Event::Created {
        cluster_id: cluster_id.clone(),
        spec: Box::new(spec),
        creator,
        source,
        idempotency_token,
        at: now,
        ready_at: later(now, ctx.delay(START)),
    };
    Ok((vec![event(workspace, created)], cluster_id))
}

/// Starts a terminated cluster.
pub(crate) fn decide_start(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if cluster.state != State::Terminated {
        return Err(wrong_state(cluster, "Terminated"));
    }
    let ready_at = later(ctx.now, ctx.delay(START));
    let starting = Event::Starting { cluster_id: cluster_id.to_owned(), at: ctx.now, ready_at };
    Ok((vec![event(workspace, starting)], ()))
}

/// Restarts a running cluster. What runs on it fails.
pub(in super::super) fn decide_restart(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if cluster.running_since().is_none() {
        return Err(wrong_state(cluster, "Running"));
    }
    Ok((restart_events(world, workspace, cluster_id, ctx), ()))
}

fn restart_events(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let mut events = jobs::decide_cluster_lost(world, workspace, cluster_id, ctx);
    let ready_at = later(ctx.now, ctx.delay(RESTART));
    let restarting = Event::Restarting { cluster_id: cluster_id.to_owned(), at: ctx.now, ready_at };
    events.push(event(workspace, restarting));
    events
}

/// Replaces the description of a cluster; a running one restarts with it.
pub(in super::super) fn decide_edit(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    spec: ClusterSpec,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    let edited =
        Event::Edited { cluster_id: cluster_id.to_owned(), spec: Box::new(spec), at: ctx.now };
    let mut events = vec![event(workspace, edited)];
    match cluster.state {
        State::Running { .. } => events.extend(restart_events(world, workspace, cluster_id, ctx)),
        State::Terminated => (),
        _ => return Err(wrong_state(cluster, "Running or Terminated")),
    }
    Ok((events, ()))
}

/// Changes the number of workers of a running cluster.
pub(in super::super) fn decide_resize(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    size: Size,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if !matches!(cluster.state, State::Running { .. }) {
        return Err(wrong_state(cluster, "Running"));
    }
    let (at, ready_at) = (ctx.now, later(ctx.now, ctx.delay(RESIZE)));
    let resizing = Event::Resizing { cluster_id: cluster_id.to_owned(), size, at, ready_at };
    Ok((vec![event(workspace, resizing)], ()))
}

/// Terminates a cluster. What runs on it fails. One that is terminated stays so.
pub(crate) fn decide_terminate(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    reason: Termination,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if cluster.is_ending() {
        return Ok((Vec::new(), ()));
    }
    // A job that has finished has let go of its cluster.
    let mut events = match reason {
        Termination::JobFinished => Vec::new(),
        _ => jobs::decide_cluster_lost(world, workspace, cluster_id, ctx),
    };
    let (at, done_at) = (ctx.now, later(ctx.now, ctx.delay(TERMINATE)));
    let cluster_id = cluster_id.to_owned();
    events.push(event(workspace, Event::Terminating { cluster_id, reason, at, done_at }));
    Ok((events, ()))
}

/// Removes a cluster for good.
pub(in super::super) fn decide_remove(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if cluster.pinned {
        let text = format!("Cluster {cluster_id} is pinned. Unpin it first.");
        return Err(Refusal::invalid(text).with_code("INVALID_STATE"));
    }
    let mut events = jobs::decide_cluster_lost(world, workspace, cluster_id, ctx);
    events.push(event(workspace, Event::Removed { cluster_id: cluster_id.to_owned() }));
    Ok((events, ()))
}

pub(in super::super) fn decide_pin(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    pinned: bool,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let cluster = workspace_of(world, workspace)?.clusters.get(cluster_id)?;
    if cluster.pinned == pinned {
        return Ok((Vec::new(), ()));
    }
    let cluster_id = cluster_id.to_owned();
    Ok((vec![event(workspace, Event::Pinned { cluster_id, pinned, at: ctx.now })], ()))
}

/// Gives a terminated cluster to somebody else.
pub(in super::super) fn decide_change_owner(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    owner: String,
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    let cluster = state.clusters.get(cluster_id)?;
    if cluster.state != State::Terminated {
        return Err(wrong_state(cluster, "Terminated"));
    }
    if state.principals.get(&owner).is_none() {
        return Err(Refusal::invalid(format!("User {owner} does not exist")));
    }
    let cluster_id = cluster_id.to_owned();
    Ok((vec![event(workspace, Event::OwnerChanged { cluster_id, owner })], ()))
}

pub(crate) fn decide_due(
    world: &World,
    workspace: u64,
    due: &Due,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let at = ctx.now;
    match due {
        Due::Ready(cluster_id) => {
            vec![event(workspace, Event::Ran { cluster_id: cluster_id.clone(), at })]
        }
        Due::Gone(cluster_id) => {
            vec![event(workspace, Event::Terminated { cluster_id: cluster_id.clone(), at })]
        }
        Due::Expired(cluster_id) => {
            vec![event(workspace, Event::Removed { cluster_id: cluster_id.clone() })]
        }
        Due::Idle(cluster_id) => {
            let cluster = workspace_of(world, workspace).and_then(|it| it.clusters.get(cluster_id));
            let idle = cluster.ok().and_then(|it| it.spec.autotermination).unwrap_or_default();
            let reason = Termination::Inactivity(idle);
            let decided = decide_terminate(world, workspace, cluster_id, reason, ctx);
            decided.map(|(events, ())| events).unwrap_or_default()
        }
    }
}

/// Removes all clusters of a workspace that goes away.
pub(crate) fn decide_workspace_lost(world: &World, workspace: u64) -> Vec<kernel::Event> {
    let Ok(state) = workspace_of(world, workspace) else { return Vec::new() };
    let clusters = state.clusters.latest_first().into_iter();
    let removed = |cluster_id: String| event(workspace, Event::Removed { cluster_id });
    clusters.map(|it| removed(it.cluster_id.clone())).collect()
}

/// What a cluster kept warm ends with it.
pub(crate) fn effect_of(workspace: u64, event: Event) -> Option<Effect> {
    match event {
        Event::Terminating { cluster_id, .. }
        | Event::Restarting { cluster_id, .. }
        | Event::Removed { cluster_id } => Some(Effect::EndCluster { workspace, cluster_id }),
        _ => None,
    }
}
