use std::collections::BTreeMap;

use super::{
    checks::{check_length, check_name, check_path, check_tag},
    models::logged,
    search::is_prompt,
};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    store::{
        self, Event, LoggedModelPatch, Model, ModelPatch, NO_STAGE, NewModel, Origin, Place,
        RegisteredModel, RegisteredModelPatch, Store, decide_model_deletion, decide_model_patch,
        decide_version,
    },
};

const LONGEST_VALUE: usize = 100_000;
const STAGES: [&str; 4] = [NO_STAGE, "Staging", "Production", "Archived"];

fn check_model_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::invalid("Missing value for required parameter 'name'."));
    }
    if name.contains(['/', ':']) {
        let text = format!("Invalid model name '{name}'. Names cannot contain '/' or ':'.");
        return Err(Refusal::invalid(text));
    }
    check_path("name", name)
}

fn number(version: &str) -> Result<u64, Refusal> {
    version.trim().parse().map_err(|_| {
        Refusal::invalid(format!("Parameter 'version' must be an integer, got '{version}'."))
    })
}

pub(in super::super) fn registered<'a>(
    store: &'a Store,
    name: &str,
) -> Result<&'a RegisteredModel, Refusal> {
    check_model_name(name)?;
    let missing = || Refusal::not_found(format!("Registered Model with name={name} not found"));
    store.registered(name).ok_or_else(missing)
}

/// A version and the model whose it is.
pub(in super::super) fn version<'a>(
    store: &'a Store,
    name: &str,
    version: &str,
) -> Result<(&'a Model, &'a RegisteredModel), Refusal> {
    check_model_name(name)?;
    let number = number(version)?;
    let missing =
        || Refusal::not_found(format!("Model Version (name={name}, version={number}) not found"));
    let model = store.registered(name).ok_or_else(missing)?;
    let found = model.versions.iter().find(|it| it.version == number);
    Ok((found.ok_or_else(missing)?, model))
}

pub(in super::super) fn decide_registered(
    world: &World,
    place: &Place,
    name: &str,
    tags: Vec<(String, String)>,
    description: Option<String>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_model_name(name)?;
    for (key, value) in &tags {
        check_tag(key, value, LONGEST_VALUE)?;
    }
    let mut model = RegisteredModel::new(name.to_owned(), ctx.now);
    model.tags = tags.into_iter().collect();
    model.description = description;
    if let Some(old) = world.stores.at(place).registered(name) {
        let what = |is_prompt| if is_prompt { "prompt" } else { "registered model" };
        let (old, new) = (is_prompt(old), is_prompt(&model));
        let text = if old == new {
            let what = if new { "Prompt" } else { "Registered Model" };
            format!("{what} (name={name}) already exists.")
        } else {
            format!(
                "Tried to create a {} with name '{name}', but the name is already taken by a {}. MLflow does not allow creating a model and a prompt with the same name.",
                what(new),
                what(old)
            )
        };
        return Err(Refusal::new(Kind::AlreadyExists, text));
    }
    Ok((vec![store::at(place, Event::RegisteredModelCreated(Box::new(model)))], ()))
}

fn patched(place: &Place, name: &str, patch: RegisteredModelPatch, ctx: &Ctx<'_>) -> kernel::Event {
    let (name, patch) = (name.to_owned(), Box::new(patch));
    store::at(place, Event::RegisteredModelPatched { name, at: ctx.now, patch })
}

pub(in super::super) fn decide_registered_description(
    world: &World,
    place: &Place,
    name: &str,
    description: Option<String>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    registered(world.stores.at(place), name)?;
    let description = Some(description);
    let patch = RegisteredModelPatch { description, is_noted: true, ..Default::default() };
    Ok((vec![patched(place, name, patch, ctx)], ()))
}

pub(in super::super) fn decide_registered_name(
    world: &World,
    place: &Place,
    name: &str,
    new_name: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_model_name(new_name)?;
    let store = world.stores.at(place);
    registered(store, name)?;
    if store.registered(new_name).is_some() {
        let text = format!("Registered Model (name={new_name}) already exists.");
        return Err(Refusal::new(Kind::AlreadyExists, text));
    }
    let (name, new_name) = (name.to_owned(), new_name.to_owned());
    let event = Event::RegisteredModelRenamed { name, new_name, at: ctx.now };
    Ok((vec![store::at(place, event)], ()))
}

