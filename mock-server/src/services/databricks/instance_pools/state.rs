use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    kernel::{self, Ctx, Decision, Refusal, World, ids},
    services::databricks::{self, workspace_of},
};

/// The pools of a workspace, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pools(BTreeMap<String, Pool>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(super) id: String,
    pub(super) creator: String,
    pub(super) name: String,
    pub(super) node_type_id: String,
    /// What is given back as it came.
    pub(super) others: Map<String, Value>,
}

/// A description that has been read.
#[derive(Debug)]
pub(super) struct NewPool {
    pub(super) name: String,
    pub(super) node_type_id: String,
    pub(super) others: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put(Pool),
    Deleted { id: String },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Pools(event))
}

pub(super) fn decide_create(
    world: &World,
    workspace: u64,
    new: NewPool,
    creator: String,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let pools = &workspace_of(world, workspace)?.pools;
    pools.check_name(&new.name, None)?;
    let NewPool { name, node_type_id, others } = new;
    let number = ctx.draw_id();
    let id = format!("{}-pool-{}", ids::hex16(world.seed, number), &name.to_lowercase());
    let id: String =
        id.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).take(60).collect();
    let pool = Pool { id: id.clone(), creator, name, node_type_id, others };
    Ok((vec![event(workspace, Event::Put(pool))], id))
}

pub(super) fn decide_edit(world: &World, workspace: u64, id: &str, new: NewPool) -> Decision<()> {
    let pools = &workspace_of(world, workspace)?.pools;
    let old = pools.get(id)?;
    pools.check_name(&new.name, Some(id))?;
    if new.node_type_id != old.node_type_id {
        let text = "node_type_id of an instance pool cannot be changed";
        return Err(Refusal::invalid(text));
    }
    let mut others = old.others.clone();
    others.extend(new.others);
    let pool = Pool { name: new.name, others, ..old.clone() };
    Ok((vec![event(workspace, Event::Put(pool))], ()))
}

pub(super) fn decide_delete(world: &World, workspace: u64, id: String) -> Decision<()> {
    workspace_of(world, workspace)?.pools.get(&id)?;
    Ok((vec![event(workspace, Event::Deleted { id })], ()))
}

impl Pools {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put(pool) => drop(self.0.insert(pool.id.clone(), pool.clone())),
            Event::Deleted { id } => drop(self.0.remove(id)),
        }
    }

    pub(super) fn get(&self, id: &str) -> Result<&Pool, Refusal> {
        let missing = || Refusal::not_found(format!("Instance pool {id} does not exist"));
        self.0.get(id).ok_or_else(missing)
    }

    pub(crate) fn creator_of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(|it| it.creator.as_str())
    }

    /// What the machines of a pool are.
    pub(crate) fn node_type(&self, id: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::invalid(format!("Instance pool {id} does not exist"));
        self.0.get(id).map(|it| it.node_type_id.as_str()).ok_or_else(missing)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Pool> {
        self.0.values()
    }

    fn check_name(&self, name: &str, own: Option<&str>) -> Result<(), Refusal> {
        if name.is_empty() || 100 < name.chars().count() {
            let text = "instance_pool_name must have 1 to 100 characters";
            return Err(Refusal::invalid(text));
        }
        if self.0.values().any(|it| it.name == name && Some(it.id.as_str()) != own) {
            let text = format!("Instance pool with name {name} already exists");
            return Err(Refusal::invalid(text));
        }
        Ok(())
    }
}
