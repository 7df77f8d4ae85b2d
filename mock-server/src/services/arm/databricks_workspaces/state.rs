use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::super::state::{
    self, Arm, Event, Operation, Provisioning, REGION, Resource, ResourceKind, SUBSCRIPTION, State,
    key,
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal},
    services::databricks::DEFAULT_WORKSPACE,
};

/// How long operations typically take.
const CREATING: Duration = Duration::from_secs(120);
const UPDATING: Duration = Duration::from_secs(30);
const DELETING: Duration = Duration::from_secs(60);

/// The parameter that links a workspace to one of Azure ML.
pub(super) const LINK: &str = "amlWorkspaceId";

/// A Databricks workspace as ARM shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DatabricksWorkspace {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) workspace_id: u64,
    pub(crate) host: String,
    #[serde(default = "created_at", with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(default)]
    pub(super) described: Described,
    #[serde(default)]
    pub(in super::super) provisioning: Provisioning,
}

/// When the workspace was made with which every world begins.
fn created_at() -> OffsetDateTime {
    time::macros::datetime!(2024-01-01 00:00 UTC)
}

/// What its owner says of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) sku: Option<String>,
    pub(super) managed_resource_group: Option<String>,
    pub(super) parameters: BTreeMap<String, Parameter>,
    /// Properties that the mock has no use for.
    pub(super) others: Map<String, Value>,
}

/// A parameter with the name of its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Parameter {
    pub(super) kind: String,
    pub(super) value: Value,
}

/// Where a request says that a workspace is.
pub(super) struct At<'a> {
    pub(super) subscription: &'a str,
    pub(super) resource_group: &'a str,
    pub(super) name: &'a str,
}

impl DatabricksWorkspace {
    /// The one with which every world begins.
    pub(in super::super) fn seeded() -> Self {
        Self {
            subscription: SUBSCRIPTION.into(),
            resource_group: "dbx-rg".into(),
            name: "dbx-ws".into(),
            location: REGION.into(),
            workspace_id: DEFAULT_WORKSPACE,
            host: "adb-1234567890123456.7.azuredatabricks.net".into(),
            created_at: created_at(),
            described: Described::default(),
            provisioning: Provisioning::default(),
        }
    }

    pub(in super::super) fn key(&self) -> String {
        key(&self.subscription, &self.resource_group, &self.name)
    }

    pub(in super::super) fn tags(&self) -> &BTreeMap<String, String> {
        &self.described.tags
    }

    pub(crate) fn resource_id(&self) -> String {
        let Self { subscription, resource_group, name, .. } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Databricks/workspaces/{name}"
        )
    }

    /// The group that Databricks fills by itself.
    pub(super) fn managed_resource_group(&self) -> String {
        self.described.managed_resource_group.clone().unwrap_or_else(|| {
            format!(
                "/subscriptions/{}/resourceGroups/databricks-rg-{}",
                self.subscription, self.name
            )
        })
    }
}

/// Makes a workspace, or describes one anew. The last part of the answer says
/// whether it is new.
pub(super) fn decide_put(
    arm: &Arm,
    at: &At<'_>,
    location: &str,
    described: Described,
    ctx: &mut Ctx<'_>,
) -> Decision<(DatabricksWorkspace, Operation, bool)> {
    let group = arm.group(at.subscription, at.resource_group)?;
    check_name(at.name)?;
    check_link(arm, &described)?;
    let old = arm.databricks_workspace(at.subscription, at.resource_group, at.name).ok();
    let (mut workspace, target, takes) = if let Some(old) = old {
        check_unchanged(old, location, &described)?;
        (old.clone(), State::Updating, UPDATING)
    } else {
        if described.managed_resource_group.is_none() {
            return Err(invalid("properties.managedResourceGroupId is required."));
        }
        let (id, host) = new_host(ctx);
        let workspace = DatabricksWorkspace {
            subscription: group.subscription.clone(),
            resource_group: group.name.clone(),
            name: at.name.to_owned(),
            location: location.to_owned(),
            workspace_id: id,
            host,
            created_at: ctx.now,
            described: Described::default(),
            provisioning: Provisioning::default(),
        };
        (workspace, State::Creating, CREATING)
    };
    let managed = workspace.described.managed_resource_group.take();
    workspace.described = described;
    workspace.described.managed_resource_group =
        managed.or(workspace.described.managed_resource_group.take());
    let operation = state::operation(ResourceKind::Databricks, workspace.key(), target, takes, ctx);
    workspace.provisioning = Provisioning::begun(target, &operation.run.id);
    let resource = Resource::Databricks(Box::new(workspace.clone()));
    let changing = Event::Changing { resource, operation: Box::new(operation.clone()) };
    Ok((vec![kernel::Event::Arm(changing)], (workspace, operation, old.is_none())))
}

