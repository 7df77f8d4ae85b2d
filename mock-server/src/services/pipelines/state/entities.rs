//! What pipelines are made of: data types, modules, data sources.

use serde_json::{Map, Value};

use super::{Event, Pipelines};
use crate::{
    kernel::{self, Ctx, Decision, Refusal},
    services::history::instant,
};

/// The kinds of things that are kept as the client described them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Module,
    DataSource,
}

/// Keeps a module or a data source under its id and its hash.
pub(in super::super) fn decide_entity(
    mut body: Value,
    kind: Kind,
    ctx: &mut Ctx<'_>,
) -> Decision<Value> {
    let hash = body["IdentifierHash"].as_str().unwrap_or_default().to_owned();
    if hash.is_empty() {
        return Err(Refusal::invalid("IdentifierHash is missing"));
    }
    let Some(fields) = body.as_object_mut() else {
        return Err(Refusal::invalid("the body must be an object"));
    };
    let id = ctx.draw_uuid().to_string();
    let now = instant(ctx.now);
    for (name, value) in [
        ("Id", id.as_str()),
        ("Etag", "\"0\""),
        ("EntityStatus", "0"),
        ("UploadState", "Completed"),
        ("CreatedDate", &now),
        ("LastModifiedDate", &now),
    ] {
        fields.insert(name.to_owned(), value.into());
    }
    let kept = body.clone();
    let event = match kind {
        Kind::Module => Event::ModuleCreated { id, hash, body: kept },
        Kind::DataSource => Event::DataSourceCreated { id, hash, body: kept },
    };
    Ok((vec![kernel::Event::Pipelines(event)], body))
}

/// Changes what is known of a module or a data source. What makes it the one
/// that it is stays.
pub(in super::super) fn decide_entity_update(
    pipelines: &Pipelines,
    kind: Kind,
    id: &str,
    changes: &Map<String, Value>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    const FIXED: &[&str] = &["Id", "IdentifierHash", "CreatedDate", "StructuredInterface"];
    let found = match kind {
        Kind::Module => pipelines.module(id)?,
        Kind::DataSource => pipelines.data_source(id)?,
    };
    let mut body = found.clone();
    for (name, value) in changes.iter().filter(|(name, _)| !FIXED.contains(&name.as_str())) {
        body[name.as_str()] = value.clone();
    }
    body["LastModifiedDate"] = instant(ctx.now).into();
    let hash = body["IdentifierHash"].as_str().unwrap_or_default().to_owned();
    let id = id.to_owned();
    let event = match kind {
        Kind::Module => Event::ModuleCreated { id, hash, body },
        Kind::DataSource => Event::DataSourceCreated { id, hash, body },
    };
    Ok((vec![kernel::Event::Pipelines(event)], ()))
}

/// Keeps a data type beside those that each workspace has.
pub(in super::super) fn decide_data_type(
    pipelines: &Pipelines,
    builtin: &[&str],
    body: &Value,
    ctx: &Ctx<'_>,
) -> Decision<Value> {
    let text = |name: &str| body[name].as_str().filter(|it| !it.is_empty());
    let id = text("Id").or_else(|| text("Name"));
    let id = id.ok_or_else(|| Refusal::invalid("Id is missing: a data type needs an id"))?;
    if builtin.contains(&id) || pipelines.data_types.contains_key(id) {
        return Err(Refusal::conflict(format!("Data type {id} exists already")));
    }
    let parents = body["ParentDataTypeIds"].as_array().cloned().unwrap_or_default();
    let exists = |it: &str| builtin.contains(&it) || pipelines.data_types.contains_key(it);
    if let Some(unknown) = parents.iter().find(|it| !it.as_str().is_some_and(exists)) {
        return Err(Refusal::invalid(format!("ParentDataTypeIds: {unknown} is no data type")));
    }
    let now = instant(ctx.now);
    let kept = serde_json::json!({
        "Id": id, "Name": text("Name").unwrap_or(id), "Description": body["Description"],
        "CreatedDate": now, "LastModifiedDate": now,
        "IsDirectory": body["IsDirectory"].as_bool().unwrap_or_default(),
        "ParentDataTypeIds": parents,
    });
    let event = Event::DataTypeCreated { id: id.to_owned(), body: kept.clone() };
    Ok((vec![kernel::Event::Pipelines(event)], kept))
}
