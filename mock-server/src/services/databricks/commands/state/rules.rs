//! What may happen to contexts and commands.

#[cfg(feature = "local")]
use serde_json::Value;

use super::{super::wire, Context, Event, Readiness, Status};
#[cfg(feature = "local")]
use crate::executor::contexts::ContextId;
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

/// How many contexts a cluster has at most.
const CONTEXTS: usize = 150;

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Commands(event))
}

/// Answers with the id, and with the epoch if a process is to be started.
pub(in super::super) fn decide_open(
    world: &World,
    workspace: u64,
    cluster_id: String,
    language: String,
    ctx: &mut Ctx<'_>,
) -> Decision<(String, Option<u64>)> {
    let state = workspace_of(world, workspace)?;
    if state.clusters.get(&cluster_id)?.running_since().is_none() {
        let text = format!("Cluster {cluster_id} is not running");
        return Err(Refusal::invalid(text).with_code("ClusterNotRunningException"));
    }
    if CONTEXTS <= state.commands.0.values().filter(|it| it.cluster_id == cluster_id).count() {
        let text = format!("Too many execution contexts are open right now (limit {CONTEXTS})");
        return Err(Refusal::invalid(text).with_code("TooManyExecutionContexts"));
    }
    // A number without a sign, as the service has it.
    let (_, id) = ctx.draw_uuid().as_u64_pair();
    let context_id = (id >> 2).to_string();
    let executed = ctx.executes.then_some(world.epoch);
    let opened = Event::Opened {
        context_id: context_id.clone(),
        cluster_id,
        language,
        executed,
        at: ctx.now,
    };
    Ok((vec![event(workspace, opened)], (context_id, executed)))
}

pub(in super::super) fn decide_close(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    context_id: String,
) -> Decision<()> {
    workspace_of(world, workspace)?.commands.context(cluster_id, &context_id)?;
    Ok((vec![event(workspace, Event::Closed { context_id })], ()))
}

/// Takes in a command. Where nothing is executed, it ends at once.
pub(in super::super) fn decide_execute(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    context_id: String,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let context = workspace_of(world, workspace)?.commands.context(cluster_id, &context_id)?;
    if context.status == Readiness::Error {
        let text = format!("Context {context_id} has failed; destroy it and create another");
        return Err(Refusal::invalid(text).with_code("ContextNotRunning"));
    }
    let (command_id, at) = (ctx.draw_uuid().simple().to_string(), ctx.now);
    let executed =
        Event::Executed { context_id: context_id.clone(), command_id: command_id.clone(), at };
    let mut events = vec![event(workspace, executed)];
    if context.executed.is_none() {
        let (command_id, results) = (command_id.clone(), Some(wire::not_executed()));
        let status = Status::Finished;
        let ended = Event::Changed { context_id, command_id, status, results, at };
        events.push(event(workspace, ended));
    }
    Ok((events, command_id))
}

/// One that waits is canceled at once, one that runs when it has stopped.
pub(in super::super) fn decide_cancel(
    world: &World,
    workspace: u64,
    cluster_id: &str,
    context_id: String,
    command_id: String,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let context = workspace_of(world, workspace)?.commands.context(cluster_id, &context_id)?;
    let status = match context.command(&command_id)?.status {
        Status::Queued => Status::Cancelled,
        Status::Running => Status::Cancelling,
        _ => return Ok((Vec::new(), ())),
    };
    let changed = Event::Changed { context_id, command_id, status, results: None, at: ctx.now };
    Ok((vec![event(workspace, changed)], ()))
}

/// The context that an executor speaks of, if it is still there.
#[cfg(feature = "local")]
fn awaited<'a>(world: &'a World, id: &ContextId) -> Option<&'a Context> {
    let contexts = &world.databricks.get(&id.workspace)?.commands.0;
    contexts
        .get(&id.context_id)
        .filter(|it| it.executed == Some(id.epoch) && id.epoch == world.epoch)
}

#[cfg(feature = "local")]
pub(crate) fn decide_ready(world: &World, id: &ContextId) -> Vec<kernel::Event> {
    let context_id = id.context_id.clone();
    let ready = awaited(world, id).map(|_| event(id.workspace, Event::Ready { context_id }));
    ready.into_iter().collect()
}

#[cfg(feature = "local")]
pub(crate) fn decide_lost(world: &World, id: &ContextId, message: String) -> Vec<kernel::Event> {
    let context_id = id.context_id.clone();
    let lost = awaited(world, id).map(|_| event(id.workspace, Event::Lost { context_id, message }));
    lost.into_iter().collect()
}

/// Answers nothing if the command was canceled before it began.
#[cfg(feature = "local")]
pub(crate) fn decide_began(
    world: &World,
    id: &ContextId,
    command_id: &str,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let is_queued =
        |it: &Context| it.command(command_id).is_ok_and(|it| it.status == Status::Queued);
    let began = awaited(world, id).filter(|it| is_queued(it));
    let began = began.map(|_| changed(id, command_id, Status::Running, None, ctx));
    began.into_iter().collect()
}

#[cfg(feature = "local")]
pub(crate) fn decide_ended(
    world: &World,
    id: &ContextId,
    command_id: &str,
    results: Option<Value>,
    ctx: &Ctx<'_>,
) -> Vec<kernel::Event> {
    let is_open = |it: &Context| it.command(command_id).is_ok_and(|it| !it.status.is_over());
    let status = if results.is_some() { Status::Finished } else { Status::Cancelled };
    let ended = awaited(world, id).filter(|it| is_open(it));
    let ended = ended.map(|_| changed(id, command_id, status, results, ctx));
    ended.into_iter().collect()
}

#[cfg(feature = "local")]
fn changed(
    id: &ContextId,
    command_id: &str,
    status: Status,
    results: Option<Value>,
    ctx: &Ctx<'_>,
) -> kernel::Event {
    let (context_id, command_id) = (id.context_id.clone(), command_id.to_owned());
    event(id.workspace, Event::Changed { context_id, command_id, status, results, at: ctx.now })
}

/// The processes went with the mock that started them.
pub(crate) fn decide_restart(world: &World, workspace: u64) -> Vec<kernel::Event> {
    let contexts = world.databricks.get(&workspace).map(|it| &it.commands.0);
    let lost = contexts.into_iter().flatten().filter(|(_, it)| it.executed.is_some());
    lost.map(|(id, _)| event(workspace, Event::Closed { context_id: id.clone() })).collect()
}
