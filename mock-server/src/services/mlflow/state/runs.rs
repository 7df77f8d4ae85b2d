use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{
    checks::{check_run_id, truncate},
    experiments,
    logging::LONGEST_TAG,
};
use crate::{
    kernel::{Ctx, Decision, Refusal, World},
    store::{Place, Run, RunPatch, Status, Store, decide_patch, decide_run, decide_status},
};

pub(super) const RUN_NAME: &str = "mlflow.runName";

pub(in super::super) fn run<'a>(store: &'a Store, id: &str) -> Result<&'a Run, Refusal> {
    store.run(id).map_err(|_| Refusal::not_found(format!("Run with id={id} not found")))
}

/// Refuses a deleted run.
pub(super) fn active<'a>(store: &'a Store, id: &str) -> Result<&'a Run, Refusal> {
    let run = run(store, id)?;
    if run.is_deleted {
        let text = format!("The run {id} must be in the 'active' state. Current state is deleted.");
        return Err(Refusal::invalid(text));
    }
    Ok(run)
}

/// What a client says of a run that it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct NewRun {
    pub(in super::super) experiment_id: String,
    pub(in super::super) name: Option<String>,
    pub(in super::super) user: String,
    pub(in super::super) started_at: Option<OffsetDateTime>,
    /// A run may be over from the beginning.
    pub(in super::super) finished_at: Option<OffsetDateTime>,
    pub(in super::super) params: Vec<(String, String)>,
    pub(in super::super) tags: Vec<(String, String)>,
}

pub(in super::super) fn decide_new_run(
    world: &World,
    place: &Place,
    new: NewRun,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let store = world.stores.at(place);
    let experiment = experiments::active(store, place, &new.experiment_id)?;
    let mut tags: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (key, mut value) in new.tags {
        truncate(&mut value, LONGEST_TAG);
        let twice = tags.insert(key.clone(), Some(value)).is_some();
        if twice && *place == Place::Plain {
            let text = format!("A run has each tag once: '{key}' is there twice");
            return Err(Refusal::invalid(text).with_code("BAD_REQUEST"));
        }
    }
    let tagged = tags.get(RUN_NAME).cloned().flatten();
    if let (Some(name), Some(tagged)) = (&new.name, &tagged)
        && name != tagged
    {
        let text = format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', mlflow.runName='{tagged}')."
        );
        return Err(Refusal::invalid(text));
    }
    let uuid = ctx.draw_uuid();
    let run_id = match place {
        Place::AzureMl(_) => uuid.to_string(),
        Place::Plain | Place::Databricks(_) => uuid.simple().to_string(),
    };
    let name = new.name.or(tagged).unwrap_or_else(|| random_name(ctx.draw_id()));
    let parent_id = tags.get("mlflow.parentRunId").cloned().flatten();
    tags.insert(RUN_NAME.to_owned(), Some(name.clone()));
    let patch = RunPatch {
        name: Some(name.clone()),
        display_name: Some(name),
        parent_id,
        started_at: new.started_at,
        ended_at: new.finished_at,
        params: new.params.into_iter().map(|(key, it)| (key.into(), it.into())).collect(),
        tags,
        ..RunPatch::default()
    };
    let number = store.next_run_number();
    let (id, user) = (&experiment.id, &new.user);
    let status = if new.finished_at.is_some() { Status::Completed } else { Status::Running };
    decide_run(store, place, id, run_id, status, user, patch, number, ctx)
}

