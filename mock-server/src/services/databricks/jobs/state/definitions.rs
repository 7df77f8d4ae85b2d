//! Saved jobs: settings that can be run again and again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Event, Jobs};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Job {
    pub(in super::super) job_id: i64,
    pub(in super::super) creator: String,
    pub(in super::super) created_at: OffsetDateTime,
    /// As the client wrote them.
    pub(in super::super) settings: Value,
}

impl Job {
    pub(in super::super) fn name(&self) -> &str {
        self.settings.get("name").and_then(Value::as_str).unwrap_or("Untitled")
    }
}

impl Jobs {
    /// Who made a saved job.
    pub(crate) fn creator_of(&self, job_id: i64) -> Option<&str> {
        self.saved.get(&job_id).map(|it| it.creator.as_str())
    }
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Jobs(event))
}

pub(in super::super) fn decide_save(
    workspace: u64,
    creator: String,
    settings: Value,
    ctx: &mut Ctx<'_>,
) -> (Vec<kernel::Event>, i64) {
    let job_id = super::rules::draw(ctx);
    let job = Job { job_id, creator, created_at: ctx.now, settings };
    (vec![event(workspace, Event::Saved(Box::new(job)))], job_id)
}

pub(in super::super) fn decide_unsave(world: &World, workspace: u64, job_id: i64) -> Decision<()> {
    saved(world, workspace, job_id)?;
    Ok((vec![event(workspace, Event::Unsaved { job_id })], ()))
}

/// The job with this id.
pub(in super::super) fn saved(world: &World, workspace: u64, job_id: i64) -> Result<&Job, Refusal> {
    let missing = || Refusal::invalid(format!("Job {job_id} does not exist."));
    workspace_of(world, workspace)?.jobs.saved.get(&job_id).ok_or_else(missing)
}
