use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::super::state::Arm;
use crate::{
    kernel::{
        self, Ctx, Decision, Kind, Refusal, World,
        lro::{Failure, LongRunning, Outcome},
    },
    services::{arm, azure::AtWorkspace, databricks},
};

/// How long attaching and detaching typically take.
const ATTACHING: Duration = Duration::from_secs(10);
const DETACHING: Duration = Duration::from_secs(5);

/// A compute target.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compute {
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The Databricks workspace by its resource id, as the client wrote it.
    pub(crate) resource_id: String,
    /// The same by its number. 0 when there is none, and then attaching fails.
    pub(crate) databricks_workspace: u64,
    pub(crate) access_token: String,
    provisioning_state: ProvisioningState,
    /// Why attaching failed.
    pub(crate) failure: Option<Failure>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) modified_at: OffsetDateTime,
    /// The last operation on it. An earlier one that has not ended is void.
    operation_id: String,
}

impl Compute {
    /// The service's word for how it is doing.
    pub(crate) fn provisioning_state(&self) -> &'static str {
        match self.provisioning_state {
            ProvisioningState::Creating => "Creating",
            ProvisioningState::Succeeded => "Succeeded",
            ProvisioningState::Failed => "Failed",
            ProvisioningState::Deleting => "Deleting",
        }
    }
}

impl fmt::Debug for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compute")
            .field("name", &self.name)
            .field("resource_id", &self.resource_id)
            .field("provisioning_state", &self.provisioning_state)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ProvisioningState {
    Creating,
    Succeeded,
    Failed,
    Deleting,
}

/// What an operation does, and to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) run: LongRunning,
    pub(super) workspace_id: String,
    /// The compute's name in lower case.
    compute: String,
    is_detaching: bool,
}

/// The compute targets of all Azure ML workspaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Computes {
    /// By the id of the workspace, then by name in lower case.
    by_workspace: BTreeMap<String, BTreeMap<String, Compute>>,
    operations: BTreeMap<String, Operation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ComputeAttaching { workspace_id: String, compute: Box<Compute>, operation: LongRunning },
    ComputeDetaching { workspace_id: String, name: String, operation: LongRunning },
    OperationEnded { id: String, outcome: Outcome, at: OffsetDateTime },
}

/// The operation with this id ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due(String);

/// What a client asks for when it attaches.
#[derive(Debug)]
pub(super) struct NewCompute {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) description: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) resource_id: String,
    pub(super) access_token: String,
}

impl Computes {
    pub(crate) fn get(&self, workspace_id: &str, name: &str) -> Option<&Compute> {
        self.by_workspace.get(workspace_id)?.get(&name.to_ascii_lowercase())
    }

    pub(super) fn find(&self, workspace_id: &str, name: &str) -> Result<&Compute, Refusal> {
        let missing = || Refusal::not_found(format!("compute {name} not found"));
        self.get(workspace_id, name).ok_or_else(missing)
    }

    pub(super) fn all(&self, workspace_id: &str) -> impl Iterator<Item = &Compute> {
        self.by_workspace.get(workspace_id).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn operation(&self, id: &str) -> Result<&Operation, Refusal> {
        let missing = || Refusal::not_found(format!("operation {id} not found"));
        self.operations.get(id).ok_or_else(missing)
    }

    /// The compute that an operation is about, while there is one.
    pub(super) fn subject(&self, operation: &Operation) -> Option<&Compute> {
        self.get(&operation.workspace_id, &operation.compute)
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ComputeAttaching { workspace_id, compute, operation } => {
                let key = compute.name.to_ascii_lowercase();
                self.begin(operation, workspace_id, &key, false);
                let computes = self.by_workspace.entry(workspace_id.clone()).or_default();
                computes.insert(key, (**compute).clone());
            }
            Event::ComputeDetaching { workspace_id, name, operation } => {
                let key = name.to_ascii_lowercase();
                self.begin(operation, workspace_id, &key, true);
                let computes = self.by_workspace.get_mut(workspace_id);
                if let Some(it) = computes.and_then(|it| it.get_mut(&key)) {
                    it.provisioning_state = ProvisioningState::Deleting;
                    it.modified_at = operation.started_at;
                    it.operation_id.clone_from(&operation.id);
                }
            }
            Event::OperationEnded { id, outcome, at } => self.end(id, outcome, *at),
        }
    }

