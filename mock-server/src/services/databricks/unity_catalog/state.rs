pub(super) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::services::databricks::scim::ADMIN;

/// The metastore of every workspace.
pub(super) const METASTORE: &str = "77777777-7777-7777-7777-777777777777";

/// What there is, by kind and full name, and what was granted on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Catalogs {
    /// By `kind/full.name`.
    all: BTreeMap<String, Entity>,
    /// Privileges by `TYPE/full.name`, then by principal.
    grants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Catalog,
    Schema,
    Table,
    Volume,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entity {
    pub(super) kind: Kind,
    /// `catalog`, `catalog.schema` or `catalog.schema.name`.
    pub(super) full_name: String,
    pub(super) id: Uuid,
    pub(super) owner: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) created_by: String,
    pub(super) updated_at: OffsetDateTime,
    pub(super) updated_by: String,
    /// What is given back as it came.
    pub(super) fields: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Entity),
    /// With all that is in it.
    Renamed {
        kind: Kind,
        from: String,
        to: String,
    },
    Deleted {
        kind: Kind,
        full_name: String,
    },
    Granted {
        object: String,
        principal: String,
        privileges: BTreeSet<String>,
    },
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Catalog => "Catalog",
            Self::Schema => "Schema",
            Self::Table => "Table",
            Self::Volume => "Volume",
        }
    }

    fn key(self, full_name: &str) -> String {
        format!("{}/{full_name}", self.word())
    }

    /// Whether something of this kind can contain others.
    fn is_container(self) -> bool {
        matches!(self, Self::Catalog | Self::Schema)
    }
}

/// Whether `full_name` is inside of `container`.
fn is_inside(full_name: &str, container: &str) -> bool {
    full_name.strip_prefix(container).is_some_and(|it| it.starts_with('.'))
}

impl Entity {
    pub(super) fn name(&self) -> &str {
        self.full_name.rsplit('.').next().unwrap_or_default()
    }

    /// The names of catalog and schema.
    pub(super) fn containers(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = self.full_name.split('.').collect();
        parts.pop();
        parts
    }
}

impl Catalogs {
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let entity = |kind: Kind, name: &str, comment: &str| {
            let fields = json!({ "comment": comment });
            let it = Entity {
                kind,
                full_name: name.to_owned(),
                id: crate::kernel::ids::uuid(7, name.len() as u64),
                owner: ADMIN.to_owned(),
                created_at: at,
                created_by: "System user".into(),
                updated_at: at,
                updated_by: "System user".into(),
                fields: fields.as_object().cloned().unwrap_or_default(),
            };
            (kind.key(name), it)
        };
        let all = [
            entity(Kind::Catalog, "main", "Main catalog (auto-created)"),
            entity(Kind::Schema, "main.default", "Default schema (auto-created)"),
            entity(Kind::Schema, "main.information_schema", "Information schema (auto-created)"),
            entity(Kind::Catalog, "system", "System catalog (auto-created)"),
            entity(Kind::Schema, "system.information_schema", "Information schema (auto-created)"),
        ];
        Self { all: BTreeMap::from(all), grants: BTreeMap::new() }
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(it) => drop(self.all.insert(it.kind.key(&it.full_name), it.clone())),
            Event::Deleted { kind, full_name } => {
                self.all.retain(|_, it| {
                    (it.kind != *kind || it.full_name != *full_name)
                        && !(kind.is_container() && is_inside(&it.full_name, full_name))
                });
                let own = kind.key(full_name).to_uppercase();
                self.grants.retain(|key, _| key.to_uppercase() != own);
            }
            Event::Renamed { kind, from, to } => self.rename(*kind, from, to),
            Event::Granted { object, principal, privileges } => {
                let grants = self.grants.entry(object.clone()).or_default();
                grants.remove(principal);
                if !privileges.is_empty() {
                    grants.insert(principal.clone(), privileges.clone());
                }
            }
        }
    }

    fn rename(&mut self, kind: Kind, from: &str, to: &str) {
        let all = std::mem::take(&mut self.all);
        let renamed = all.into_values().map(|mut it| {
            let is_it = it.kind == kind && it.full_name == from;
            if is_it || (kind.is_container() && is_inside(&it.full_name, from)) {
                it.full_name = format!("{to}{}", &it.full_name[from.len()..]);
            }
            (it.kind.key(&it.full_name), it)
        });
        self.all = renamed.collect();
        let own = rules::object(kind.word(), from);
        if let Some(grants) = self.grants.remove(&own) {
            self.grants.insert(rules::object(kind.word(), to), grants);
        }
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entity> {
        self.all.values().filter(move |it| it.kind == kind)
    }

    /// What is directly in a catalog or schema.
    pub(super) fn inside<'a>(
        &'a self,
        kind: Kind,
        container: &'a str,
    ) -> impl Iterator<Item = &'a Entity> {
        self.of_kind(kind).filter(move |it| {
            let above = it.full_name.rsplit_once('.').map(|(above, _)| above);
            above == Some(container)
        })
    }

    pub(super) fn find(&self, kind: Kind, full_name: &str) -> Option<&Entity> {
        self.all.get(&kind.key(&full_name.to_lowercase()))
    }
}
