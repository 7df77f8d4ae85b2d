mod kinds;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use self::kinds::{Kind, kind, meaning};
use crate::{
    kernel::{self, Decision, Refusal, World},
    services::databricks::{self, Databricks, scim, workspace_of},
};

/// What was granted on each object, by its path, for example `/jobs/7`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Permissions(BTreeMap<String, Vec<Grant>>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(super) who: Who,
    pub(super) name: String,
    pub(super) level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Who {
    User,
    Group,
    ServicePrincipal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Set { object: String, grants: Vec<Grant> },
}

const OWNER: &str = "IS_OWNER";
const ADMINS: &str = "admins";

/// An object, and who made it.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: &'static Kind,
    pub(super) id: String,
    creator: Option<String>,
}

impl Object {
    /// The object with this id, which exists as far as the mock knows.
    pub(super) fn find(state: &Databricks, folder: &str, id: String) -> Result<Self, Refusal> {
        let unknown = || Refusal::invalid(format!("{folder} is not a type of object"));
        let kind = kind(folder).ok_or_else(unknown)?;
        let missing = || Refusal::not_found(format!("{} {id} does not exist.", kind.title));
        let creator = match folder {
            "clusters" => Some(state.clusters.get(&id).map_err(|_| missing())?.creator.clone()),
            "jobs" => {
                let found = id.parse().ok().and_then(|it| state.jobs.creator_of(it));
                Some(found.ok_or_else(missing)?.to_owned())
            }
            "instance-pools" => Some(state.pools.creator_of(&id).ok_or_else(missing)?.to_owned()),
            "repos" => Some(state.repos.creator_of(&id).ok_or_else(missing)?.to_owned()),
            "cluster-policies" => {
                state.policies.creator_of(&id).ok_or_else(missing)?;
                None
            }
            "notebooks" | "directories" | "files" => {
                let is_there = id.parse().is_ok_and(|it| state.workspace.has_id(it));
                if !is_there {
                    return Err(missing());
                }
                None
            }
            "authorization" if !matches!(id.as_str(), "tokens" | "passwords") => {
                return Err(missing());
            }
            _ => None,
        };
        Ok(Self { kind, id, creator })
    }

    pub(super) fn path(&self) -> String {
        format!("/{}/{}", self.kind.folder, self.id)
    }

    /// What was granted, or what its maker has from the beginning.
    pub(super) fn grants(&self, state: &Databricks) -> Vec<Grant> {
        if let Some(grants) = state.permissions.0.get(&self.path()) {
            return grants.clone();
        }
        let Some(name) = self.creator.clone() else { return Vec::new() };
        let who = match state.principals.get(&name).map(|it| it.kind) {
            Some(scim::Kind::ServicePrincipal) => Who::ServicePrincipal,
            _ => Who::User,
        };
        let level = if self.kind.is_owned { OWNER } else { "CAN_MANAGE" };
        vec![Grant { who, name, level: level.to_owned() }]
    }

    fn check_manager(&self, state: &Databricks, caller: &str) -> Result<(), Refusal> {
        let groups = state.principals.group_names(caller);
        let is_caller = |it: &Grant| match it.who {
            Who::Group => groups.contains(it.name.as_str()),
            _ => it.name == caller,
        };
        let manages = |it: &Grant| is_caller(it) && matches!(&*it.level, OWNER | "CAN_MANAGE");
        if groups.contains(ADMINS) || self.grants(state).iter().any(manages) {
            return Ok(());
        }
        let text = format!("{caller} does not have Manage permissions on {}", self.path());
        Err(Refusal::new(kernel::Kind::Denied, text))
    }

    /// Checks one grant.
    fn check(&self, state: &Databricks, grant: &Grant) -> Result<(), Refusal> {
        let Grant { who, name, level } = grant;
        if !self.kind.levels.contains(&level.as_str()) {
            let text = format!(
                "Permission type {level} is not defined for {}; it has {}",
                self.kind.object_type,
                self.kind.levels.join(", ")
            );
            return Err(Refusal::invalid(text));
        }
        let (kind, word) = match who {
            Who::User => (scim::Kind::User, "UserName"),
            Who::Group => (scim::Kind::Group, "GroupName"),
            Who::ServicePrincipal => (scim::Kind::ServicePrincipal, "ServicePrincipalName"),
        };
        if state.principals.named(kind, name).is_none() {
            let text = format!("Principal: {word}({name}) does not exist");
            return Err(Refusal::not_found(text));
        }
        if *who == Who::Group && name == ADMINS && level != "CAN_MANAGE" {
            return Err(Refusal::invalid("The permissions of the group admins cannot be reduced"));
        }
        if *who == Who::Group && level == OWNER {
            return Err(Refusal::invalid("Groups can not be owners"));
        }
        Ok(())
    }

    /// How much a level allows.
    fn rank(&self, level: &str) -> Option<usize> {
        self.kind.levels.iter().position(|it| *it == level)
    }
}

/// Grants in place of all earlier ones, or beside them.
pub(super) fn decide_set(
    world: &World,
    workspace: u64,
    (folder, id): (&str, String),
    new: Vec<Grant>,
    replaces: bool,
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    let object = Object::find(state, folder, id)?;
    object.check_manager(state, caller)?;
    let mut grants = object.grants(state);
    // There is one owner: a new one takes the place of the old, who stays otherwise.
    let has_owner = new.iter().any(|it| it.level == OWNER);
    grants.retain(|it: &Grant| if it.level == OWNER { !has_owner } else { !replaces });
    let is_same = |one: &Grant, other: &Grant| one.who == other.who && one.name == other.name;
    let mut done: Vec<Grant> = Vec::new();
    for grant in new {
        object.check(state, &grant)?;
        match done.iter_mut().find(|it| is_same(it, &grant)) {
            Some(it) if object.rank(&it.level) < object.rank(&grant.level) => *it = grant,
            Some(_) => (),
            None => done.push(grant),
        }
    }
    grants.retain(|it| !done.iter().any(|new| is_same(it, new)));
    grants.append(&mut done);
    // What admins have, they have anyhow.
    grants.retain(|it| it.who != Who::Group || it.name != ADMINS);
    if object.kind.is_owned && grants.iter().filter(|it| it.level == OWNER).count() != 1 {
        let text = format!("The {} must have exactly one owner.", object.kind.object_type);
        return Err(Refusal::invalid(text));
    }
    let set = databricks::Event::Permissions(Event::Set { object: object.path(), grants });
    Ok((vec![kernel::Event::Databricks(workspace, set)], ()))
}

impl Permissions {
    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::Set { object, grants } = event;
        self.0.insert(object.clone(), grants.clone());
    }
}
