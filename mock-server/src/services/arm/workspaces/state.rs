use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::super::state::{
    self, ACCOUNT, Arm, Event, Operation, Provisioning, REGION, Resource, ResourceKind,
    SUBSCRIPTION, State, key,
};
use crate::{
    kernel::{self, Ctx, Decision, Refusal, ids},
    services::azure::AtWorkspace,
    store::Place,
};

/// When the workspace was made with which every world begins.
const CREATED_AT: OffsetDateTime = time::macros::datetime!(2024-01-01 00:00 UTC);

/// How long operations typically take.
const CREATING: Duration = Duration::from_secs(30);
const UPDATING: Duration = Duration::from_secs(10);
const DELETING: Duration = Duration::from_secs(15);

/// An Azure ML workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MlWorkspace {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) workspace_id: String,
    /// Where its blobs lie.
    pub(crate) account: String,
    pub(crate) created_at: OffsetDateTime,
    #[serde(default)]
    pub(super) described: Described,
    #[serde(default)]
    pub(in super::super) provisioning: Provisioning,
}

/// What its owner says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) friendly_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) sku: Option<String>,
    /// Resource ids.
    pub(super) storage_account: Option<String>,
    pub(super) key_vault: Option<String>,
    pub(super) application_insights: Option<String>,
    pub(super) container_registry: Option<String>,
    pub(super) is_hbi: bool,
    pub(super) public_network_access: Option<String>,
    pub(super) image_build_compute: Option<String>,
}

/// The parts that PATCH may change. What is `None` stays as it is.
pub(super) struct Changes {
    pub(super) friendly_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) sku: Option<String>,
    pub(super) public_network_access: Option<String>,
    pub(super) image_build_compute: Option<String>,
}

/// The default workspace, and others with which flows of the official SDK try
/// where a `config.json` is looked for: each file names another one.
const SEEDED: [&str; 5] =
    ["ws1", "w-plain", "w-plain-project", "w-root-amlconfig", "w-root-azureml"];

/// Keeps the ids of seeded workspaces away from those that are drawn.
const ID_STRIDE: usize = 1 << 40;

/// Where a request says that a workspace is.
pub(super) struct At<'a> {
    pub(super) subscription: &'a str,
    pub(super) resource_group: &'a str,
    pub(super) name: &'a str,
}

impl MlWorkspace {
    /// Those with which every world begins, the default one first. Their own
    /// ids come from the seed, because official SDKs cache by them.
    pub(in super::super) fn seeded(seed: u64) -> impl Iterator<Item = Self> {
        SEEDED.into_iter().zip((0..).step_by(ID_STRIDE)).map(move |(name, number)| Self {
            subscription: SUBSCRIPTION.into(),
            resource_group: "rg1".into(),
            name: name.into(),
            location: REGION.into(),
            workspace_id: ids::uuid(seed, number).to_string(),
            account: ACCOUNT.into(),
            created_at: CREATED_AT,
            described: Described::default(),
            provisioning: Provisioning::default(),
        })
    }

    pub(in super::super) fn key(&self) -> String {
        key(&self.subscription, &self.resource_group, &self.name)
    }

    pub(in super::super) fn tags(&self) -> &BTreeMap<String, String> {
        &self.described.tags
    }