    fn begin(&mut self, run: &LongRunning, workspace_id: &str, key: &str, is_detaching: bool) {
        let (workspace_id, compute) = (workspace_id.to_owned(), key.to_owned());
        let operation = Operation { run: run.clone(), workspace_id, compute, is_detaching };
        self.operations.insert(run.id.clone(), operation);
    }

    fn end(&mut self, id: &str, outcome: &Outcome, at: OffsetDateTime) {
        let Some(operation) = self.operations.get_mut(id) else { return };
        operation.run.outcome = Some(outcome.clone());
        operation.run.ends_at = at;
        let Some(computes) = self.by_workspace.get_mut(&operation.workspace_id) else { return };
        let compute = computes.get_mut(&operation.compute);
        let Some(compute) = compute.filter(|it| it.operation_id == id) else { return };
        match outcome {
            Outcome::Succeeded if operation.is_detaching => {
                computes.remove(&operation.compute);
            }
            Outcome::Succeeded => {
                compute.provisioning_state = ProvisioningState::Succeeded;
                compute.modified_at = at;
            }
            Outcome::Failed(failure) => {
                compute.provisioning_state = ProvisioningState::Failed;
                compute.failure = Some(failure.clone());
                compute.modified_at = at;
            }
            Outcome::Canceled => (),
        }
    }

    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        let going_on = self.operations.values().filter(|it| it.run.outcome.is_none());
        let next = going_on.min_by_key(|it| (it.run.ends_at, &it.run.id))?;
        Some((next.run.ends_at, Due(next.run.id.clone())))
    }

    pub(crate) fn decide_due(
        &self,
        Due(id): &Due,
        world: &World,
        ctx: &Ctx<'_>,
    ) -> Vec<kernel::Event> {
        let Some(operation) = self.operations.get(id) else { return Vec::new() };
        let subject = self.subject(operation).filter(|it| it.operation_id == *id);
        let outcome = match subject {
            None => Outcome::Canceled,
            Some(_) if operation.is_detaching => Outcome::Succeeded,
            Some(compute) => match why_unusable(compute, world, ctx.now) {
                Some(failure) => Outcome::Failed(failure),
                None => Outcome::Succeeded,
            },
        };
        let ended = Event::OperationEnded { id: id.clone(), outcome, at: operation.run.ends_at };
        vec![kernel::Event::Arm(arm::Event::Computes(ended))]
    }
}

/// What is wrong with the Databricks workspace or the token of a compute.
fn why_unusable(compute: &Compute, world: &World, now: OffsetDateTime) -> Option<Failure> {
    let failure =
        |message: String| Some(Failure { code: "BadArgument".to_owned(), message, status: 400 });
    let workspace = compute.databricks_workspace;
    if world.arm.databricks_by_id(&compute.resource_id).is_none() {
        return failure(format!("Databricks workspace {} was not found.", compute.resource_id));
    }
    if databricks::token_owner(world, workspace, &compute.access_token, now).is_none() {
        return failure("Databricks token is not valid.".to_owned());
    }
    None
}

