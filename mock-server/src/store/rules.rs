//! What may happen in a store. Each rule looks at the store and makes events;
//! views word what it refuses.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{
    Asset, Batch, Cells, Event, Experiment, Model, ModelPatch, NewModel, Place, Run, RunError,
    RunPatch, Shape, Status, Store, registry::NO_STAGE,
};
use crate::kernel::{self, Ctx, Decision, Kind, Refusal, clock::later};

pub(crate) fn at(place: &Place, event: Event) -> kernel::Event {
    kernel::Event::Store(place.clone(), event)
}

/// Makes an experiment with the id that the view chose.
pub(crate) fn decide_experiment(
    store: &Store,
    place: &Place,
    id: String,
    name: &str,
    artifact_location: String,
    tags: BTreeMap<String, String>,
    ctx: &Ctx<'_>,
) -> Decision<String> {
    if name.is_empty() {
        return Err(Refusal::invalid("an experiment needs a name"));
    }
    if store.experiment_named(name).is_some() {
        let text = format!("Experiment '{name}' already exists.");
        return Err(Refusal::new(Kind::AlreadyExists, text));
    }
    let created_at = ctx.now;
    let experiment = Experiment {
        id: id.clone(),
        name: name.into(),
        created_at,
        modified_at: created_at,
        is_deleted: false,
        tags,
        artifact_location,
    };
    Ok((vec![at(place, Event::ExperimentCreated(experiment))], id))
}

/// Makes a run, or refuses one whose id is taken. What `patch` says is true
/// from the beginning.
#[expect(clippy::too_many_arguments, reason = "each view chooses its own ids and beginnings")]
pub(crate) fn decide_run(
    store: &Store,
    place: &Place,
    experiment_id: &str,
    run_id: String,
    status: Status,
    user: &str,
    patch: RunPatch,
    number: u64,
    ctx: &Ctx<'_>,
) -> Decision<String> {
    if store.has_run(&run_id) {
        return Err(Refusal::new(Kind::AlreadyExists, format!("Run {run_id} already exists.")));
    }
    // A parent of the same record is not in the store yet: it is its own root.
    let root_id = match &patch.parent_id {
        Some(parent) => store.run(parent).map_or_else(|_| parent.clone(), |it| it.root_id.clone()),
        None => run_id.clone(),
    };
    let begins = status == Status::Running;
    let run = Run {
        id: run_id.clone(),
        experiment_id: experiment_id.into(),
        number,
        name: patch.name,
        display_name: patch.display_name,
        description: patch.description,
        status,
        created_at: ctx.now,
        modified_at: ctx.now,
        started_at: patch.started_at.or_else(|| begins.then_some(ctx.now)),
        ended_at: patch.ended_at,
        parent_id: patch.parent_id,
        root_id,
        run_type: patch.run_type,
        run_type_v2: patch.run_type_v2,
        target: patch.target,
        user: user.to_owned(),
        is_deleted: false,
        revision: 1,
        status_revision: 0,
        tags: patch.tags,
        properties: patch.properties,
        params: patch.params,
        metrics: BTreeMap::new(),
        error: None,
        datasets: Vec::new(),
        model_inputs: Vec::new(),
        model_outputs: Vec::new(),
    };
    Ok((vec![at(place, Event::RunCreated(Box::new(run)))], run_id))
}

/// Changes a run. Parameters are written once: another value is refused.
pub(crate) fn decide_patch(
    store: &Store,
    place: &Place,
    run_id: &str,
    patch: RunPatch,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let run = store.run(run_id)?;
    for (key, value) in &patch.params {
        if let Some(old) = run.params.get(key).filter(|it| *it != value) {
            let text = format!(
                "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' for run ID='{run_id}'. Attempted logging new value '{value}'."
            );
            return Err(Refusal::invalid(text));
        }
    }
    let event =
        Event::RunPatched { run_id: run_id.to_owned(), at: ctx.now, patch: Box::new(patch) };
    Ok((vec![at(place, event)], ()))
}

/// Moves a run to `status`, with the reason of a failure.
pub(crate) fn decide_status(
    store: &Store,
    place: &Place,
    run_id: &str,
    status: Status,
    error: Option<RunError>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    store.run(run_id)?;
    let mut events = Vec::new();
    if let Some(error) = error {
        events.push(at(place, Event::ErrorSet { run_id: run_id.to_owned(), error }));
    }
    let set = Event::StatusSet { run_id: run_id.to_owned(), status, at: ctx.now };
    events.push(at(place, set));
    Ok((events, ()))
}

