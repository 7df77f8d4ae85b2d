//! MLflow's rules over the store of runs.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::{
    kernel::{Ctx, Decision, Kind, Refusal, World},
    store::{
        self, Batch, Experiment, Place, Point, Run, RunPatch, Status, Store, decide_log,
        decide_patch, decide_run, decide_status,
    },
};

/// Metrics, parameters, tags and all of them in one `log-batch`.
const BATCH_LIMITS: [usize; 4] = [1000, 100, 100, 1000];

/// What a client may log in one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Logged {
    pub(super) metrics: Vec<(String, Point)>,
    pub(super) params: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
}

pub(super) fn experiment<'a>(store: &'a Store, id: &str) -> Result<&'a Experiment, Refusal> {
    let missing = || Refusal::not_found(format!("No Experiment with id={id} exists"));
    store.experiment(id).ok_or_else(missing)
}

pub(super) fn run<'a>(store: &'a Store, id: &str) -> Result<&'a Run, Refusal> {
    store.run(id).map_err(|_| Refusal::not_found(format!("Run with id={id} not found")))
}

fn active<'a>(store: &'a Store, id: &str) -> Result<&'a Run, Refusal> {
    let run = run(store, id)?;
    if run.is_deleted {
        let text = format!("The run {id} must be in the 'active' state. Current state is deleted.");
        return Err(Refusal::invalid(text));
    }
    Ok(run)
}

/// Makes an experiment. Plain MLflow counts them; Azure ML gives UUIDs.
pub(super) fn decide_experiment(
    world: &World,
    place: &Place,
    name: &str,
    artifact_location: String,
    tags: BTreeMap<String, String>,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    if 500 < name.chars().count() {
        return Err(Refusal::invalid("an experiment name has at most 500 characters"));
    }
    let store = world.stores.at(place);
    let id = match place {
        Place::AzureMl(_) => ctx.draw_uuid().to_string(),
        Place::Plain | Place::Databricks(_) => {
            let ids = store.experiments().filter_map(|it| it.id.parse::<u64>().ok());
            ids.max().map_or(1, |it| it + 1).to_string()
        }
    };
    store::decide_experiment(store, place, id, name, artifact_location, tags, ctx)
}

/// What a client says of a run that it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NewRun {
    pub(super) experiment_id: String,
    pub(super) name: Option<String>,
    pub(super) user: Option<String>,
    pub(super) started_at: Option<OffsetDateTime>,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn decide_new_run(
    world: &World,
    place: &Place,
    new: NewRun,
    caller: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let store = world.stores.at(place);
    experiment(store, &new.experiment_id)?;
    let uuid = ctx.draw_uuid();
    let run_id = match place {
        Place::AzureMl(_) => uuid.to_string(),
        Place::Plain | Place::Databricks(_) => uuid.simple().to_string(),
    };
    let tagged = new.tags.get("mlflow.runName").cloned();
    if let (Some(name), Some(tagged)) = (&new.name, &tagged)
        && name != tagged
    {
        let text = format!(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='{name}', mlflow.runName='{tagged}')."
        );
        return Err(Refusal::invalid(text));
    }
    let name = new.name.or(tagged).unwrap_or_else(|| random_name(ctx.draw_id()));
    let parent_id = new.tags.get("mlflow.parentRunId").cloned();
    let mut tags: BTreeMap<String, Option<String>> =
        new.tags.into_iter().map(|(key, value)| (key, Some(value))).collect();
    tags.insert("mlflow.runName".to_owned(), Some(name.clone()));
    let patch = RunPatch {
        name: Some(name.clone()),
        display_name: Some(name),
        parent_id,
        started_at: new.started_at,
        tags,
        ..RunPatch::default()
    };
    let user = new.user.unwrap_or_else(|| caller.to_owned());
    let number = store.next_run_number();
    decide_run(store, place, &new.experiment_id, run_id, Status::Running, &user, patch, number, ctx)
}

