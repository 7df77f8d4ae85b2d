//! What pipelines are made of: data types, modules, data sources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Event, Graph, Pipelines, missing};
use crate::{
    kernel::{self, Ctx, Decision, Refusal},
    services::history::instant,
};

/// What pipelines of one workspace are made of: as the client described it,
/// with what the service adds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entities {
    pub(super) modules: BTreeMap<String, Value>,
    pub(super) module_hashes: BTreeMap<String, String>,
    pub(super) data_sources: BTreeMap<String, Value>,
    pub(super) data_source_hashes: BTreeMap<String, String>,
    /// Data types beside those that each workspace has.
    pub(super) data_types: BTreeMap<String, Value>,
    pub(super) graphs: BTreeMap<String, Graph>,
}

/// `at` is the id of the workspace that asks: it sees nothing of another.
impl Pipelines {
    pub(in super::super) fn module(&self, at: &str, id: &str) -> Result<&Value, Refusal> {
        let found = self.entities.get(at).and_then(|it| it.modules.get(id));
        found.ok_or_else(|| missing("Module"))
    }

    pub(in super::super) fn module_by_hash(&self, at: &str, hash: &str) -> Result<&Value, Refusal> {
        let id = self.entities.get(at).and_then(|it| it.module_hashes.get(hash));
        self.module(at, id.map(String::as_str).unwrap_or_default())
    }

    pub(in super::super) fn data_source(&self, at: &str, id: &str) -> Result<&Value, Refusal> {
        let found = self.entities.get(at).and_then(|it| it.data_sources.get(id));
        found.ok_or_else(|| missing("DataSource"))
    }

    pub(in super::super) fn data_source_by_hash(
        &self,
        at: &str,
        hash: &str,
    ) -> Result<&Value, Refusal> {
        let id = self.entities.get(at).and_then(|it| it.data_source_hashes.get(hash));
        self.data_source(at, id.map(String::as_str).unwrap_or_default())
    }

    pub(in super::super) fn graph(&self, at: &str, id: &str) -> Result<&Graph, Refusal> {
        let found = self.entities.get(at).and_then(|it| it.graphs.get(id));
        found.ok_or_else(|| missing("Graph"))
    }

    pub(in super::super) fn data_types(&self, at: &str) -> impl Iterator<Item = &Value> {
        self.entities.get(at).into_iter().flat_map(|it| it.data_types.values())
    }
}

/// The kinds of things that are kept as the client described them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Module,
    DataSource,
}

/// Keeps a module or a data source under its id and its hash.
pub(in super::super) fn decide_entity(
    at: &str,
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
    let event = kept(at, kind, id, hash, body.clone());
    Ok((vec![kernel::Event::Pipelines(event)], body))
}

fn kept(at: &str, kind: Kind, id: String, hash: String, body: Value) -> Event {
    let workspace = at.to_owned();
    match kind {
        Kind::Module => Event::ModuleCreated { workspace, id, hash, body },
        Kind::DataSource => Event::DataSourceCreated { workspace, id, hash, body },
    }
}

/// Changes what is known of a module or a data source. What makes it the one
/// that it is stays.
pub(in super::super) fn decide_entity_update(
    pipelines: &Pipelines,
    at: &str,
    kind: Kind,
    id: &str,
    changes: &Map<String, Value>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    const FIXED: &[&str] = &["Id", "IdentifierHash", "CreatedDate", "StructuredInterface"];
    let found = match kind {
        Kind::Module => pipelines.module(at, id)?,
        Kind::DataSource => pipelines.data_source(at, id)?,
    };
    let mut body = found.clone();
    for (name, value) in changes.iter().filter(|(name, _)| !FIXED.contains(&name.as_str())) {
        body[name.as_str()] = value.clone();
    }
    body["LastModifiedDate"] = instant(ctx.now).into();
    let hash = body["IdentifierHash"].as_str().unwrap_or_default().to_owned();
    let event = kept(at, kind, id.to_owned(), hash, body);
    Ok((vec![kernel::Event::Pipelines(event)], ()))
}

/// Keeps a data type beside those that each workspace has.
pub(in super::super) fn decide_data_type(
    pipelines: &Pipelines,
    at: &str,
    builtin: &[&str],
    body: &Value,
    ctx: &Ctx<'_>,
) -> Decision<Value> {
    let text = |name: &str| body[name].as_str().filter(|it| !it.is_empty());
    let id = text("Id").or_else(|| text("Name"));
    let id = id.ok_or_else(|| Refusal::invalid("Id is missing: a data type needs an id"))?;
    let known = pipelines.entities.get(at).map(|it| &it.data_types);
    let exists = |it: &str| builtin.contains(&it) || known.is_some_and(|all| all.contains_key(it));
    if exists(id) {
        return Err(Refusal::conflict(format!("Data type {id} exists already")));
    }
    let parents = body["ParentDataTypeIds"].as_array().cloned().unwrap_or_default();
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
    let event =
        Event::DataTypeCreated { workspace: at.to_owned(), id: id.to_owned(), body: kept.clone() };
    Ok((vec![kernel::Event::Pipelines(event)], kept))
}