/// A number of sixteen digits, and the host that belongs to it.
fn new_host(ctx: &mut Ctx<'_>) -> (u64, String) {
    const FIRST: u64 = 1_000_000_000_000_000;
    let id = FIRST + ctx.draw_uuid().as_u64_pair().0 % (8 * FIRST);
    (id, format!("adb-{id}.{}.azuredatabricks.net", id % 20))
}

fn check_unchanged(
    old: &DatabricksWorkspace,
    location: &str,
    new: &Described,
) -> Result<(), Refusal> {
    if old.provisioning.is_busy() {
        return Err(state::busy(&old.name, &old.provisioning));
    }
    if !old.location.eq_ignore_ascii_case(location) {
        let text = format!(
            "The resource '{}' already exists in location '{}' and cannot be created in location '{location}'.",
            old.name, old.location
        );
        return Err(Refusal::conflict(text).with_code("InvalidResourceLocation"));
    }
    let group = old.managed_resource_group();
    match &new.managed_resource_group {
        Some(new) if !new.eq_ignore_ascii_case(&group) => {
            Err(invalid("properties.managedResourceGroupId of a workspace cannot be changed."))
        }
        _ => Ok(()),
    }
}

fn check_link(arm: &Arm, described: &Described) -> Result<(), Refusal> {
    let Some(link) = described.parameters.get(LINK) else { return Ok(()) };
    let id = link.value.as_str().unwrap_or_default();
    if arm.workspace_by_id(id).is_some() {
        return Ok(());
    }
    let text = format!(
        "properties.parameters.{LINK}.value '{id}' is not the resource id of an Azure ML workspace."
    );
    Err(invalid(&text))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if name.chars().all(legal) && (3..=64).contains(&name.len()) {
        return Ok(());
    }
    let text = format!(
        "'{name}' is no name for a workspace: 3 to 64 letters, digits, dashes and underscores."
    );
    Err(Refusal::invalid(text).with_code("InvalidResourceName"))
}

/// Begins to set tags. They show at once.
pub(super) fn decide_patch(
    arm: &Arm,
    at: &At<'_>,
    tags: Option<BTreeMap<String, String>>,
    ctx: &mut Ctx<'_>,
) -> Decision<(DatabricksWorkspace, Operation)> {
    let old = arm.databricks_workspace(at.subscription, at.resource_group, at.name)?;
    if old.provisioning.is_busy() {
        return Err(state::busy(&old.name, &old.provisioning));
    }
    let mut workspace = old.clone();
    if let Some(tags) = tags {
        workspace.described.tags = tags;
    }
    let key = workspace.key();
    let operation = state::operation(ResourceKind::Databricks, key, State::Updating, UPDATING, ctx);
    workspace.provisioning = Provisioning::begun(State::Updating, &operation.run.id);
    let resource = Resource::Databricks(Box::new(workspace.clone()));
    let changing = Event::Changing { resource, operation: Box::new(operation.clone()) };
    Ok((vec![kernel::Event::Arm(changing)], (workspace, operation)))
}

/// Begins to delete a workspace. `None` when there is none.
pub(super) fn decide_delete(
    arm: &Arm,
    at: &At<'_>,
    ctx: &mut Ctx<'_>,
) -> Decision<Option<(Operation, String)>> {
    arm.check_subscription(at.subscription)?;
    let found = arm.databricks_workspace(at.subscription, at.resource_group, at.name);
    let Ok(old) = found else { return Ok((Vec::new(), None)) };
    if old.provisioning.is_busy() {
        return Err(state::busy(&old.name, &old.provisioning));
    }
    let kind = ResourceKind::Databricks;
    let operation = state::operation(kind, old.key(), State::Deleting, DELETING, ctx);
    let deleting = Event::Deleting(Box::new(operation.clone()));
    Ok((vec![kernel::Event::Arm(deleting)], Some((operation, old.location.clone()))))
}

fn invalid(text: &str) -> Refusal {
    Refusal::invalid(text).with_code("InvalidParameter")
}
