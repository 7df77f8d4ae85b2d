//! The rules of run history over the store.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    services::azure::AtWorkspace,
    store::{self, Experiment, ExperimentPatch, Place, Run, RunError, RunPatch, Status, Store},
};

/// An experiment by its name or by its id: paths have both forms.
#[derive(Clone, Debug)]
pub(super) enum ExperimentKey {
    Name(String),
    Id(String),
}

pub(super) fn experiment<'a>(
    store: &'a Store,
    key: &ExperimentKey,
) -> Result<&'a Experiment, Refusal> {
    let (found, shown) = match key {
        ExperimentKey::Name(name) => (store.experiment_named(name), name),
        ExperimentKey::Id(id) => (store.experiment(id), id),
    };
    found.ok_or_else(|| {
        Refusal::not_found(format!("Experiment {shown} not found")).with_code("UserError")
    })
}

/// A run of an experiment.
pub(super) fn run_of<'a>(
    store: &'a Store,
    key: &ExperimentKey,
    run_id: &str,
) -> Result<&'a Run, Refusal> {
    let experiment = experiment(store, key)?;
    let run = store.run(run_id)?;
    if run.experiment_id == experiment.id {
        Ok(run)
    } else {
        let text = format!("Run {run_id} is not in experiment {}", experiment.name);
        Err(Refusal::not_found(text))
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    if 255 < name.len()
        || !name.starts_with(|it: char| it.is_ascii_alphanumeric())
        || !name.chars().all(legal)
    {
        let text = format!("{name:?} is no name for an experiment: letters, digits, - _");
        return Err(Refusal::invalid(text));
    }
    Ok(())
}

/// The experiment called `name`, made if there is none.
pub(crate) fn decide_experiment_named(
    world: &World,
    place: &Place,
    name: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let store = world.stores.at(place);
    if let Some(experiment) = store.experiment_named(name) {
        return Ok((Vec::new(), experiment.id.clone()));
    }
    check_name(name)?;
    let id = ctx.draw_uuid().to_string();
    store::decide_experiment(store, place, id, name, String::new(), BTreeMap::new(), ctx)
}

/// Changes an experiment. Its name stays the only one of its kind.
pub(super) fn decide_experiment_patch(
    world: &World,
    place: &Place,
    id: &str,
    patch: ExperimentPatch,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let taken = patch.name.as_ref().and_then(|name| world.stores.at(place).experiment_named(name));
    if let Some(other) = taken.filter(|it| it.id != id) {
        let text = format!("Experiment {} already exists", other.name);
        return Err(Refusal::new(Kind::AlreadyExists, text));
    }
    if let Some(name) = &patch.name {
        check_name(name)?;
    }
    let event = store::Event::ExperimentPatched { id: id.to_owned(), at: ctx.now, patch };
    Ok((vec![kernel::Event::Store(place.clone(), event)], ()))
}

/// Changes a run, or makes it: a PATCH of an unknown run is how runs begin.
pub(super) fn decide_upsert(
    world: &World,
    scope: &AtWorkspace,
    key: &ExperimentKey,
    runs: Vec<(String, Option<Status>, RunPatch)>,
    user: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(&scope.place);
    let experiment_id = &experiment(store, key)?.id;
    let mut number = store.next_run_number();
    let (mut events, mut made) = (Vec::new(), BTreeSet::new());
    for (run_id, status, patch) in runs {
        if store.has_run(&run_id) {
            run_of(store, key, &run_id)?;
            events.extend(store::decide_patch(store, &scope.place, &run_id, patch, ctx)?.0);
            if let Some(status) = status {
                events.extend(
                    store::decide_status(store, &scope.place, &run_id, status, None, ctx)?.0,
                );
            }
            continue;
        }
        if !made.insert(run_id.clone()) {
            return Err(Refusal::invalid(format!("run {run_id} is in the batch twice")));
        }
        let status = status.unwrap_or(Status::NotStarted);
        let created = store::decide_run(
            store,
            &scope.place,
            experiment_id,
            run_id,
            status,
            user,
            patch,
            number,
            ctx,
        )?;
        events.extend(created.0);
        number += 1;
    }
    Ok((events, ()))
}

/// One event that a client posts about its run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Posted {
    /// The last part of the event's name: `Start`, `Completed` …
    pub(super) name: String,
    pub(super) error: Option<RunError>,
    pub(super) at: Option<OffsetDateTime>,
}

/// What a posted event changes. Events that change no status are taken and forgotten.
pub(super) fn decide_event(
    world: &World,
    place: &Place,
    run_id: &str,
    posted: &Posted,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    let run = store.run(run_id)?;
    let status = match posted.name.as_str() {
        "Queued" => Status::Queued,
        "Preparing" => Status::Preparing,
        "Provisioning" => Status::Provisioning,
        "Starting" => Status::Starting,
        "Start" | "Running" => Status::Running,
        "Finalizing" => Status::Finalizing,
        "CancelRequested" => Status::CancelRequested,
        "Completed" => Status::Completed,
        "Failed" => Status::Failed,
        "Canceled" | "Cancelled" => Status::Canceled,
        _ => {
            let Some(error) = &posted.error else { return Ok((Vec::new(), ())) };
            let error = store::Event::ErrorSet { run_id: run_id.to_owned(), error: error.clone() };
            return Ok((vec![kernel::Event::Store(place.clone(), error)], ()));
        }
    };
    // A run that is over stays over; a repeated event changes nothing.
    if run.status == status || (run.status.is_final() && !status.is_final()) {
        return Ok((Vec::new(), ()));
    }
    store::decide_status(store, place, run_id, status, posted.error.clone(), ctx)
}
