mod lifecycle;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub(super) use self::lifecycle::{Operation, Provisioning, Resource, ResourceKind, State};
use super::computes::{self, Compute, Computes};
pub(crate) use super::{databricks_workspaces::DatabricksWorkspace, workspaces::MlWorkspace};
use crate::{
    kernel::{
        self, Ctx, Refusal, World,
        lro::{LongRunning, Outcome},
    },
    services::{blob, databricks},
};

/// The storage account of the default workspace.
pub(crate) const ACCOUNT: &str = "mockstorage1";

pub(crate) const TENANT: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

/// Where everything is that the world begins with.
pub(crate) const REGION: &str = "eastus";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arm {
    pub(crate) tenant_id: String,
    pub(crate) subscriptions: Vec<String>,
    /// Resource groups by subscription and name in lower case.
    #[serde(default)]
    groups: BTreeMap<String, ResourceGroup>,
    /// Azure ML workspaces by subscription, group and name in lower case.
    workspaces: BTreeMap<String, MlWorkspace>,
    /// Databricks workspaces, likewise.
    databricks: BTreeMap<String, DatabricksWorkspace>,
    pub(super) computes: Computes,
    /// What goes on with workspaces, or has ended.
    #[serde(default)]
    operations: BTreeMap<String, Operation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResourceGroup {
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Computes(computes::Event),
    /// A resource is so from now on.
    Changed(Resource),
    /// A resource is so from now on, and an operation on it has begun.
    Changing {
        resource: Resource,
        operation: Box<Operation>,
    },
    /// An operation that ends with a resource's end has begun.
    Deleting(Box<Operation>),
    Ended {
        id: String,
        outcome: Outcome,
        at: OffsetDateTime,
    },
    GroupKnown(ResourceGroup),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {
    Computes(computes::Due),
    /// The operation with this id ends.
    Operation(String),
}

impl Arm {
    /// What every world begins with.
    pub(crate) fn seeded(seed: u64) -> Self {
        let workspaces: Vec<_> = MlWorkspace::seeded(seed).collect();
        let databricks = DatabricksWorkspace::seeded();
        let group = |name: &str| ResourceGroup {
            subscription: SUBSCRIPTION.into(),
            name: name.into(),
            location: REGION.into(),
            tags: BTreeMap::new(),
        };
        let groups = workspaces.iter().map(|it| group(&it.resource_group));
        let groups = groups.chain([group(&databricks.resource_group)]);
        let groups = groups.map(|it| (group_key(&it.subscription, &it.name), it)).collect();
        Self {
            tenant_id: TENANT.into(),
            subscriptions: vec![SUBSCRIPTION.into()],
            groups,
            workspaces: workspaces.into_iter().map(|it| (it.key(), it)).collect(),
            databricks: BTreeMap::from([(databricks.key(), databricks)]),
            computes: Computes::default(),
            operations: BTreeMap::new(),
        }
    }

    pub(crate) fn workspace(
        &self,
        subscription: &str,
        resource_group: &str,
        name: &str,
    ) -> Result<&MlWorkspace, Refusal> {
        let found = self.workspaces.get(&key(subscription, resource_group, name));
        found.ok_or_else(|| {
            let text = format!(
                "The Resource 'Microsoft.MachineLearningServices/workspaces/{name}' under resource group '{resource_group}' was not found."
            );
            Refusal::not_found(text)
        })
    }

    pub(crate) fn workspaces(&self) -> impl Iterator<Item = &MlWorkspace> {
        self.workspaces.values()
    }

    /// The numbers of all Databricks workspaces.
    pub(crate) fn databricks_workspaces(&self) -> impl Iterator<Item = u64> {
        self.databricks.values().map(|it| it.workspace_id)
    }

    pub(crate) fn databricks(&self) -> impl Iterator<Item = &DatabricksWorkspace> {
        self.databricks.values()
    }

    pub(super) fn databricks_workspace(
        &self,
        subscription: &str,
        resource_group: &str,
        name: &str,
    ) -> Result<&DatabricksWorkspace, Refusal> {
        let found = self.databricks.get(&key(subscription, resource_group, name));
        found.ok_or_else(|| {
            let text = format!(
                "The Resource 'Microsoft.Databricks/workspaces/{name}' under resource group '{resource_group}' was not found."
            );
            Refusal::not_found(text)
        })
    }

    /// The Databricks workspace with this resource id.
    pub(crate) fn databricks_by_id(&self, resource_id: &str) -> Option<&DatabricksWorkspace> {
        self.databricks().find(|it| it.resource_id().eq_ignore_ascii_case(resource_id))
    }

    /// The Azure ML workspace with this resource id.
    pub(super) fn workspace_by_id(&self, resource_id: &str) -> Option<&MlWorkspace> {
        self.workspaces().find(|it| it.as_scope().resource_id().eq_ignore_ascii_case(resource_id))
    }

    /// The compute target `name` of an Azure ML workspace.
    pub(crate) fn compute(
        &self,
        subscription: &str,
        resource_group: &str,
        workspace: &str,
        name: &str,
    ) -> Option<&Compute> {
        let workspace = self.workspace(subscription, resource_group, workspace).ok()?;
        self.computes.get(&workspace.workspace_id, name)
    }

    pub(crate) fn check_subscription(&self, id: &str) -> Result<(), Refusal> {
        let known = self.subscriptions.iter().any(|it| it.eq_ignore_ascii_case(id));
        known.then_some(()).ok_or_else(|| {
            let text = format!("The subscription '{id}' could not be found.");
            Refusal::not_found(text).with_code("SubscriptionNotFound")
        })
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &ResourceGroup> {
        self.groups.values()
    }

    pub(super) fn group(&self, subscription: &str, name: &str) -> Result<&ResourceGroup, Refusal> {
        self.check_subscription(subscription)?;
        self.groups.get(&group_key(subscription, name)).ok_or_else(|| {
            let text = format!("Resource group '{name}' could not be found.");
            Refusal::not_found(text).with_code("ResourceGroupNotFound")
        })
    }

    pub(super) fn operation(&self, id: &str) -> Result<&Operation, Refusal> {
        let missing = || Refusal::not_found(format!("operation {id} not found"));
        self.operations.get(id).ok_or_else(missing)
    }

    /// What an operation made or changed, while it is there.
    pub(super) fn subject(&self, operation: &Operation) -> Option<Resource> {
        match operation.kind {
            ResourceKind::MachineLearning => {
                let found = self.workspaces.get(&operation.key).cloned();
                found.map(|it| Resource::MachineLearning(Box::new(it)))
            }
            ResourceKind::Databricks => {
                let found = self.databricks.get(&operation.key).cloned();
                found.map(|it| Resource::Databricks(Box::new(it)))
            }
        }
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Computes(event) => self.computes.evolve(event),
            Event::Changed(resource) => self.put(resource),
            Event::Changing { resource, operation } => {
                self.put(resource);
                self.operations.insert(operation.run.id.clone(), (**operation).clone());
            }
            Event::Deleting(operation) => {
                let id = &operation.run.id;
                if let Some(it) = self.provisioning(operation.kind, &operation.key) {
                    *it = Provisioning::begun(State::Deleting, id);
                }
                self.operations.insert(id.clone(), (**operation).clone());
            }
            Event::Ended { id, outcome, at } => self.end(id, outcome, *at),
            Event::GroupKnown(group) => {
                self.groups.insert(group_key(&group.subscription, &group.name), group.clone());
            }
        }
    }

    fn put(&mut self, resource: &Resource) {
        match resource {
            Resource::MachineLearning(it) => {
                self.workspaces.insert(it.key(), (**it).clone());
            }
            Resource::Databricks(it) => {
                self.databricks.insert(it.key(), (**it).clone());
            }
        }
    }

    fn provisioning(&mut self, kind: ResourceKind, key: &str) -> Option<&mut Provisioning> {
        match kind {
            ResourceKind::MachineLearning => {
                self.workspaces.get_mut(key).map(|it| &mut it.provisioning)
            }
            ResourceKind::Databricks => self.databricks.get_mut(key).map(|it| &mut it.provisioning),
        }
    }

    fn end(&mut self, id: &str, outcome: &Outcome, at: OffsetDateTime) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.run.outcome = Some(outcome.clone());
        operation.run.ends_at = at;
        let Operation { kind, key, target, .. } = operation.clone();
        let Some(provisioning) = self.provisioning(kind, &key) else { return };
        if provisioning.operation_id.as_deref() != Some(id) {
            return;
        }
        *provisioning = Provisioning::default();
        if target == State::Deleting {
            match kind {
                ResourceKind::MachineLearning => drop(self.workspaces.remove(&key)),
                ResourceKind::Databricks => drop(self.databricks.remove(&key)),
            }
        }
    }

    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        let computes = self.computes.next_due().map(|(at, it)| (at, Due::Computes(it)));
        let going_on = self.operations.values().filter(|it| it.run.outcome.is_none());
        let next = going_on.min_by_key(|it| (it.run.ends_at, &it.run.id));
        let own = next.map(|it| (it.run.ends_at, Due::Operation(it.run.id.clone())));
        computes.into_iter().chain(own).min_by_key(|(at, _)| *at)
    }

    pub(crate) fn decide_due(
        &self,
        due: &Due,
        world: &World,
        ctx: &mut Ctx<'_>,
    ) -> Vec<kernel::Event> {
        let id = match due {
            Due::Computes(due) => return self.computes.decide_due(due, world, ctx),
            Due::Operation(id) => id,
        };
        let Some(operation) = self.operations.get(id) else { return Vec::new() };
        let (at, outcome) = (operation.run.ends_at, Outcome::Succeeded);
        let mut events = vec![kernel::Event::Arm(Event::Ended { id: id.clone(), outcome, at })];
        match (self.subject(operation), operation.target) {
            (Some(Resource::MachineLearning(it)), State::Creating) => {
                let (account, id) = (&it.account, &it.workspace_id);
                events.extend(blob::decide_containers(world, account, id, ctx));
            }
            (Some(Resource::Databricks(it)), State::Creating) => {
                events.push(kernel::Event::DatabricksBegan { workspace: it.workspace_id, at });
            }
            (Some(Resource::Databricks(it)), State::Deleting) => {
                events.extend(databricks::decide_end(world, it.workspace_id, ctx));
                events.push(kernel::Event::DatabricksEnded { workspace: it.workspace_id });
            }
            _ => (),
        }
        events
    }
}

/// Draws an operation on a resource that is to be in the state `target` meanwhile.
pub(super) fn operation(
    kind: ResourceKind,
    key: String,
    target: State,
    takes: std::time::Duration,
    ctx: &mut Ctx<'_>,
) -> Operation {
    let id = ctx.draw_uuid().to_string();
    let run = LongRunning::new(id, ctx.now, ctx.delay(takes));
    Operation::new(run, kind, key, target)
}

/// What a resource that is being changed says to whoever wants to change it.
pub(super) fn busy(name: &str, provisioning: &Provisioning) -> Refusal {
    let text = format!(
        "The workspace '{name}' is in the state {}: wait until the operation on it has ended.",
        provisioning.word()
    );
    Refusal::conflict(text).with_code("AnotherOperationInProgress")
}

pub(super) fn key(subscription: &str, resource_group: &str, name: &str) -> String {
    format!("{subscription}/{resource_group}/{name}").to_ascii_lowercase()
}

fn group_key(subscription: &str, name: &str) -> String {
    format!("{subscription}/{name}").to_ascii_lowercase()
}
