use super::{
    checks::{check_length, check_name, check_path, check_tag},
    search::is_prompt,
    versions::{STAGES, canonical},
};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    store::{self, Event, Model, Place, RegisteredModel, RegisteredModelPatch, Store},
};

pub(super) const LONGEST_VALUE: usize = 100_000;

pub(super) fn check_model_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::invalid("Missing value for required parameter 'name'."));
    }
    if name.contains(['/', ':']) {
        let text = format!("Invalid model name '{name}'. Names cannot contain '/' or ':'.");
        return Err(Refusal::invalid(text));
    }
    check_path("name", name)
}

fn number(version: &str) -> Result<i64, Refusal> {
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
    let found = u64::try_from(number).ok();
    let found = found.and_then(|it| model.versions.iter().find(|found| found.version == it));
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

pub(super) fn patched(
    place: &Place,
    name: &str,
    patch: RegisteredModelPatch,
    ctx: &Ctx<'_>,
) -> kernel::Event {
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
    let description = Some(description.unwrap_or_default());
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
    if name != new_name && store.registered(new_name).is_some() {
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
