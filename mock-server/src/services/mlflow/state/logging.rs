use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    checks::{check_key, check_length, check_name, check_run_id, truncate},
    models::logged,
    runs::{RUN_NAME, active},
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::mlflow::wire::python_json,
    store::{
        self, Batch, DatasetInput, Event, ModelMetric, ModelOutput, Place, Point, Run, RunPatch,
        Store, decide_log, decide_patch,
    },
};

/// How much of what one `log-batch` takes.
const BATCH_LIMITS: [(&str, usize); 4] =
    [("metrics", 1000), ("params", 100), ("tags", 100), ("metrics, params, and tags", 1000)];

const LONGEST_PARAM: usize = 6000;
pub(super) const LONGEST_TAG: usize = 8000;

/// One value of a metric, perhaps of a model and on a dataset.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Measured {
    pub(in super::super) key: String,
    /// Milliseconds since 1970.
    pub(in super::super) timestamp: i64,
    pub(in super::super) point: Point,
    pub(in super::super) model_id: Option<String>,
    pub(in super::super) dataset_name: Option<String>,
    pub(in super::super) dataset_digest: Option<String>,
}

/// What a client may log in one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Logged {
    pub(in super::super) metrics: Vec<Measured>,
    pub(in super::super) params: Vec<(String, String)>,
    pub(in super::super) tags: Vec<(String, String)>,
}

/// Logs all of `logged` or, if any of it is refused, none of it.
pub(in super::super) fn decide_batch(
    world: &World,
    place: &Place,
    run_id: &str,
    mut logged: Logged,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_run_id(run_id)?;
    check(&mut logged, |list, index, field| format!("{list}[{index}].{field}"))?;
    check_limits(&logged)?;
    let store = world.stores.at(place);
    let run = active(store, run_id)?;
    check_params(run, &logged.params)?;
    decide_logged(store, place, run_id, logged, ctx)
}

/// Logs the one thing of a call that logs one thing.
pub(in super::super) fn decide_one(
    world: &World,
    place: &Place,
    run_id: &str,
    mut logged: Logged,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_run_id(run_id)?;
    check(&mut logged, |_, _, field| field.to_owned())?;
    let store = world.stores.at(place);
    active(store, run_id)?;
    decide_logged(store, place, run_id, logged, ctx)
}

fn decide_logged(
    store: &Store,
    place: &Place,
    run_id: &str,
    logged: Logged,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let mut events = Vec::new();
    if !logged.params.is_empty() || !logged.tags.is_empty() {
        let name = logged.tags.iter().rev().find(|(key, _)| key == RUN_NAME);
        let patch = RunPatch {
            name: name.map(|(_, it)| it.clone()),
            display_name: name.map(|(_, it)| it.clone()),
            params: logged.params.into_iter().map(|(key, it)| (key.into(), it.into())).collect(),
            tags: logged.tags.into_iter().map(|(key, value)| (key, Some(value))).collect(),
            ..RunPatch::default()
        };
        events.extend(decide_patch(store, place, run_id, patch, ctx)?.0);
    }
    let measured = measured_models(store, run_id, &logged.metrics)?;
    let mut by_name: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for it in logged.metrics {
        match by_name.get_mut(&it.key) {
            Some(points) => points.push(it.point),
            None => drop(by_name.insert(it.key, vec![it.point])),
        }
    }
    let batches = by_name.into_iter().map(|(name, points)| Batch::scalar(name, points)).collect();
    let (logged, refused) = decide_log(store, place, run_id, batches, ctx)?;
    if let Some((name, reason)) = refused.first() {
        return Err(Refusal::invalid(format!("metric {name:?}: {reason}")));
    }
    events.extend(logged);
    if !measured.is_empty() {
        events.push(store::at(place, Event::ModelsMeasured(measured)));
    }
    Ok((events, ()))
}

/// What the metrics say of models.
fn measured_models(
    store: &Store,
    run_id: &str,
    metrics: &[Measured],
) -> Result<Vec<(String, ModelMetric)>, Refusal> {
    let mut found = Vec::new();
    for it in metrics {
        let Some(model_id) = &it.model_id else { continue };
        logged(store, model_id)?;
        let metric = ModelMetric {
            key: it.key.clone(),
            run_id: run_id.to_owned(),
            point: it.point,
            dataset_name: it.dataset_name.clone(),
            dataset_digest: it.dataset_digest.clone(),
        };
        found.push((model_id.clone(), metric));
    }
    Ok(found)
}

