use std::collections::BTreeMap;

use super::{
    checks::{check_name, check_tag},
    models::logged,
    registry::{LONGEST_VALUE, check_model_name, patched, registered, version},
    search::IS_PROMPT,
    sources::{Lineage, Locations, check_source},
};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    services::mlflow::wire::python_json,
    store::{
        self, Event, LoggedModelPatch, Model, ModelPatch, NO_STAGE, NewModel, Origin, Place,
        RegisteredModelPatch, decide_model_deletion, decide_model_patch, decide_version,
    },
};

pub(super) const STAGES: [&str; 4] = [NO_STAGE, "Staging", "Production", "Archived"];

/// What a client says of a version that it registers.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct NewVersion {
    pub(in super::super) name: String,
    pub(in super::super) source: String,
    pub(in super::super) run_id: String,
    pub(in super::super) run_link: String,
    pub(in super::super) description: Option<String>,
    pub(in super::super) model_id: String,
    pub(in super::super) tags: Vec<(String, String)>,
    pub(in super::super) created_by: String,
}

impl NewVersion {
    /// Whether it is a version of a prompt. The last of equal tags counts.
    pub(super) fn is_prompt(&self) -> bool {
        let tag = self.tags.iter().rev().find(|(key, _)| key == IS_PROMPT);
        tag.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
    }
}

/// Registers the next version of a model.
pub(in super::super) fn decide_new_version(
    world: &World,
    place: &Place,
    new: NewVersion,
    locations: &Locations<'_>,
    ctx: &Ctx<'_>,
) -> Decision<u64> {
    let store = world.stores.at(place);
    let Lineage { source, mut run_id, model_id } = check_source(store, place, &new, locations)?;
    check_model_name(&new.name)?;
    for (key, value) in &new.tags {
        check_tag(key, value, LONGEST_VALUE)?;
    }
    let mut storage = None;
    if let Some(named) = source.strip_prefix("models:/") {
        if named.starts_with("m-") && !named.contains('/') {
            let model = logged(store, named)?;
            storage = Some((locations.of_model)(model));
            if run_id.is_empty() {
                run_id.clone_from(&model.source_run_id);
            }
        } else if let Some((name, number)) = named.split_once('/') {
            storage = Some(download_uri(version(store, name, number)?.0).to_owned());
        }
    }
    if let (true, Some(model)) = (run_id.is_empty(), store.logged_model(&model_id)) {
        run_id.clone_from(&model.source_run_id);
    }
    registered(store, &new.name)?;
    let some = |it: String| Some(it).filter(|it| !it.is_empty());
    let experiment = store.run(&run_id).ok().and_then(|it| store.experiment(&it.experiment_id));
    let model_id = some(model_id);
    let asked = NewModel {
        name: new.name,
        url: source,
        description: new.description,
        experiment_name: experiment.map(|it| it.name.clone()),
        run_id: some(run_id),
        tags: new.tags.into_iter().map(|(key, value)| (key, Some(value))).collect(),
        created_by: new.created_by,
        origin: Origin { run_link: some(new.run_link), model_id: model_id.clone(), storage },
        ..NewModel::default()
    };
    let (mut events, made) = decide_version(store, place, asked, ctx);
    if let Some(model) = model_id.as_deref().and_then(|it| store.logged_model(it)) {
        events.push(noted(place, model, &made, ctx));
    }
    Ok((events, made.version))
}

/// Notes at a logged model under which name and number it is registered.
fn noted(place: &Place, model: &store::LoggedModel, made: &Model, ctx: &Ctx<'_>) -> kernel::Event {
    const VERSIONS: &str = "mlflow.modelVersions";
    let known = model.tags.get(VERSIONS).map_or("[]", String::as_str);
    let mut versions: Vec<serde_json::Value> = serde_json::from_str(known).unwrap_or_default();
    versions.push(serde_json::json!({ "name": made.name, "version": made.version }));
    let tags = BTreeMap::from([(VERSIONS.to_owned(), python_json(&versions.into()))]);
    let patch = Box::new(LoggedModelPatch { tags, ..LoggedModelPatch::default() });
    let model_id = model.id.clone();
    store::at(place, Event::LoggedModelPatched { model_id, at: ctx.now, patch })
}

