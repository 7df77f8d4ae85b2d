mod definition;
mod families;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use self::definition::Definition;
pub(super) use self::families::{FAMILIES, Family, family};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, World, ids},
    services::databricks::{self, Databricks, workspace_of},
};

/// The cluster policies of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policies(BTreeMap<String, Policy>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(super) id: String,
    pub(super) creator: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) name: String,
    /// The rules that hold, as JSON text.
    pub(super) definition: String,
    pub(super) most_per_user: Option<u64>,
    /// What is given back as it came.
    pub(super) others: Map<String, Value>,
}

/// A description that has been read.
#[derive(Debug)]
pub(super) struct NewPolicy {
    pub(super) name: String,
    pub(super) definition: Option<String>,
    pub(super) family: Option<String>,
    pub(super) overrides: Option<String>,
    pub(super) most_per_user: Option<u64>,
    pub(super) others: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Policy),
    Deleted { id: String },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Policies(event))
}

impl NewPolicy {
    /// The rules that hold: its own, or those of its family with its changes.
    fn definition(&self) -> Result<String, Refusal> {
        let text = match (&self.definition, &self.family) {
            (Some(_), Some(_)) => {
                let text = "Only one of definition and policy_family_id may be given";
                return Err(Refusal::invalid(text));
            }
            (Some(own), None) => own.clone(),
            (None, None) => {
                let text = "One of definition and policy_family_id is required";
                return Err(Refusal::invalid(text));
            }
            (None, Some(id)) => {
                let mut rules = definition::object(family(id)?.definition)?;
                if let Some(overrides) = &self.overrides {
                    rules.extend(definition::object(overrides)?);
                }
                Value::Object(rules).to_string()
            }
        };
        Definition::parse(&text)?;
        Ok(text)
    }
}

pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    new: NewPolicy,
    creator: String,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(&creator)?;
    state.policies.check_name(&new.name, None)?;
    let definition = new.definition()?;
    let id = ids::hex16(world.seed, ctx.draw_id()).to_uppercase();
    let policy = Policy {
        id: id.clone(),
        creator,
        created_at: ctx.now,
        name: new.name,
        definition,
        most_per_user: new.most_per_user,
        others: new.others,
    };
    Ok((vec![event(workspace, Event::Put(policy))], id))
}

pub(super) fn decide_edit(
    world: &World,
    workspace: u64,
    id: &str,
    new: NewPolicy,
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    let old = state.policies.get(id)?.clone();
    state.policies.check_name(&new.name, Some(id))?;
    let definition = new.definition()?;
    let policy = Policy {
        name: new.name,
        definition,
        most_per_user: new.most_per_user,
        others: new.others,
        ..old
    };
    Ok((vec![event(workspace, Event::Put(policy))], ()))
}

pub(super) fn decide_delete(
    world: &World,
    workspace: u64,
    id: String,
    caller: &str,
) -> Decision<()> {
    let state = workspace_of(world, workspace)?;
    state.principals.check_admin(caller)?;
    state.policies.get(&id)?;
    Ok((vec![event(workspace, Event::Deleted { id })], ()))
}

impl Policies {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(policy) => drop(self.0.insert(policy.id.clone(), policy.clone())),
            Event::Deleted { id } => drop(self.0.remove(id)),
        }
    }

    pub(super) fn get(&self, id: &str) -> Result<&Policy, Refusal> {
        let missing = || Refusal::not_found(format!("Can't find a cluster policy with id: {id}."));
        self.0.get(id).ok_or_else(missing)
    }

    pub(crate) fn creator_of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|it| it.creator.as_str())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Policy> {
        self.0.values()
    }

    fn check_name(&self, name: &str, own: Option<&str>) -> Result<(), Refusal> {
        if name.is_empty() || 100 < name.chars().count() {
            return Err(Refusal::invalid("name must have 1 to 100 characters"));
        }
        if self.0.values().any(|it| it.name == name && Some(it.id.as_str()) != own) {
            let text = format!("Policy with name {name} already exists");
            return Err(Refusal::invalid(text));
        }
        Ok(())
    }
}

/// Gives the description of a cluster what its policy wants, or refuses it.
pub(crate) fn apply(
    state: &Databricks,
    fields: &mut Map<String, Value>,
    takes_defaults: bool,
) -> Result<(), Refusal> {
    let Some(id) = fields.get("policy_id").and_then(Value::as_str) else { return Ok(()) };
    let missing = || Refusal::invalid(format!("Can't find a cluster policy with id: {id}."));
    let policy = state.policies.0.get(id).ok_or_else(missing)?;
    Definition::parse(&policy.definition)?.apply(fields, takes_defaults)
}

/// Refuses one cluster more than the policy lets a user have.
pub(crate) fn check_number(
    state: &Databricks,
    fields: &Map<String, Value>,
    user: &str,
) -> Result<(), Refusal> {
    let id = fields.get("policy_id").and_then(Value::as_str).unwrap_or_default();
    let Some(most) = state.policies.0.get(id).and_then(|it| it.most_per_user) else {
        return Ok(());
    };
    if state.clusters.under_policy(id, user) < most {
        return Ok(());
    }
    let text = format!("The policy lets {user} have at most {most} clusters");
    Err(Refusal::invalid(text).with_code("QUOTA_EXCEEDED"))
}