/// Begins to attach a Databricks workspace, or to attach it anew with another token.
pub(super) fn decide_attach(
    arm: &Arm,
    at: &AtWorkspace,
    new: NewCompute,
    ctx: &mut Ctx<'_>,
) -> Decision<(Compute, LongRunning, bool)> {
    check_name(&new.name)?;
    if new.access_token.is_empty() {
        return Err(bad("properties.properties.databricksAccessToken is required."));
    }
    let parts: Vec<&str> = new.resource_id.split('/').collect();
    let is_databricks = parts.len() == 9
        && parts[6].eq_ignore_ascii_case("Microsoft.Databricks")
        && parts[7].eq_ignore_ascii_case("workspaces");
    if !is_databricks {
        let text = format!("'{}' is not the id of a Databricks workspace.", new.resource_id);
        return Err(bad(&text));
    }
    let old = arm.computes.get(&at.workspace_id, &new.name);
    if let Some(old) = old {
        if old.provisioning_state == ProvisioningState::Deleting {
            let text = format!("Compute {} is being detached.", old.name);
            return Err(Refusal::conflict(text));
        }
        let is_same = old.resource_id.eq_ignore_ascii_case(&new.resource_id);
        if !is_same && old.provisioning_state != ProvisioningState::Failed {
            let text = format!(
                "Compute {} stands for {}: detach it before its name stands for something else.",
                old.name, old.resource_id
            );
            return Err(Refusal::conflict(text));
        }
    }
    let workspace = arm.databricks_by_id(&new.resource_id);
    let operation = LongRunning::new(ctx.draw_uuid().to_string(), ctx.now, ctx.delay(ATTACHING));
    let compute = Compute {
        name: old.map_or(new.name, |it| it.name.clone()),
        location: if new.location.is_empty() { at.region.clone() } else { new.location },
        description: new.description,
        tags: new.tags,
        resource_id: new.resource_id,
        databricks_workspace: workspace.map_or(0, |it| it.workspace_id),
        access_token: new.access_token,
        provisioning_state: ProvisioningState::Creating,
        failure: None,
        created_at: old.map_or(ctx.now, |it| it.created_at),
        modified_at: ctx.now,
        operation_id: operation.id.clone(),
    };
    let event = Event::ComputeAttaching {
        workspace_id: at.workspace_id.clone(),
        compute: Box::new(compute.clone()),
        operation: operation.clone(),
    };
    Ok((vec![kernel::Event::Arm(arm::Event::Computes(event))], (compute, operation, old.is_none())))
}

/// Begins to detach. Who asks again meanwhile gets the operation that goes on.
pub(super) fn decide_detach(
    computes: &Computes,
    at: &AtWorkspace,
    name: &str,
    action: Option<&str>,
    ctx: &mut Ctx<'_>,
) -> Decision<LongRunning> {
    if !action.is_some_and(|it| it.eq_ignore_ascii_case("detach")) {
        let text = "An attached compute can only be detached: underlyingResourceAction=Detach.";
        return Err(bad(text));
    }
    let compute = computes.find(&at.workspace_id, name)?;
    let going_on = computes.operations.get(&compute.operation_id);
    if let Some(it) = going_on.filter(|it| it.is_detaching && it.run.outcome.is_none()) {
        return Ok((Vec::new(), it.run.clone()));
    }
    let operation = LongRunning::new(ctx.draw_uuid().to_string(), ctx.now, ctx.delay(DETACHING));
    let event = Event::ComputeDetaching {
        workspace_id: at.workspace_id.clone(),
        name: compute.name.clone(),
        operation: operation.clone(),
    };
    Ok((vec![kernel::Event::Arm(arm::Event::Computes(event))], operation))
}

fn bad(text: &str) -> Refusal {
    Refusal::new(Kind::Invalid, text).with_code("BadArgument")
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_ascii_alphanumeric() || it == '-';
    let starts = name.starts_with(|it: char| it.is_ascii_alphabetic());
    if starts && !name.ends_with('-') && name.chars().all(legal) && (2..=16).contains(&name.len()) {
        return Ok(());
    }
    let text = format!(
        "'{name}' is no name for a compute: 2 to 16 letters, digits and dashes, a letter first, no dash last."
    );
    Err(bad(&text))
}