/// Where the files of a version are.
pub(in super::super) fn download_uri(it: &Model) -> &str {
    it.origin.storage.as_deref().unwrap_or(&it.url)
}

fn decide_version_patch(
    world: &World,
    place: &Place,
    (name, number): (&str, &str),
    patch: ModelPatch,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    let (model, _) = version(store, name, number)?;
    decide_model_patch(store, place, name, model.version, patch, ctx)
}

pub(in super::super) fn decide_version_description(
    world: &World,
    place: &Place,
    at: (&str, &str),
    description: Option<String>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let description = Some(description.unwrap_or_default());
    decide_version_patch(world, place, at, ModelPatch { description, ..Default::default() }, ctx)
}

pub(super) fn canonical(stage: &str) -> Result<&'static str, Refusal> {
    let found = STAGES.into_iter().find(|it| it.eq_ignore_ascii_case(stage));
    found.ok_or_else(|| {
        Refusal::invalid(format!(
            "Invalid Model Version stage: {stage}. Value must be one of {}.",
            STAGES.join(", ")
        ))
    })
}

/// Moves a version to a stage and, if asked to, those there out of it.
pub(in super::super) fn decide_stage(
    world: &World,
    place: &Place,
    (name, number): (&str, &str),
    stage: &str,
    archives_others: bool,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let canonical = canonical(stage)?;
    if archives_others && !matches!(canonical, "Staging" | "Production") {
        let status = Kind::Status(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        return Err(Refusal::new(
            status,
            format!(
                "Model version transition cannot archive existing model versions because '{stage}' is not an Active stage. Valid stages are ['Staging', 'Production']"
            ),
        ));
    }
    let store = world.stores.at(place);
    let (found, model) = version(store, name, number)?;
    let mut events = Vec::new();
    let others = model.versions.iter().filter(|it| it.version != found.version);
    for other in others.filter(|it| archives_others && it.stage == canonical) {
        let patch = ModelPatch { stage: Some("Archived".to_owned()), ..Default::default() };
        events.extend(decide_model_patch(store, place, name, other.version, patch, ctx)?.0);
    }
    let patch = ModelPatch { stage: Some(canonical.to_owned()), ..Default::default() };
    events.extend(decide_model_patch(store, place, name, found.version, patch, ctx)?.0);
    let patch = RegisteredModelPatch { is_noted: true, ..Default::default() };
    events.push(patched(place, name, patch, ctx));
    Ok((events, ()))
}

pub(in super::super) fn decide_version_removal(
    world: &World,
    place: &Place,
    (name, number): (&str, &str),
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let store = world.stores.at(place);
    let (found, _) = version(store, name, number)?;
    decide_model_deletion(store, place, name, found.version, ctx)
}

pub(in super::super) fn decide_version_tag(
    world: &World,
    place: &Place,
    at: (&str, &str),
    (key, value): (&str, &str),
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_tag(key, value, LONGEST_VALUE)?;
    let mut tags = version(world.stores.at(place), at.0, at.1)?.0.tags.clone();
    tags.insert(key.to_owned(), Some(value.to_owned()));
    decide_version_patch(
        world,
        place,
        at,
        ModelPatch { tags: Some(tags), ..Default::default() },
        ctx,
    )
}

/// A tag that is not there may go.
pub(in super::super) fn decide_version_untag(
    world: &World,
    place: &Place,
    at: (&str, &str),
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_name("key", key)?;
    let mut tags = version(world.stores.at(place), at.0, at.1)?.0.tags.clone();
    tags.remove(key);
    decide_version_patch(
        world,
        place,
        at,
        ModelPatch { tags: Some(tags), ..Default::default() },
        ctx,
    )
}
