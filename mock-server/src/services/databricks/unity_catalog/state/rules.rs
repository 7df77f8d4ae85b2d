use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Catalogs, Entity, Event, Kind, is_inside};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World},
    services::databricks::{self, workspace_of},
};

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::UnityCatalog(event))
}

/// What is called so.
pub(in super::super) fn found<'a>(
    catalogs: &'a Catalogs,
    kind: Kind,
    full_name: &str,
) -> Result<&'a Entity, Refusal> {
    catalogs.find(kind, full_name).ok_or_else(|| {
        let word = kind.word();
        let code = format!("{}_DOES_NOT_EXIST", word.to_uppercase());
        Refusal::not_found(format!("{word} '{full_name}' does not exist.")).with_code(code)
    })
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let is_bad = |it: char| matches!(it, '.' | '/' | ' ') || it.is_control();
    if name.is_empty() || 255 < name.len() || name.contains(is_bad) {
        let text = format!("'{name}' is not a valid name");
        return Err(Refusal::invalid(text));
    }
    Ok(())
}

fn check_free(catalogs: &Catalogs, kind: Kind, full_name: &str) -> Result<(), Refusal> {
    if catalogs.find(kind, full_name).is_none() {
        return Ok(());
    }
    let word = kind.word();
    let text = format!("{word} '{full_name}' already exists");
    Err(Refusal::invalid(text).with_code(format!("{}_ALREADY_EXISTS", word.to_uppercase())))
}

/// Where what Databricks manages would lie.
fn location(kind: Kind, id: uuid::Uuid) -> String {
    let folder = match kind {
        Kind::Volume => "volumes",
        _ => "tables",
    };
    let metastore = super::METASTORE;
    format!("abfss://unity-catalog@mockstorage1.dfs.core.windows.net/{metastore}/{folder}/{id}")
}

