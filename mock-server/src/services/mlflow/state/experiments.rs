use std::collections::BTreeMap;

use super::{
    checks::{check_length, check_tag, invalid_state},
    sources::check_location,
};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    store::{self, Event, Experiment, ExperimentPatch, Place, Store},
};

const LONGEST_NAME: usize = 500;
const LONGEST_VALUE: usize = 20_000;

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("No Experiment with id={id} exists"))
}

/// Refuses ids that are no numbers where ids are numbers. None means experiment 0.
fn integer_id<'a>(place: &Place, id: &'a str) -> Result<&'a str, Refusal> {
    if matches!(place, Place::AzureMl(_)) {
        return Ok(id);
    }
    if id.is_empty() {
        return Ok("0");
    }
    if id.trim().parse::<i64>().is_ok() {
        return Ok(id.trim());
    }
    Err(Refusal::invalid(format!(
        "Invalid experiment ID '{id}'. Experiment ID must be a valid integer."
    )))
}

pub(in super::super) fn experiment_ids(
    place: &Place,
    ids: &[String],
) -> Result<Vec<String>, Refusal> {
    ids.iter().map(|it| integer_id(place, it).map(str::to_owned)).collect()
}

pub(in super::super) fn experiment<'a>(
    store: &'a Store,
    place: &Place,
    id: &str,
) -> Result<&'a Experiment, Refusal> {
    let id = integer_id(place, id)?;
    store.experiment(id).ok_or_else(|| missing(id))
}

/// Refuses a deleted experiment.
pub(super) fn active<'a>(
    store: &'a Store,
    place: &Place,
    id: &str,
) -> Result<&'a Experiment, Refusal> {
    let found = experiment(store, place, id)?;
    if found.is_deleted {
        let id = &found.id;
        return Err(Refusal::invalid(format!(
            "The experiment {id} must be in the 'active' state. Current state is deleted."
        )));
    }
    Ok(found)
}

/// What a client says of an experiment that it makes.
pub(in super::super) struct NewExperiment {
    pub(in super::super) name: String,
    pub(in super::super) artifact_location: String,
    pub(in super::super) tags: Vec<(String, String)>,
}

/// Makes an experiment. Plain MLflow counts them; Azure ML gives UUIDs.
pub(in super::super) fn decide_experiment(
    world: &World,
    place: &Place,
    new: NewExperiment,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    check_length("name", LONGEST_NAME, &new.name)?;
    for (key, value) in &new.tags {
        check_tag(key, value, LONGEST_VALUE)?;
    }
    let location = new.artifact_location;
    check_location(&location)?;
    if location.starts_with("runs:") {
        return Err(Refusal::invalid(format!(
            "Artifact location cannot be a runs:/ URI. Given: '{location}'"
        )));
    }
    let store = world.stores.at(place);
    if store.experiment_named(&new.name).is_some() {
        return Err(exists(&new.name));
    }
    let id = match place {
        Place::AzureMl(_) => ctx.draw_uuid().to_string(),
        Place::Plain | Place::Databricks(_) => {
            let ids = store.experiments().filter_map(|it| it.id.parse::<u64>().ok());
            ids.max().map_or(1, |it| it + 1).to_string()
        }
    };
    let location = match (&ctx.tracking.artifact_root, place) {
        (Some(root), Place::Plain) if location.is_empty() => format!("{root}/{id}"),
        _ => location,
    };
    let count = new.tags.len();
    let tags: BTreeMap<String, String> = new.tags.into_iter().collect();
    if tags.len() < count && *place == Place::Plain {
        // The database sees that something is there twice; MLflow says what it always says.
        return Err(exists(&new.name));
    }
    store::decide_experiment(store, place, id, &new.name, location, tags, ctx)
}

fn exists(name: &str) -> Refusal {
    let text = format!("Experiment(name={name}) already exists.");
    Refusal::new(Kind::AlreadyExists, text)
}

/// Changes an experiment that the caller has looked at.
fn decide_experiment_patch(
    place: &Place,
    id: &str,
    patch: ExperimentPatch,
    ctx: &Ctx<'_>,
) -> (Vec<kernel::Event>, ()) {
    let event = Event::ExperimentPatched { id: id.to_owned(), at: ctx.now, patch };
    (vec![store::at(place, event)], ())
}

/// Deletes an experiment with its runs, or brings them back.
pub(in super::super) fn decide_experiment_state(
    world: &World,
    place: &Place,
    id: &str,
    is_deleted: bool,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let found = experiment(world.stores.at(place), place, id)?;
    if found.is_deleted == is_deleted {
        return Err(missing(&found.id));
    }
    let patch = ExperimentPatch { is_deleted: Some(is_deleted), ..ExperimentPatch::default() };
    Ok(decide_experiment_patch(place, &found.id, patch, ctx))
}

pub(in super::super) fn decide_rename(
    world: &World,
    place: &Place,
    id: &str,
    name: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_length("name", LONGEST_NAME, name)?;
    let store = world.stores.at(place);
    let found = experiment(store, place, id)?;
    if found.is_deleted {
        return Err(invalid_state("Cannot rename a non-active experiment."));
    }
    if store.experiment_named(name).is_some_and(|it| it.id != found.id) {
        return Err(Refusal::invalid(exists(name).message).with_code("BAD_REQUEST"));
    }
    let patch = ExperimentPatch { name: Some(name.to_owned()), ..ExperimentPatch::default() };
    Ok(decide_experiment_patch(place, &found.id, patch, ctx))
}

pub(in super::super) fn decide_experiment_tag(
    world: &World,
    place: &Place,
    id: &str,
    (key, value): (&str, &str),
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_tag(key, value, LONGEST_VALUE)?;
    let found = active(world.stores.at(place), place, id)?;
    let tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    Ok(decide_experiment_patch(
        place,
        &found.id,
        ExperimentPatch { tags, ..Default::default() },
        ctx,
    ))
}

pub(in super::super) fn decide_experiment_untag(
    world: &World,
    place: &Place,
    id: &str,
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let found = active(world.stores.at(place), place, id)?;
    if !found.tags.contains_key(key) {
        let text = format!("No tag with name: {key} in experiment with id {}", found.id);
        return Err(Refusal::not_found(text));
    }
    let untagged = vec![key.to_owned()];
    let patch = ExperimentPatch { untagged, ..ExperimentPatch::default() };
    Ok(decide_experiment_patch(place, &found.id, patch, ctx))
}
