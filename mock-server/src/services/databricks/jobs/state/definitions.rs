//! Saved jobs: settings that can be run again and again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    Event, Jobs,
    rules::{draw, event},
    spec::Submission,
    terms::{Overrides, Terms},
};
use crate::{
    kernel::{Ctx, Decision, Kind, Refusal, World},
    services::databricks::{jobs::wire, wire::seconds, workspace_of},
};

/// How many jobs a workspace may have.
const JOBS: usize = 12_000;

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

    pub(super) fn max_concurrent_runs(&self) -> usize {
        let limit = self.settings.get("max_concurrent_runs").and_then(wire::integer);
        limit.map_or(1, |it| usize::try_from(it).unwrap_or(0))
    }
}

impl Jobs {
    /// Who made a saved job.
    pub(crate) fn creator_of(&self, job_id: i64) -> Option<&str> {
        self.saved.get(&job_id).map(|it| it.creator.as_str())
    }
}

/// What a run of the job consists of.
pub(in super::super) fn order_of(
    job: &Job,
    overrides: Overrides,
) -> Result<(Submission, Terms), Refusal> {
    let (mut submission, mut terms) = wire::order(job.settings.clone(), &job.creator)?;
    terms.override_with(overrides, &mut submission);
    Ok((submission, terms))
}

pub(in super::super) fn decide_save(
    world: &World,
    workspace: u64,
    creator: String,
    settings: Value,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    if JOBS <= workspace_of(world, workspace)?.jobs.saved.len() {
        let text = format!("The workspace has {JOBS} jobs, and may not have more.");
        return Err(Refusal::new(Kind::Invalid, text).with_code("QUOTA_EXCEEDED"));
    }
    let job_id = draw(ctx);
    let job = Job { job_id, creator, created_at: ctx.now, settings };
    Ok((vec![event(workspace, Event::Saved(Box::new(job)))], job_id))
}

/// Gives a job other settings, made out of those that it has.
pub(in super::super) fn decide_change(
    world: &World,
    workspace: u64,
    job_id: i64,
    change: impl FnOnce(&Value) -> Result<Value, Refusal>,
) -> Decision<()> {
    let job = saved(world, workspace, job_id)?;
    let settings = change(&job.settings)?;
    let timeout = seconds(settings.get("timeout_seconds").and_then(wire::integer));
    Ok((vec![event(workspace, Event::Changed { job_id, settings, timeout })], ()))
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
