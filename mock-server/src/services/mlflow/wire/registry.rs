use serde_json::{Value, json};

use super::{millis, pairs_json, put_list, put_text};
use crate::store::{Model, NO_STAGE, RegisteredModel};

pub(in crate::services::mlflow) fn version_json(it: &Model, model: &RegisteredModel) -> Value {
    let mut shown = listed_version_json(it);
    let aliases = model.aliases.iter().filter(|(_, version)| **version == it.version);
    put_list(&mut shown, "aliases", aliases.map(|(alias, _)| alias.as_str().into()).collect());
    shown
}

/// A version among others: without its aliases.
pub(in crate::services::mlflow) fn listed_version_json(it: &Model) -> Value {
    let mut shown = json!({
        "name": it.name, "version": it.version.to_string(),
        "creation_timestamp": millis(it.created_at),
        "last_updated_timestamp": millis(it.modified_at), "current_stage": it.stage,
        "source": it.url, "status": "READY", "run_id": it.run_id.as_deref().unwrap_or_default(),
        "description": it.description.as_deref().unwrap_or_default(),
        "run_link": it.origin.run_link.as_deref().unwrap_or_default(),
    });
    let tags = it.tags.iter().map(|(key, it)| (key, it.as_deref().unwrap_or_default()));
    put_list(&mut shown, "tags", pairs_json(tags));
    put_text(&mut shown, "model_id", it.origin.model_id.as_deref());
    shown
}

/// With the newest version of each stage.
pub(in crate::services::mlflow) fn registered_json(it: &RegisteredModel) -> Value {
    let mut shown = json!({
        "name": it.name, "creation_timestamp": millis(it.created_at),
        "last_updated_timestamp": millis(it.modified_at),
    });
    put_text(&mut shown, "description", it.description.as_deref().filter(|it| !it.is_empty()));
    put_list(&mut shown, "tags", pairs_json(it.tags.iter().map(|(key, it)| (key, it.as_str()))));
    let latest = [NO_STAGE, "Staging", "Production", "Archived"]
        .into_iter()
        .filter_map(|stage| it.versions.iter().rev().find(|version| version.stage == stage));
    put_list(&mut shown, "latest_versions", latest.map(listed_version_json).collect());
    let alias = |(alias, version): (&String, &u64)| json!({ "alias": alias, "version": version.to_string() });
    put_list(&mut shown, "aliases", it.aliases.iter().map(alias).collect());
    shown
}