/// Checks keys and cuts values that are too long. `path` says how a field is
/// called in a refusal.
fn check(logged: &mut Logged, path: impl Fn(&str, usize, &str) -> String) -> Result<(), Refusal> {
    // The same few keys come again and again.
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (index, it) in logged.metrics.iter().enumerate() {
        if known.insert(&it.key) {
            check_name(&path("metrics", index, "name"), &it.key)?;
            check_key("Metric name", &it.key)?;
        }
        if it.timestamp < 0 {
            let (field, at) = (path("metrics", index, "timestamp"), it.timestamp);
            let text = format!(
                "Invalid value {at} for parameter '{field}' supplied: metric '{}' (value={:?}). Timestamp must be a nonnegative long (64-bit integer) ",
                it.key, it.point.value
            );
            return Err(Refusal::invalid(text));
        }
    }
    for (index, (key, value)) in logged.params.iter_mut().enumerate() {
        check_name(&path("params", index, "key"), key)?;
        check_key("Param key", key)?;
        truncate(value, LONGEST_PARAM);
    }
    for (index, (key, value)) in logged.tags.iter_mut().enumerate() {
        let field = path("tags", index, "key");
        check_name(&field, key)?;
        check_key(&field, key)?;
        truncate(value, LONGEST_TAG);
    }
    Ok(())
}

fn check_limits(logged: &Logged) -> Result<(), Refusal> {
    let counts = [logged.metrics.len(), logged.params.len(), logged.tags.len()];
    let total: usize = counts.iter().sum();
    for ((what, limit), count) in BATCH_LIMITS.into_iter().zip(counts.into_iter().chain([total])) {
        if limit < count {
            let text = format!(
                "A batch logging request can contain at most {limit} {what}. Got {count} {what}. Please split up {what} across multiple requests and try again."
            );
            return Err(Refusal::invalid(text));
        }
    }
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = logged
        .params
        .iter()
        .filter(|(key, _)| !seen.insert(key))
        .map(|(key, _)| format!("'{key}'"))
        .collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one param value per param key.",
        twice.join(", ")
    )))
}

/// Names all parameters that a run has with another value.
fn check_params(run: &Run, params: &[(String, String)]) -> Result<(), Refusal> {
    let conflicts: Vec<String> = params
        .iter()
        .filter_map(|(key, value)| {
            let old = run.params.get(key.as_str()).filter(|it| *it != value)?;
            Some(format!("{{'key': '{key}', 'old_value': '{old}', 'new_value': '{value}'}}"))
        })
        .collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run ID='{}'.",
        conflicts.join(", "),
        run.id
    )))
}

/// Says what a run was fed with.
pub(in super::super) fn decide_inputs(
    world: &World,
    place: &Place,
    run_id: &str,
    datasets: Vec<DatasetInput>,
    models: Vec<String>,
) -> Decision<()> {
    check_run_id(run_id)?;
    for DatasetInput { dataset, tags } in &datasets {
        check_length("name", 500, &dataset.name)?;
        check_length("digest", 36, &dataset.digest)?;
        check_length("source", 65_535, &dataset.source)?;
        check_length("schema", 1_048_575, dataset.schema.as_deref().unwrap_or_default())?;
        check_length("profile", 16_777_215, dataset.profile.as_deref().unwrap_or_default())?;
        for (key, value) in tags {
            check_length("key", 255, key)?;
            check_length("value", 500, value)?;
        }
    }
    active(world.stores.at(place), run_id)?;
    let event = Event::InputsLogged { run_id: run_id.to_owned(), datasets, models };
    Ok((vec![store::at(place, event)], ()))
}

/// Says which models a run made.
pub(in super::super) fn decide_outputs(
    world: &World,
    place: &Place,
    run_id: &str,
    models: Vec<ModelOutput>,
) -> Decision<()> {
    active(world.stores.at(place), run_id)?;
    let event = Event::OutputsLogged { run_id: run_id.to_owned(), models };
    Ok((vec![store::at(place, event)], ()))
}

/// Adds a model to the tag in which older clients look for the models of a run.
pub(in super::super) fn decide_model_record(
    world: &World,
    place: &Place,
    run_id: &str,
    model: Value,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    const MODELS: &str = "mlflow.log-model.history";
    let store = world.stores.at(place);
    let run = active(store, run_id)?;
    let known = run.tags.get(MODELS).and_then(Option::as_deref).unwrap_or("[]");
    let mut models: Vec<Value> = serde_json::from_str(known).unwrap_or_default();
    models.push(model);
    let tag = (MODELS.to_owned(), python_json(&models.into()));
    let logged = Logged { tags: vec![tag], ..Logged::default() };
    let decided: (Vec<kernel::Event>, ()) = decide_logged(store, place, run_id, logged, ctx)?;
    Ok(decided)
}