fn random_name(id: u64) -> String {
    const ADJECTIVES: [&str; 8] =
        ["bold", "calm", "dapper", "eager", "gentle", "lucky", "nimble", "wise"];
    const NOUNS: [&str; 8] = ["asp", "crane", "fox", "hare", "lynx", "mole", "shrike", "wren"];
    let pick = |words: [&'static str; 8], by: u64| words[usize::try_from(by % 8).unwrap_or(0)];
    format!("{}-{}-{}", pick(ADJECTIVES, id), pick(NOUNS, id / 8), 100 + id % 900)
}

/// Changes status, end and name of a run.
pub(super) fn decide_update(
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
    if let Some(status) = status {
        events.extend(decide_status(store, place, run_id, status, None, ctx)?.0);
    }
    if ended_at.is_some() || name.is_some() {
        let tags = name.clone().map(|it| ("mlflow.runName".to_owned(), Some(it)));
        let patch = RunPatch {
            display_name: name.clone(),
            name,
            ended_at,
            tags: tags.into_iter().collect(),
            ..RunPatch::default()
        };
        events.extend(decide_patch(store, place, run_id, patch, ctx)?.0);
    }
    Ok((events, ()))
}

/// Deletes a run, or brings it back.
pub(super) fn decide_deletion(
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

/// Removes a tag.
pub(super) fn decide_untag(
    world: &World,
    place: &Place,
    run_id: &str,
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    if !active(store, run_id)?.tags.contains_key(key) {
        return Err(Refusal::not_found(format!("No tag with name: {key} in run with id {run_id}")));
    }
    let patch = RunPatch { untagged: vec![key.to_owned()], ..RunPatch::default() };
    decide_patch(store, place, run_id, patch, ctx)
}

/// Logs all of `logged` or, if any of it is refused, none of it.
pub(super) fn decide_batch(
    world: &World,
    place: &Place,
    run_id: &str,
    logged: Logged,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    active(store, run_id)?;
    check(&logged)?;
    let mut events = Vec::new();
    if !logged.params.is_empty() || !logged.tags.is_empty() {
        let name = logged.tags.iter().find(|(key, _)| key == "mlflow.runName");
        let patch = RunPatch {
            name: name.map(|(_, it)| it.clone()),
            display_name: name.map(|(_, it)| it.clone()),
            params: logged.params.into_iter().collect(),
            tags: logged.tags.into_iter().map(|(key, value)| (key, Some(value))).collect(),
            ..RunPatch::default()
        };
        events.extend(decide_patch(store, place, run_id, patch, ctx)?.0);
    }
    let mut by_name: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for (key, point) in logged.metrics {
        by_name.entry(key).or_default().push(point);
    }
    let batches = by_name.into_iter().map(|(name, points)| Batch::scalar(name, points)).collect();
    let (logged, refused) = decide_log(store, place, run_id, batches)?;
    if let Some((name, reason)) = refused.first() {
        return Err(Refusal::invalid(format!("metric {name:?}: {reason}")));
    }
    events.extend(logged);
    Ok((events, ()))
}

fn check(logged: &Logged) -> Result<(), Refusal> {
    let counts = [logged.metrics.len(), logged.params.len(), logged.tags.len()];
    let total = counts.iter().sum();
    let named = ["metrics", "params", "tags", "metrics, params and tags"];
    for ((name, limit), count) in
        named.iter().zip(BATCH_LIMITS).zip(counts.into_iter().chain([total]))
    {
        if limit < count {
            let text = format!(
                "A batch logging request can contain at most {limit} {name}. Got {count} {name}. Please split up {name} across multiple requests and try again."
            );
            return Err(Refusal::invalid(text));
        }
    }
    let mut seen = BTreeMap::new();
    for (key, value) in &logged.params {
        if seen.insert(key, value).is_some() {
            let text = format!(
                "Duplicate parameter keys have been submitted: ['{key}']. Please ensure the request contains only one param value per param key."
            );
            return Err(Refusal::invalid(text));
        }
    }
    let metrics = logged.metrics.iter().map(|(key, _)| ("metric", key));
    let params = logged.params.iter().map(|(key, _)| ("parameter", key));
    let tags = logged.tags.iter().map(|(key, _)| ("tag", key));
    metrics.chain(params).chain(tags).try_for_each(|(kind, key)| check_key(kind, key))
}

/// Keys are path-like: letters of any script, digits, `_ - . : /` and space, in normal form.
fn check_key(kind: &str, key: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | ':' | '/' | ' ');
    let normal = !key.starts_with('/') && key.split('/').all(|it| !matches!(it, "" | "." | ".."));
    if !key.is_empty() && key.chars().count() <= 250 && key.chars().all(legal) && normal {
        return Ok(());
    }
    let refusal = Refusal::new(
        Kind::Invalid,
        format!(
            "Invalid {kind} name: '{key}'. Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/), have at most 250 characters and are paths in normal form."
        ),
    );
    Err(refusal)
}