    pub(crate) fn as_scope(&self) -> AtWorkspace {
        AtWorkspace {
            subscription: self.subscription.clone(),
            resource_group: self.resource_group.clone(),
            name: self.name.clone(),
            workspace_id: self.workspace_id.clone(),
            region: self.location.clone(),
            account: self.account.clone(),
            place: Place::AzureMl(self.workspace_id.clone()),
        }
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
) -> Decision<(MlWorkspace, Operation, bool)> {
    let group = arm.group(at.subscription, at.resource_group)?;
    check_name(at.name)?;
    let old = arm.workspace(at.subscription, at.resource_group, at.name).ok();
    let (mut workspace, target, takes) = if let Some(old) = old {
        check_unchanged(old, location, &described)?;
        (old.clone(), State::Updating, UPDATING)
    } else {
        if described.storage_account.is_none() || described.key_vault.is_none() {
            let text = "Missing dependent resources in workspace json: properties.storageAccount and properties.keyVault are required.";
            return Err(Refusal::invalid(text).with_code("ValidationError"));
        }
        let workspace = MlWorkspace {
            subscription: group.subscription.clone(),
            resource_group: group.name.clone(),
            name: at.name.to_owned(),
            location: location.to_owned(),
            workspace_id: ctx.draw_uuid().to_string(),
            account: ACCOUNT.to_owned(),
            created_at: ctx.now,
            described: Described::default(),
            provisioning: Provisioning::default(),
        };
        (workspace, State::Creating, CREATING)
    };
    let storage = workspace.described.storage_account.take();
    let key_vault = workspace.described.key_vault.take();
    workspace.described = described;
    workspace.described.storage_account = storage.or(workspace.described.storage_account.take());
    workspace.described.key_vault = key_vault.or(workspace.described.key_vault.take());
    let key = workspace.key();
    let operation = state::operation(ResourceKind::MachineLearning, key, target, takes, ctx);
    workspace.provisioning = Provisioning::begun(target, &operation.run.id);
    let resource = Resource::MachineLearning(Box::new(workspace.clone()));
    let changing = Event::Changing { resource, operation: Box::new(operation.clone()) };
    Ok((vec![kernel::Event::Arm(changing)], (workspace, operation, old.is_none())))
}

fn check_unchanged(old: &MlWorkspace, location: &str, new: &Described) -> Result<(), Refusal> {
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
    let moves = match (&old.described.storage_account, &new.storage_account) {
        (Some(old), Some(new)) => !old.eq_ignore_ascii_case(new),
        _ => false,
    };
    if moves {
        let text = "properties.storageAccount of a workspace cannot be changed.";
        return Err(Refusal::invalid(text).with_code("ValidationError"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    let starts = name.starts_with(|it: char| it.is_ascii_alphanumeric());
    if starts && name.chars().all(legal) && (3..=33).contains(&name.len()) {
        return Ok(());
    }
    let text = format!(
        "'{name}' is no name for a workspace: 3 to 33 letters, digits, dashes and underscores, a letter or digit first."
    );
    Err(Refusal::invalid(text).with_code("InvalidResourceName"))
}

/// Changes what is given, at once.
pub(super) fn decide_patch(arm: &Arm, at: &At<'_>, changes: Changes) -> Decision<MlWorkspace> {
    let old = arm.workspace(at.subscription, at.resource_group, at.name)?;
    if old.provisioning.is_busy() {
        return Err(state::busy(&old.name, &old.provisioning));
    }
    let mut workspace = old.clone();
    let it = &mut workspace.described;
    it.friendly_name = changes.friendly_name.or(it.friendly_name.take());
    it.description = changes.description.or(it.description.take());
    it.sku = changes.sku.or(it.sku.take());
    it.public_network_access = changes.public_network_access.or(it.public_network_access.take());
    it.image_build_compute = changes.image_build_compute.or(it.image_build_compute.take());
    if let Some(tags) = changes.tags {
        it.tags = tags;
    }
    let event = Event::Changed(Resource::MachineLearning(Box::new(workspace.clone())));
    Ok((vec![kernel::Event::Arm(event)], workspace))
}

/// Begins to delete a workspace. `None` when there is none.
pub(super) fn decide_delete(
    arm: &Arm,
    at: &At<'_>,
    ctx: &mut Ctx<'_>,
) -> Decision<Option<(Operation, String)>> {
    arm.check_subscription(at.subscription)?;
    let Ok(old) = arm.workspace(at.subscription, at.resource_group, at.name) else {
        return Ok((Vec::new(), None));
    };
    if old.provisioning.is_busy() {
        return Err(state::busy(&old.name, &old.provisioning));
    }
    let kind = ResourceKind::MachineLearning;
    let operation = state::operation(kind, old.key(), State::Deleting, DELETING, ctx);
    let deleting = Event::Deleting(Box::new(operation.clone()));
    Ok((vec![kernel::Event::Arm(deleting)], Some((operation, old.location.clone()))))
}
