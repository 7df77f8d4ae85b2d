mod patch;
pub(super) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The admin of every new workspace.
pub(crate) const ADMIN: &str = "tester@example.com";

/// The service principal of the default world.
pub(crate) const SERVICE_PRINCIPAL: &str = "55555555-5555-5555-5555-555555555555";

/// The group of those who may do everything.
const ADMINS: &str = "admins";
/// The group of everybody.
const EVERYBODY: &str = "users";

const ADMINS_ID: u64 = 1000;
const EVERYBODY_ID: u64 = 999;

/// Who may use a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Principals(BTreeMap<u64, Principal>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    /// What a client wrote, without what is derived.
    pub(super) fields: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    User,
    ServicePrincipal,
    Group,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Principal),
    Deleted { id: u64 },
}

impl Kind {
    /// The attribute by which one is known.
    pub(super) fn naming(self) -> &'static str {
        match self {
            Self::User => "userName",
            Self::ServicePrincipal => "applicationId",
            Self::Group => "displayName",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::ServicePrincipal => "ServicePrincipal",
            Self::Group => "Group",
        }
    }
}

impl Principal {
    /// User name, client id or name of the group.
    pub(crate) fn name(&self) -> &str {
        self.text(self.kind.naming())
    }

    pub(crate) fn display_name(&self) -> &str {
        self.text("displayName")
    }

    fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn is_active(&self) -> bool {
        self.fields.get("active").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The ids of those who were put into this group.
    pub(super) fn members(&self) -> impl Iterator<Item = u64> {
        let members = self.fields.get("members").and_then(Value::as_array);
        members.into_iter().flatten().filter_map(member_id)
    }
}

/// The id in `{"value": "1"}`.
fn member_id(it: &Value) -> Option<u64> {
    match &it["value"] {
        Value::String(it) => it.parse().ok(),
        it => it.as_u64(),
    }
}

impl Principals {
    pub(crate) fn seeded() -> Self {
        let principal = |id: u64, kind, fields: Value| {
            let fields = fields.as_object().cloned().unwrap_or_default();
            (id, Principal { id, kind, fields })
        };
        let entitlements =
            json!([{ "value": "workspace-access" }, { "value": "databricks-sql-access" }]);
        let all =
            json!([{ "value": "allow-cluster-create" }, { "value": "allow-instance-pool-create" }]);
        Self(BTreeMap::from([
            principal(
                1001,
                Kind::User,
                json!({
                    "userName": ADMIN, "displayName": "Test User", "active": true,
                    "name": { "givenName": "Test", "familyName": "User" },
                    "emails": [{ "type": "work", "value": ADMIN, "primary": true }],
                }),
            ),
            principal(
                1002,
                Kind::ServicePrincipal,
                json!({
                    "applicationId": SERVICE_PRINCIPAL, "displayName": "mock service principal",
                    "active": true,
                }),
            ),
            principal(
                ADMINS_ID,
                Kind::Group,
                json!({
                    "displayName": ADMINS, "entitlements": all,
                    "members": [{ "value": "1001" }, { "value": "1002" }],
                }),
            ),
            principal(
                EVERYBODY_ID,
                Kind::Group,
                json!({ "displayName": EVERYBODY, "entitlements": entitlements }),
            ),
        ]))
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(it) => drop(self.0.insert(it.id, it.clone())),
            Event::Deleted { id } => {
                self.0.remove(id);
                let members = self.0.values_mut().filter_map(|it| it.fields.get_mut("members"));
                for members in members.filter_map(Value::as_array_mut) {
                    members.retain(|it| member_id(it) != Some(*id));
                }
            }
        }
    }

    /// The user or service principal with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Principal> {
        let is_meant =
            |it: &&Principal| it.kind != Kind::Group && it.name().eq_ignore_ascii_case(name);
        self.0.values().find(is_meant)
    }

    /// The one of this kind with this name.
    pub(crate) fn named(&self, kind: Kind, name: &str) -> Option<&Principal> {
        let is_meant = |it: &&Principal| it.kind == kind && it.name().eq_ignore_ascii_case(name);
        self.0.values().find(is_meant)
    }

    pub(crate) fn by_id(&self, id: u64) -> Option<&Principal> {
        self.0.get(&id)
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Principal> {
        self.0.values().filter(move |it| it.kind == kind)
    }

    /// The groups that have this one as a member. Everybody is in `users`.
    pub(super) fn groups_of(&self, it: &Principal) -> impl Iterator<Item = &Principal> {
        let (id, is_group) = (it.id, it.kind == Kind::Group);
        self.of_kind(Kind::Group).filter(move |group| {
            (group.id == EVERYBODY_ID && !is_group) || group.members().any(|it| it == id)
        })
    }

    /// The names of all groups that somebody is in, through other groups too.
    pub(crate) fn group_names(&self, name: &str) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let mut open: Vec<&Principal> = self.get(name).into_iter().collect();
        while let Some(it) = open.pop() {
            for group in self.groups_of(it) {
                if names.insert(group.name()) {
                    open.push(group);
                }
            }
        }
        names
    }

    /// Whether somebody may do everything.
    pub(crate) fn is_admin(&self, name: &str) -> bool {
        self.group_names(name).contains(ADMINS)
    }

    /// Refuses whoever may not do everything.
    pub(crate) fn check_admin(&self, name: &str) -> Result<(), crate::kernel::Refusal> {
        if self.is_admin(name) {
            return Ok(());
        }
        let text = "Only admin users can perform this operation.";
        Err(crate::kernel::Refusal::new(crate::kernel::Kind::Denied, text))
    }
}