pub(in super::super) fn decide_create(
    world: &World,
    workspace: u64,
    kind: Kind,
    mut fields: Map<String, Value>,
    caller: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<Entity> {
    let catalogs = &workspace_of(world, workspace)?.unity_catalog;
    fields.retain(|_, it| !it.is_null());
    let mut take = |name: &str| {
        let text = fields.remove(name).and_then(|it| it.as_str().map(str::to_lowercase));
        text.ok_or_else(|| Refusal::invalid(format!("Missing required field: {name}")))
    };
    let name = take("name")?;
    check_name(&name)?;
    let full_name = match kind {
        Kind::Catalog => name,
        Kind::Schema => {
            format!("{}.{name}", found(catalogs, Kind::Catalog, &take("catalog_name")?)?.full_name)
        }
        Kind::Table | Kind::Volume => {
            let catalog = take("catalog_name")?;
            found(catalogs, Kind::Catalog, &catalog)?;
            let schema = format!("{catalog}.{}", take("schema_name")?);
            format!("{}.{name}", found(catalogs, Kind::Schema, &schema)?.full_name)
        }
    };
    check_free(catalogs, kind, &full_name)?;
    let entity = |kind: Kind, full_name: String, fields, id| Entity {
        kind,
        full_name,
        id,
        owner: caller.to_owned(),
        created_at: ctx.now,
        created_by: caller.to_owned(),
        updated_at: ctx.now,
        updated_by: caller.to_owned(),
        fields,
    };
    let mut made = entity(kind, full_name.clone(), fields, uuid::Uuid::nil());
    let mut more = Vec::new();
    if kind == Kind::Catalog {
        for name in ["default", "information_schema"] {
            let name = format!("{full_name}.{name}");
            more.push(entity(Kind::Schema, name, Map::new(), uuid::Uuid::nil()));
        }
    }
    made.id = ctx.draw_uuid();
    for it in &mut more {
        it.id = ctx.draw_uuid();
    }
    check_location(&mut made)?;
    let events = std::iter::once(made.clone()).chain(more);
    Ok((events.map(|it| event(workspace, Event::Put(it))).collect(), made))
}

/// What is external says where it lies; what is managed is told.
fn check_location(it: &mut Entity) -> Result<(), Refusal> {
    let (field, default) = match it.kind {
        Kind::Volume => ("volume_type", "MANAGED"),
        Kind::Table => ("table_type", "MANAGED"),
        _ => return Ok(()),
    };
    let own = it.fields.entry(field).or_insert_with(|| json!(default)).clone();
    let has_location = it.fields.contains_key("storage_location");
    if own == "EXTERNAL" && !has_location {
        let text = format!("{field} EXTERNAL needs a storage_location");
        return Err(Refusal::invalid(text));
    }
    if own == "MANAGED" {
        if it.kind == Kind::Volume && has_location {
            return Err(Refusal::invalid("A managed volume cannot have a storage_location"));
        }
        let location = location(it.kind, it.id);
        it.fields.entry("storage_location").or_insert(json!(location));
    }
    Ok(())
}

pub(in super::super) fn decide_update(
    world: &World,
    workspace: u64,
    (kind, full_name): (Kind, &str),
    mut changes: Map<String, Value>,
    caller: String,
    ctx: &Ctx<'_>,
) -> Decision<Entity> {
    let catalogs = &workspace_of(world, workspace)?.unity_catalog;
    let mut it = found(catalogs, kind, full_name)?.clone();
    let mut text = |name: &str| changes.remove(name).and_then(|it| it.as_str().map(str::to_owned));
    let (new_name, owner) = (text("new_name"), text("owner"));
    for name in ["name", "full_name", "full_name_arg"] {
        changes.remove(name);
    }
    it.owner = owner.unwrap_or(it.owner);
    (it.updated_at, it.updated_by) = (ctx.now, caller);
    it.fields.extend(changes);
    it.fields.retain(|_, value| !value.is_null());
    let mut events = vec![event(workspace, Event::Put(it.clone()))];
    if let Some(name) = new_name.map(|it| it.to_lowercase()).filter(|name| name != it.name()) {
        check_name(&name)?;
        let mut parts = it.containers();
        parts.push(&name);
        let to = parts.join(".");
        check_free(catalogs, kind, &to)?;
        let from = std::mem::replace(&mut it.full_name, to.clone());
        events.push(event(workspace, Event::Renamed { kind, from, to }));
    }
    Ok((events, it))
}

pub(in super::super) fn decide_delete(
    world: &World,
    workspace: u64,
    (kind, full_name): (Kind, &str),
    by_force: bool,
) -> Decision<Entity> {
    let catalogs = &workspace_of(world, workspace)?.unity_catalog;
    let it = found(catalogs, kind, full_name)?.clone();
    let is_content = |other: &&Entity| {
        is_inside(&other.full_name, &it.full_name) && other.name() != "information_schema"
    };
    if kind.is_container() && !by_force && catalogs.all.values().any(|other| is_content(&other)) {
        let text = format!("{} '{}' is not empty.", kind.word(), it.full_name);
        return Err(Refusal::invalid(text).with_code("INVALID_STATE"));
    }
    let full_name = it.full_name.clone();
    Ok((vec![event(workspace, Event::Deleted { kind, full_name })], it))
}

/// What grants are kept under.
pub(in super::super) fn object(kind: &str, full_name: &str) -> String {
    format!("{}/{}", kind.to_uppercase(), full_name.to_lowercase())
}

/// Refuses an object that is not there, as far as the mock knows its kind.
pub(in super::super) fn check_object(
    catalogs: &Catalogs,
    kind: &str,
    full_name: &str,
) -> Result<(), Refusal> {
    let kind = match kind.to_uppercase().as_str() {
        "CATALOG" => Kind::Catalog,
        "SCHEMA" => Kind::Schema,
        "TABLE" => Kind::Table,
        "VOLUME" => Kind::Volume,
        _ => return Ok(()),
    };
    found(catalogs, kind, full_name).map(drop)
}

/// A change of what one principal may do.
#[derive(Debug)]
pub(in super::super) struct Change {
    pub(in super::super) principal: String,
    pub(in super::super) add: Vec<String>,
    pub(in super::super) remove: Vec<String>,
}

pub(in super::super) fn decide_grants(
    world: &World,
    workspace: u64,
    (kind, full_name): (&str, &str),
    changes: Vec<Change>,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    check_object(&state.unity_catalog, kind, full_name)?;
    let object = object(kind, full_name);
    let mut grants = state.unity_catalog.grants.get(&object).cloned().unwrap_or_default();
    let mut touched = BTreeSet::new();
    for Change { principal, add, remove } in changes {
        let principals = &state.principals;
        let is_known = principals.get(&principal).is_some()
            || principals.named(databricks::scim::Kind::Group, &principal).is_some()
            || principal == "account users";
        if !is_known {
            let text = format!("Could not find principal with name {principal}");
            return Err(Refusal::not_found(text).with_code("PRINCIPAL_DOES_NOT_EXIST"));
        }
        let own = grants.entry(principal.clone()).or_default();
        let written = |it: String| it.to_uppercase().replace(' ', "_");
        own.extend(add.into_iter().map(written));
        for gone in remove.into_iter().map(written) {
            if gone == "ALL_PRIVILEGES" {
                own.clear();
            }
            own.remove(&gone);
        }
        touched.insert(principal);
    }
    let granted = touched.into_iter().map(|principal| {
        let privileges = grants.get(&principal).cloned().unwrap_or_default();
        event(workspace, Event::Granted { object: object.clone(), principal, privileges })
    });
    Ok((granted.collect(), ()))
}

impl Catalogs {
    /// What was granted on one object.
    pub(in super::super) fn grants(
        &self,
        kind: &str,
        full_name: &str,
    ) -> BTreeMap<String, BTreeSet<String>> {
        self.grants.get(&object(kind, full_name)).cloned().unwrap_or_default()
    }
}
