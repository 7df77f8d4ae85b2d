use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

/// How long a stream may rest.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// The streams that are open, by handle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dbfs(BTreeMap<i64, Stream>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(super) path: String,
    pub(super) overwrite: bool,
    used_at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Opened { handle: i64, path: String, overwrite: bool, at: OffsetDateTime },
    Used { handle: i64, at: OffsetDateTime },
    Closed { handle: i64 },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Dbfs(event))
}

pub(super) fn decide_open(
    workspace: u64,
    path: String,
    overwrite: bool,
    ctx: &mut Ctx<'_>,
) -> (Vec<kernel::Event>, i64) {
    let handle = i64::try_from(ctx.draw_id()).unwrap_or(i64::MAX);
    let opened = Event::Opened { handle, path, overwrite, at: ctx.now };
    (vec![event(workspace, opened)], handle)
}

/// Goes on with a stream.
pub(super) fn decide_use(
    world: &World,
    workspace: u64,
    handle: i64,
    ctx: &Ctx<'_>,
) -> Decision<Stream> {
    let stream = stream(world, workspace, handle, ctx.now)?;
    Ok((vec![event(workspace, Event::Used { handle, at: ctx.now })], stream.clone()))
}

pub(super) fn decide_close(
    world: &World,
    workspace: u64,
    handle: i64,
    ctx: &Ctx<'_>,
) -> Decision<Stream> {
    let stream = stream(world, workspace, handle, ctx.now)?;
    Ok((vec![event(workspace, Event::Closed { handle })], stream.clone()))
}

fn stream(
    world: &World,
    workspace: u64,
    handle: i64,
    now: OffsetDateTime,
) -> Result<&Stream, Refusal> {
    let found = workspace_of(world, workspace)?.dbfs.0.get(&handle);
    let missing = || Refusal::not_found(format!("No stream with handle {handle} is open"));
    found.filter(|it| now < it.used_at + IDLE).ok_or_else(missing)
}

impl Dbfs {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::Opened { handle, path, overwrite, at: used_at } => {
                self.0.insert(handle, Stream { path, overwrite, used_at });
            }
            Event::Used { handle, at } => {
                self.0.entry(handle).and_modify(|it| it.used_at = at);
            }
            Event::Closed { handle } => drop(self.0.remove(&handle)),
        }
    }
}