/// A name for what has none.
pub(super) fn random_name(id: u64) -> String {
    const ADJECTIVES: [&str; 8] =
        ["bold", "calm", "dapper", "eager", "gentle", "lucky", "nimble", "wise"];
    const NOUNS: [&str; 8] = ["asp", "crane", "fox", "hare", "lynx", "mole", "shrike", "wren"];
    let pick = |words: [&'static str; 8], by: u64| words[usize::try_from(by % 8).unwrap_or(0)];
    format!("{}-{}-{}", pick(ADJECTIVES, id), pick(NOUNS, id / 8), 100 + id % 900)
}

/// Changes status, end and name of a run.
pub(in super::super) fn decide_update(
    world: &World,
    place: &Place,
    run_id: &str,
    status: Option<Status>,
    ended_at: Option<OffsetDateTime>,
    name: Option<String>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    active(store, run_id)?;
    let mut events = Vec::new();
    // A run of plain MLflow ends when its client says so, whatever its status is.
    let is_plain = *place == Place::Plain;
    if let Some(status) = status.filter(|_| !is_plain) {
        events.extend(decide_status(store, place, run_id, status, None, ctx)?.0);
    }
    let status = status.filter(|_| is_plain);
    let name = name.filter(|it| !it.is_empty());
    if ended_at.is_some() || name.is_some() || status.is_some() {
        let tags = name.clone().map(|it| (RUN_NAME.to_owned(), Some(it)));
        let patch = RunPatch {
            display_name: name.clone(),
            name,
            status,
            ended_at,
            tags: tags.into_iter().collect(),
            ..RunPatch::default()
        };
        events.extend(decide_patch(store, place, run_id, patch, ctx)?.0);
    }
    Ok((events, ()))
}

/// Deletes a run, or brings it back.
pub(in super::super) fn decide_deletion(
    world: &World,
    place: &Place,
    run_id: &str,
    is_deleted: bool,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    run(store, run_id)?;
    let patch = RunPatch { is_deleted: Some(is_deleted), ..RunPatch::default() };
    decide_patch(store, place, run_id, patch, ctx)
}

/// Deletes the runs of an experiment that were made up to `until`, the oldest
/// first, and says how many.
pub(in super::super) fn decide_runs_deleted(
    world: &World,
    place: &Place,
    experiment_id: &str,
    until: OffsetDateTime,
    most: usize,
    ctx: &Ctx<'_>,
) -> Decision<usize> {
    let wanted = |run: &&Run| !run.is_deleted && run.created_at <= until;
    decide_many(world, place, experiment_id, wanted, most, true, ctx)
}

/// Brings back the runs of an experiment that were deleted since `since`, and
/// says how many.
pub(in super::super) fn decide_runs_restored(
    world: &World,
    place: &Place,
    experiment_id: &str,
    since: OffsetDateTime,
    most: usize,
    ctx: &Ctx<'_>,
) -> Decision<usize> {
    let wanted = |run: &&Run| run.is_deleted && since <= run.modified_at;
    decide_many(world, place, experiment_id, wanted, most, false, ctx)
}

fn decide_many(
    world: &World,
    place: &Place,
    experiment_id: &str,
    wanted: impl Fn(&&Run) -> bool,
    most: usize,
    is_deleted: bool,
    ctx: &Ctx<'_>,
) -> Decision<usize> {
    let store = world.stores.at(place);
    let id = &experiments::experiment(store, place, experiment_id)?.id;
    let runs: Vec<&Run> =
        store.runs().filter(|it| it.experiment_id == *id).filter(wanted).collect();
    let mut events = Vec::new();
    for run in runs.iter().rev().take(most) {
        events.extend(decide_deletion(world, place, &run.id, is_deleted, ctx)?.0);
    }
    Ok((events, runs.len().min(most)))
}

/// Removes a tag.
pub(in super::super) fn decide_untag(
    world: &World,
    place: &Place,
    run_id: &str,
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_run_id(run_id)?;
    let store = world.stores.at(place);
    if !active(store, run_id)?.tags.contains_key(key) {
        return Err(Refusal::not_found(format!("No tag with name: {key} in run with id {run_id}")));
    }
    let patch = RunPatch { untagged: vec![key.to_owned()], ..RunPatch::default() };
    decide_patch(store, place, run_id, patch, ctx)
}
