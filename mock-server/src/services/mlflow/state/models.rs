use super::{experiments, runs::random_name};
use crate::{
    kernel::{Ctx, Decision, Refusal, World},
    store::{self, Event, LoggedModel, LoggedModelPatch, ModelStatus, Place, Store},
};

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Logged model with ID '{id}' not found."))
}

pub(in super::super) fn logged<'a>(store: &'a Store, id: &str) -> Result<&'a LoggedModel, Refusal> {
    store.logged_model(id).filter(|it| !it.is_deleted).ok_or_else(|| missing(id))
}

/// What a client says of a model that it logs.
pub(in super::super) struct NewLoggedModel {
    pub(in super::super) experiment_id: String,
    pub(in super::super) name: Option<String>,
    pub(in super::super) model_type: String,
    pub(in super::super) source_run_id: String,
    pub(in super::super) tags: Vec<(String, String)>,
    pub(in super::super) params: Vec<(String, String)>,
}

pub(in super::super) fn decide_logged_model(
    world: &World,
    place: &Place,
    new: NewLoggedModel,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    if let Some(name) =
        new.name.as_deref().filter(|it| it.contains(['/', ':', '.', '%', '"', '\'']))
    {
        let text = format!(
            "Invalid model name ('{name}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        );
        return Err(Refusal::invalid(text));
    }
    let store = world.stores.at(place);
    let experiment = experiments::active(store, place, &new.experiment_id)?;
    let id = format!("m-{}", ctx.draw_uuid().simple());
    let model = LoggedModel {
        id: id.clone(),
        experiment_id: experiment.id.clone(),
        name: new.name.unwrap_or_else(|| random_name(ctx.draw_id())),
        model_type: new.model_type,
        source_run_id: new.source_run_id,
        status: ModelStatus::Pending,
        created_at: ctx.now,
        modified_at: ctx.now,
        is_deleted: false,
        tags: new.tags.into_iter().collect(),
        params: new.params.into_iter().collect(),
        metrics: Vec::new(),
    };
    Ok((vec![store::at(place, Event::LoggedModelCreated(Box::new(model)))], id))
}

pub(in super::super) fn decide_logged_patch(
    world: &World,
    place: &Place,
    model_id: &str,
    patch: LoggedModelPatch,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    logged(world.stores.at(place), model_id)?;
    let (model_id, patch) = (model_id.to_owned(), Box::new(patch));
    let event = Event::LoggedModelPatched { model_id, at: ctx.now, patch };
    Ok((vec![store::at(place, event)], ()))
}

pub(in super::super) fn decide_logged_untag(
    world: &World,
    place: &Place,
    model_id: &str,
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    if !logged(world.stores.at(place), model_id)?.tags.contains_key(key) {
        let text = format!("No tag with key '{key}' found for model with ID '{model_id}'.");
        return Err(Refusal::not_found(text));
    }
    let untagged = vec![key.to_owned()];
    let patch = LoggedModelPatch { untagged, ..LoggedModelPatch::default() };
    decide_logged_patch(world, place, model_id, patch, ctx)
}
