//! Written from the published API reference, never from the client crates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{Catalogs, Entity, Kind, METASTORE, rules::Change};
use crate::services::databricks::wire::{flag, millis, number};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    pub(super) catalog_name: Option<String>,
    pub(super) schema_name: Option<String>,
    #[serde(deserialize_with = "number")]
    max_results: Option<i64>,
    page_token: Option<String>,
    #[serde(deserialize_with = "flag")]
    omit_columns: bool,
    #[serde(deserialize_with = "flag")]
    omit_properties: bool,
    pub(super) schema_name_pattern: Option<String>,
    pub(super) table_name_pattern: Option<String>,
    #[serde(rename = "include_browse")]
    _include_browse: Option<String>,
    #[serde(rename = "include_unbound")]
    _include_unbound: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DeleteQuery {
    #[serde(deserialize_with = "flag")]
    pub(super) force: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GrantsBody {
    changes: Vec<ChangeBody>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChangeBody {
    principal: String,
    add: Vec<String>,
    remove: Vec<String>,
}

impl GrantsBody {
    pub(super) fn read(self) -> Vec<Change> {
        let read =
            |it: ChangeBody| Change { principal: it.principal, add: it.add, remove: it.remove };
        self.changes.into_iter().map(read).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GrantsQuery {
    pub(super) principal: Option<String>,
}

/// Answers of lists name what they contain.
fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Catalog => "catalogs",
        Kind::Schema => "schemas",
        Kind::Table => "tables",
        Kind::Volume => "volumes",
    }
}

pub(super) fn describe(it: &Entity) -> Value {
    let mut fields = it.fields.clone();
    let own = json!({
        "name": it.name(), "full_name": it.full_name, "owner": it.owner, "metastore_id": METASTORE,
        "created_at": millis(it.created_at), "created_by": it.created_by,
        "updated_at": millis(it.updated_at), "updated_by": it.updated_by,
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    for (field, name) in ["catalog_name", "schema_name"].iter().zip(it.containers()) {
        fields.insert((*field).to_owned(), json!(name));
    }
    let catalog_type = if it.full_name.split('.').next() == Some("system") {
        "SYSTEM_CATALOG"
    } else {
        "MANAGED_CATALOG"
    };
    let id = match it.kind {
        Kind::Catalog => {
            fields.insert("securable_type".into(), json!("CATALOG"));
            fields.entry("isolation_mode").or_insert(json!("OPEN"));
            "id"
        }
        Kind::Schema => "schema_id",
        Kind::Table => "table_id",
        Kind::Volume => "volume_id",
    };
    fields.insert(id.into(), json!(it.id.to_string()));
    if matches!(it.kind, Kind::Catalog | Kind::Schema) {
        fields.insert("catalog_type".into(), json!(catalog_type));
    }
    Value::Object(fields)
}

fn page(found: Vec<Value>, field: &str, query: &ListQuery) -> Value {
    let size = query.max_results.and_then(|it| usize::try_from(it).ok()).filter(|it| 0 < *it);
    let size = size.unwrap_or(1000).min(1000);
    let skipped = query.page_token.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0_usize);
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(skipped).take(size).collect();
    let mut answer = json!({});
    if skipped + page.len() < total {
        answer["next_page_token"] = json!((skipped + page.len()).to_string());
    }
    if !page.is_empty() {
        answer[field] = json!(page);
    }
    answer
}

pub(super) fn list<'a>(
    kind: Kind,
    all: impl Iterator<Item = &'a Entity>,
    query: &ListQuery,
) -> Value {
    let shown = all.map(|it| {
        let mut it = describe(it);
        if let Some(fields) = it.as_object_mut() {
            for (name, is_omitted) in
                [("columns", query.omit_columns), ("properties", query.omit_properties)]
            {
                if is_omitted {
                    fields.remove(name);
                }
            }
        }
        it
    });
    page(shown.collect(), plural(kind), query)
}

/// Whether `name` is like `pattern`, in which `%` stands for any text.
fn is_like(name: &str, pattern: Option<&str>) -> bool {
    let Some(pattern) = pattern.filter(|it| !it.is_empty()) else { return true };
    let parts: Vec<&str> = pattern.split('%').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return name == pattern };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

pub(super) fn summaries(catalogs: &Catalogs, catalog: &str, query: &ListQuery) -> Value {
    let is_meant = |it: &&Entity| {
        let above = it.containers();
        above.first() == Some(&catalog)
            && above.get(1).is_some_and(|it| is_like(it, query.schema_name_pattern.as_deref()))
            && is_like(it.name(), query.table_name_pattern.as_deref())
    };
    let found = catalogs
        .of_kind(Kind::Table)
        .filter(is_meant)
        .map(|it| json!({ "full_name": it.full_name, "table_type": it.fields.get("table_type") }));
    page(found.collect(), "tables", query)
}

pub(super) fn metastore() -> Value {
    json!({
        "metastore_id": METASTORE, "name": "mock-metastore", "cloud": "azure", "region": "eastus",
        "global_metastore_id": format!("azure:eastus:{METASTORE}"), "owner": "account admins",
        "privilege_model_version": "1.0", "delta_sharing_scope": "INTERNAL",
        "storage_root": format!("abfss://unity-catalog@mockstorage1.dfs.core.windows.net/{METASTORE}"),
        "created_by": "System user", "created_at": 1_704_067_200_000_i64, "updated_at": 1_704_067_200_000_i64,
        "updated_by": "System user", "external_access_enabled": false,
    })
}

pub(super) fn assignment(workspace: u64) -> Value {
    json!({
        "metastore_id": METASTORE, "workspace_id": workspace, "default_catalog_name": "main",
    })
}

type Privileges = Vec<Value>;

fn assignments(
    entries: impl Iterator<Item = (String, Privileges)>,
    principal: Option<&str>,
) -> Value {
    let meant = entries.filter(|(name, _)| principal.is_none_or(|it| it == name));
    let list: Vec<Value> = meant
        .map(|(principal, privileges)| json!({ "principal": principal, "privileges": privileges }))
        .collect();
    if list.is_empty() { json!({}) } else { json!({ "privilege_assignments": list }) }
}

pub(super) fn grants(
    catalogs: &Catalogs,
    kind: &str,
    full_name: &str,
    principal: Option<&str>,
) -> Value {
    let own = catalogs.grants(kind, full_name).into_iter();
    assignments(
        own.map(|(name, them)| (name, them.iter().map(|it| json!(it)).collect())),
        principal,
    )
}

/// With those on the schema and the catalog above.
pub(super) fn effective_grants(
    catalogs: &Catalogs,
    kind: &str,
    full_name: &str,
    principal: Option<&str>,
) -> Value {
    let mut all: BTreeMap<String, Privileges> = BTreeMap::new();
    let mut add = |kind: &str, name: &str, is_own: bool| {
        for (principal, privileges) in catalogs.grants(kind, name) {
            let entries = all.entry(principal).or_default();
            for privilege in privileges {
                let mut entry = Map::new();
                entry.insert("privilege".into(), json!(privilege));
                if !is_own {
                    entry.insert("inherited_from_type".into(), json!(kind));
                    entry.insert("inherited_from_name".into(), json!(name));
                }
                entries.push(Value::Object(entry));
            }
        }
    };
    add(kind, full_name, true);
    let parts: Vec<&str> = full_name.split('.').collect();
    if 2 < parts.len() {
        add("SCHEMA", &parts[..2].join("."), false);
    }
    if 1 < parts.len() {
        add("CATALOG", parts[0], false);
    }
    assignments(all.into_iter(), principal)
}