pub(in super::super) fn decide_registered_removal(
    world: &World,
    place: &Place,
    name: &str,
) -> Decision<()> {
    registered(world.stores.at(place), name)?;
    let event = Event::RegisteredModelDeleted { name: name.to_owned() };
    Ok((vec![store::at(place, event)], ()))
}

pub(in super::super) fn decide_registered_tag(
    world: &World,
    place: &Place,
    name: &str,
    (key, value): (&str, &str),
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_model_name(name)?;
    check_tag(key, value, LONGEST_VALUE)?;
    let mut tags = registered(world.stores.at(place), name)?.tags.clone();
    tags.insert(key.to_owned(), value.to_owned());
    let patch = RegisteredModelPatch { tags: Some(tags), ..Default::default() };
    Ok((vec![patched(place, name, patch, ctx)], ()))
}

/// A tag that is not there may go.
pub(in super::super) fn decide_registered_untag(
    world: &World,
    place: &Place,
    name: &str,
    key: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_name("key", key)?;
    let mut tags = registered(world.stores.at(place), name)?.tags.clone();
    tags.remove(key);
    let patch = RegisteredModelPatch { tags: Some(tags), ..Default::default() };
    Ok((vec![patched(place, name, patch, ctx)], ()))
}

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

fn canonical(stage: &str) -> Result<&'static str, Refusal> {
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

fn check_alias(alias: &str) -> Result<(), Refusal> {
    if alias.is_empty() {
        return Err(Refusal::invalid("Registered model alias name cannot be empty."));
    }
    if !alias.chars().all(|it| it.is_alphanumeric() || it == '_' || it == '-') {
        return Err(Refusal::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )));
    }
    check_length("Registered model alias name", 255, alias)
}

/// Points an alias to a version.
pub(in super::super) fn decide_alias(
    world: &World,
    place: &Place,
    (name, number): (&str, &str),
    alias: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_model_name(name)?;
    check_alias(alias)?;
    if alias.eq_ignore_ascii_case("latest") {
        return Err(Refusal::invalid("'latest' alias name (case insensitive) is reserved."));
    }
    let digits = alias.strip_prefix(['v', 'V']).unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(Refusal::invalid(format!("Version alias name '{alias}' is reserved.")));
    }
    let (found, model) = version(world.stores.at(place), name, number)?;
    let mut aliases = model.aliases.clone();
    aliases.insert(alias.to_owned(), found.version);
    let patch = RegisteredModelPatch { aliases: Some(aliases), ..Default::default() };
    Ok((vec![patched(place, name, patch, ctx)], ()))
}

/// An alias that is not there may go.
pub(in super::super) fn decide_alias_removal(
    world: &World,
    place: &Place,
    name: &str,
    alias: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    check_alias(alias)?;
    let mut aliases = registered(world.stores.at(place), name)?.aliases.clone();
    aliases.remove(alias);
    let patch = RegisteredModelPatch { aliases: Some(aliases), ..Default::default() };
    Ok((vec![patched(place, name, patch, ctx)], ()))
}

pub(in super::super) fn version_by_alias<'a>(
    store: &'a Store,
    name: &str,
    alias: &str,
) -> Result<(&'a Model, &'a RegisteredModel), Refusal> {
    check_alias(alias)?;
    let model = registered(store, name)?;
    if alias.eq_ignore_ascii_case("latest") {
        let latest = model.versions.last();
        let missing = || Refusal::not_found(format!("Latest version not found for model {name}."));
        return Ok((latest.ok_or_else(missing)?, model));
    }
    let number = model.aliases.get(alias);
    let found = number.and_then(|it| model.versions.iter().find(|found| found.version == *it));
    let missing = || Refusal::invalid(format!("Registered model alias {alias} not found."));
    Ok((found.ok_or_else(missing)?, model))
}

/// The newest version of each of `stages`, or of all stages.
pub(in super::super) fn latest_versions<'a>(
    store: &'a Store,
    name: &str,
    stages: &[String],
) -> Result<(Vec<&'a Model>, &'a RegisteredModel), Refusal> {
    let model = registered(store, name)?;
    let mut wanted = Vec::new();
    for stage in stages {
        wanted.push(canonical(stage)?);
    }
    let stages = STAGES.into_iter().filter(|it| wanted.is_empty() || wanted.contains(it));
    let latest =
        stages.filter_map(|stage| model.versions.iter().rev().find(|it| it.stage == stage));
    Ok((latest.collect(), model))
}