/// Logs metrics. Batches whose columns differ from what the metric has are
/// left out and named in the answer: readers fail on a metric of two shapes.
pub(crate) fn decide_log(
    store: &Store,
    place: &Place,
    run_id: &str,
    batches: Vec<Batch>,
    ctx: &Ctx<'_>,
) -> Decision<Vec<(String, String)>> {
    let run = store.run(run_id)?;
    // What this call begins; most calls speak of each metric once.
    let mut fresh: BTreeMap<String, Shape> = BTreeMap::new();
    let is_alone = batches.len() == 1;
    let (mut kept, mut refused) = (Vec::with_capacity(batches.len()), Vec::new());
    for mut batch in batches {
        batch.keeps_repeats = !ctx.tracking.dedupe;
        match store.shape(run, &batch.name).or_else(|| fresh.get(&batch.name)) {
            Some(known) if !fits(known, &batch) => {
                let text = format!("the metric has the columns {:?}", known.columns(&batch.name));
                refused.push((batch.name, text));
                continue;
            }
            Some(known) => batch.shape = known.clone(),
            None if is_alone => (),
            None => drop(fresh.insert(batch.name.clone(), batch.shape.clone())),
        }
        kept.push(batch);
    }
    if kept.is_empty() {
        return Ok((Vec::new(), refused));
    }
    let delay = ctx.tracking.visibility_delay;
    let visible_at = (!delay.is_zero()).then(|| later(ctx.now, delay));
    let event = Event::MetricsLogged { run_id: run_id.to_owned(), batches: kept, visible_at };
    Ok((vec![at(place, event)], refused))
}

/// What was logged to `place` and was to become visible up to `until` does.
pub(crate) fn metrics_are_seen(place: &Place, until: OffsetDateTime) -> kernel::Event {
    at(place, Event::MetricsSeen { until })
}

/// A whole number fits a column of numbers.
fn fits(known: &Shape, batch: &Batch) -> bool {
    if (known, &batch.shape) == (&Shape::Scalar, &Shape::Scalar) {
        return true;
    }
    let (known, columns) = (known.columns(&batch.name), batch.shape.columns(&batch.name));
    let number = |it: &str| matches!(it, "double" | "int");
    known.len() == columns.len()
        && columns.iter().all(|(name, kind)| {
            known.get(name).is_some_and(|it| it == kind || (number(it) && number(kind)))
        })
        && (matches!(batch.cells, Cells::Rows(_)) || known.values().all(|it| number(it)))
}

/// Makes an asset out of artifacts.
pub(crate) fn decide_asset(
    place: &Place,
    name: String,
    prefixes: Vec<String>,
    run_id: Option<String>,
    ctx: &mut Ctx<'_>,
) -> Decision<Asset> {
    if prefixes.is_empty() {
        return Err(Refusal::invalid("an asset needs at least one artifact prefix"));
    }
    let id = ctx.draw_uuid().simple().to_string();
    let asset = Asset { id, name, prefixes, run_id, created_at: ctx.now };
    Ok((vec![at(place, Event::AssetCreated(asset.clone()))], asset))
}

/// Registers the next version of a model under Azure ML's rules.
pub(crate) fn decide_model(
    store: &Store,
    place: &Place,
    new: NewModel,
    ctx: &Ctx<'_>,
) -> Decision<Model> {
    let legal = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.' | '_');
    let starts = new.name.starts_with(|it: char| it.is_ascii_alphanumeric());
    if !starts || 255 < new.name.len() || !new.name.chars().all(legal) {
        let text = format!("{:?} is no name for a model: letters, digits, - . _", new.name);
        return Err(Refusal::invalid(text));
    }
    if let Some(id) = new.url.strip_prefix("aml://asset/") {
        let missing = || Refusal::not_found(format!("Asset {id} was not found"));
        store.asset(id).ok_or_else(missing)?;
    }
    Ok(decide_version(store, place, new, ctx))
}

/// Registers the next version of a model. The view has looked at what is asked.
pub(crate) fn decide_version(
    store: &Store,
    place: &Place,
    new: NewModel,
    ctx: &Ctx<'_>,
) -> (Vec<kernel::Event>, Model) {
    let model = Model {
        version: store.next_version(&new.name),
        name: new.name,
        url: new.url,
        framework: new.framework.unwrap_or_else(|| "Custom".into()),
        framework_version: new.framework_version,
        mime_type: new.mime_type.unwrap_or_else(|| "application/json".into()),
        description: new.description,
        unpack: new.unpack,
        run_id: new.run_id,
        experiment_name: new.experiment_name,
        tags: new.tags,
        properties: new.properties,
        created_by: new.created_by,
        created_at: ctx.now,
        modified_at: ctx.now,
        stage: NO_STAGE.to_owned(),
        origin: new.origin,
    };
    (vec![at(place, Event::ModelRegistered(Box::new(model.clone())))], model)
}

fn found<'a>(store: &'a Store, name: &str, version: u64) -> Result<&'a Model, Refusal> {
    let missing = || Refusal::not_found(format!("Model {name}:{version} was not found"));
    store.model(name, version).ok_or_else(missing)
}

/// Changes a model version.
pub(crate) fn decide_model_patch(
    store: &Store,
    place: &Place,
    name: &str,
    version: u64,
    patch: ModelPatch,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    found(store, name, version)?;
    let event = Event::ModelPatched { name: name.to_owned(), version, at: ctx.now, patch };
    Ok((vec![at(place, event)], ()))
}

/// Removes a model version. Its number is never used again.
pub(crate) fn decide_model_deletion(
    store: &Store,
    place: &Place,
    name: &str,
    version: u64,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    found(store, name, version)?;
    let event = Event::ModelDeleted { name: name.to_owned(), version, at: ctx.now };
    Ok((vec![at(place, event)], ()))
}
