use std::collections::BTreeMap;

use super::{
    checks::{check_name, check_tag},
    models::logged,
    registry::{LONGEST_VALUE, check_model_name, patched, registered, version},
};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
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

/// Where the files of a logged model are.
type Location<'f> = &'f dyn Fn(&store::LoggedModel) -> String;

/// Registers the next version of a model.
pub(in super::super) fn decide_new_version(
    world: &World,
    place: &Place,
    new: NewVersion,
    location: Location<'_>,
    ctx: &Ctx<'_>,
) -> Decision<u64> {
    check_model_name(&new.name)?;
    for (key, value) in &new.tags {
        check_tag(key, value, LONGEST_VALUE)?;
    }
    let store = world.stores.at(place);
    check_source(place, &new)?;
    let mut run_id = new.run_id;
    let mut storage = None;
    if let Some(source) = new.source.strip_prefix("models:/") {
        if source.starts_with("m-") && !source.contains('/') {
            let model = logged(store, source)?;
            storage = Some(location(model));
            if run_id.is_empty() {
                run_id.clone_from(&model.source_run_id);
            }
        } else if let Some((name, number)) = source.split_once('/') {
            storage = Some(download_uri(version(store, name, number)?.0).to_owned());
        }
    }
    if let (true, Some(model)) = (run_id.is_empty(), store.logged_model(&new.model_id)) {
        run_id.clone_from(&model.source_run_id);
    }
    registered(store, &new.name)?;
    let some = |it: String| Some(it).filter(|it| !it.is_empty());
    let experiment = store.run(&run_id).ok().and_then(|it| store.experiment(&it.experiment_id));
    let model_id = some(new.model_id);
    let asked = NewModel {
        name: new.name,
        url: new.source,
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
    let tags =
        BTreeMap::from([(VERSIONS.to_owned(), serde_json::Value::from(versions).to_string())]);
    let patch = Box::new(LoggedModelPatch { tags, ..LoggedModelPatch::default() });
    let model_id = model.id.clone();
    store::at(place, Event::LoggedModelPatched { model_id, at: ctx.now, patch })
}

/// Refuses sources on the server's own disk and sources that leave their place.
fn check_source(place: &Place, new: &NewVersion) -> Result<(), Refusal> {
    let source = &new.source;
    let scheme = source.split_once(':').map_or("", |(scheme, _)| scheme);
    if matches!(scheme, "" | "file") || scheme.len() == 1 {
        let (what, of) =
            if new.model_id.is_empty() { ("run_id", "run") } else { ("model_id", "model") };
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. To use a local path as a model version source, the {what} request parameter has to be specified and the local path has to be contained within the artifact directory of the {of} specified by the {what}."
        )));
    }
    let decoded = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
    if decoded.split('/').any(|it| it == "..") || decoded.contains('\0') {
        return Err(Refusal::invalid(format!(
            "Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path."
        )));
    }
    let owner = match scheme {
        _ if matches!(place, Place::AzureMl(_)) => return Ok(()),
        "runs" => source.trim_start_matches("runs:").trim_start_matches('/').split('/').next(),
        _ => return Ok(()),
    };
    if new.model_id.is_empty() && owner == Some(new.run_id.as_str()) {
        return Ok(());
    }
    let what = if new.model_id.is_empty() { "run_id" } else { "model_id" };
    Err(Refusal::invalid(format!(
        "Invalid model version source: '{source}'. The {what} request parameter must identify the resource that contains the source."
    )))
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
