use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Refusal, Secret, World, clock::EPOCH},
    services::{azure::AtWorkspace, blob},
};

/// The datastore that is meant when none is named.
pub(super) const DEFAULT: &str = "workspaceblobstore";
const ARTIFACTS: &str = "workspaceartifactstore";

/// The datastores beside those that every workspace begins with, by the id of
/// the workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Datastores {
    registered: BTreeMap<String, BTreeMap<String, Datastore>>,
    defaults: BTreeMap<String, String>,
}

/// A name for a container of a storage account, or for the file system of
/// whichever Databricks workspace uses it, which has nothing but the name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Datastore {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: Kind,
    pub(super) account: String,
    pub(super) container: String,
    /// The end of the account's host name, if it is not that of the cloud.
    pub(super) endpoint: Option<String>,
    pub(super) protocol: String,
    pub(super) credential: Credential,
    pub(super) blob_cache_timeout: Option<i64>,
    pub(super) subscription: Option<String>,
    pub(super) resource_group: Option<String>,
    pub(super) identity: Option<String>,
    pub(super) allows_identities: bool,
    pub(super) tags: BTreeMap<String, Option<String>>,
    pub(super) is_validated: bool,
    pub(super) created_at: OffsetDateTime,
    pub(super) modified_at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    #[default]
    AzureBlob,
    Dbfs,
}

/// Where the files of a datastore are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Container {
        account: String,
        container: String,
    },
    /// In the file system of the Databricks workspace that reads or writes them.
    Dbfs,
}

/// What opens the container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Credential {
    None,
    AccountKey(Secret),
    Sas(Secret),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// Registered, or registered anew.
    Set {
        workspace: String,
        datastore: Box<Datastore>,
    },
    Deleted {
        workspace: String,
        name: String,
    },
    DefaultSet {
        workspace: String,
        name: String,
    },
}

/// How a datastore is to be registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct How {
    pub(super) creates_container: bool,
    pub(super) skips_validation: bool,
}

fn builtin(workspace_id: &str, account: &str, name: &str) -> Option<Datastore> {
    let container = match name {
        DEFAULT => blob::default_container(workspace_id),
        ARTIFACTS => blob::ARTIFACTS.to_owned(),
        _ => return None,
    };
    Some(Datastore {
        name: name.to_owned(),
        kind: Kind::AzureBlob,
        account: account.to_owned(),
        container,
        endpoint: None,
        protocol: "https".to_owned(),
        credential: Credential::AccountKey(blob::account_key().into()),
        blob_cache_timeout: None,
        subscription: None,
        resource_group: None,
        identity: None,
        allows_identities: false,
        tags: BTreeMap::new(),
        is_validated: true,
        created_at: EPOCH,
        modified_at: EPOCH,
    })
}

fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Could not find datastore: {name}")).with_code("UserError")
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid(message).with_code("UserError")
}

impl Datastores {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event.clone() {
            Event::Set { workspace, datastore } => {
                let known = self.registered.entry(workspace).or_default();
                known.insert(datastore.name.clone(), *datastore);
            }
            Event::Deleted { workspace, name } => {
                self.registered.entry(workspace).or_default().remove(&name);
            }
            Event::DefaultSet { workspace, name } => {
                self.defaults.insert(workspace, name);
            }
        }
    }

    /// The name of the default datastore of a workspace.
    pub(super) fn default_of(&self, workspace_id: &str) -> &str {
        self.defaults.get(workspace_id).map_or(DEFAULT, String::as_str)
    }

    /// All datastores of a workspace: its own, then the registered by name.
    pub(super) fn all(&self, at: &AtWorkspace) -> Vec<Datastore> {
        let own = [DEFAULT, ARTIFACTS];
        let own = own.iter().filter_map(|it| builtin(&at.workspace_id, &at.account, it));
        let registered = self.registered.get(&at.workspace_id).into_iter().flatten();
        own.chain(registered.map(|(_, it)| it.clone())).collect()
    }

    /// A datastore by its name, whose case does not count.
    pub(super) fn find(&self, at: (&str, &str), name: &str) -> Result<Datastore, Refusal> {
        let (workspace_id, account) = at;
        let key = name.to_ascii_lowercase();
        let registered = || self.registered.get(workspace_id)?.get(&key).cloned();
        let found = builtin(workspace_id, account, &key).or_else(registered);
        found.ok_or_else(|| missing(name))
    }

    /// What is behind a datastore of the workspace `at`, which is its id and
    /// its account. No name means the default one.
    pub(crate) fn locate(&self, at: (&str, &str), name: &str) -> Result<Location, Refusal> {
        let name = if name.is_empty() { self.default_of(at.0) } else { name };
        let Datastore { kind, account, container, .. } = self.find(at, name)?;
        Ok(match kind {
            Kind::AzureBlob => Location::Container { account, container },
            Kind::Dbfs => Location::Dbfs,
        })
    }

    fn is_registered(&self, workspace_id: &str, name: &str) -> bool {
        self.registered.get(workspace_id).is_some_and(|it| it.contains_key(name))
    }
}

/// The name in the case in which it is kept.
fn legal_name(name: &str) -> Result<String, Refusal> {
    let name = name.to_ascii_lowercase();
    let legal = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    if !(1..=255).contains(&name.len()) || !name.chars().all(legal) {
        return Err(invalid(format!(
            "{name:?} is no name for a datastore: it may have letters, digits and _ alone"
        )));
    }
    Ok(name)
}

/// Registers a datastore under a name that no other has.
pub(super) fn decide_registration(
    world: &World,
    at: &AtWorkspace,
    mut new: Datastore,
    how: How,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    new.name = legal_name(&new.name)?;
    let known = &world.datastores;
    if known.find((&at.workspace_id, &at.account), &new.name).is_ok() {
        // The official SDK looks for these words when it may overwrite.
        let text = format!("Another datastore with the same name already exists: {}", new.name);
        return Err(invalid(text));
    }
    decide_set(world, at, new, how, ctx)
}

/// Changes a registered datastore.
pub(super) fn decide_change(
    world: &World,
    at: &AtWorkspace,
    name: &str,
    mut new: Datastore,
    how: How,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let name = legal_name(name)?;
    if !new.name.is_empty() && legal_name(&new.name)? != name {
        let text = format!("name is '{}' in the body and '{name}' in the path", new.name);
        return Err(invalid(text));
    }
    let known = changeable(world, at, &name)?;
    (new.name, new.created_at) = (name, known.created_at);
    decide_set(world, at, new, how, ctx)
}

/// The datastore, if it is one that was registered.
fn changeable(world: &World, at: &AtWorkspace, name: &str) -> Result<Datastore, Refusal> {
    let found = world.datastores.find((&at.workspace_id, &at.account), name)?;
    if world.datastores.is_registered(&at.workspace_id, &found.name) {
        return Ok(found);
    }
    Err(invalid(format!("Datastore '{name}' belongs to the workspace and cannot be changed")))
}

fn decide_set(
    world: &World,
    at: &AtWorkspace,
    mut new: Datastore,
    how: How,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let mut events = match new.kind {
        Kind::AzureBlob => decide_container(world, &new, how, ctx)?,
        Kind::Dbfs => Vec::new(),
    };
    new.is_validated = !how.skips_validation;
    let workspace = at.workspace_id.clone();
    let set = Event::Set { workspace, datastore: Box::new(new) };
    events.push(kernel::Event::Datastore(set));
    Ok((events, ()))
}

/// The container of a datastore has to be there, or is made with it.
fn decide_container(
    world: &World,
    new: &Datastore,
    how: How,
    ctx: &mut Ctx<'_>,
) -> Result<Vec<kernel::Event>, Refusal> {
    for (field, value) in [("accountName", &new.account), ("containerName", &new.container)] {
        if value.is_empty() {
            return Err(invalid(format!("azureStorageSection.{field} is missing")));
        }
    }
    let exists = world.blobs.has_container(&new.account, &new.container);
    if !exists && how.creates_container {
        let (account, container) = (&new.account, &new.container);
        let none = BTreeMap::new();
        let made = blob::decide_container(&world.blobs, account, container, none, world.seed, ctx);
        return made.map(|(events, _)| events);
    }
    if !exists && !how.skips_validation {
        return Err(invalid(format!(
            "The container '{}' of storage account '{}' was not found; create it, or register the datastore with createIfNotExists",
            new.container, new.account
        )));
    }
    Ok(Vec::new())
}

/// Forgets a registered datastore. What is in it stays.
pub(super) fn decide_deletion(world: &World, at: &AtWorkspace, name: &str) -> Decision<()> {
    let name = changeable(world, at, name)?.name;
    if world.datastores.default_of(&at.workspace_id) == name {
        let text = format!(
            "Datastore '{name}' is the default one; make another the default before you delete it"
        );
        return Err(Refusal::new(kernel::Kind::Conflict, text).with_code("UserError"));
    }
    let event = Event::Deleted { workspace: at.workspace_id.clone(), name };
    Ok((vec![kernel::Event::Datastore(event)], ()))
}

/// Makes a datastore the one that is meant when none is named.
pub(super) fn decide_default(world: &World, at: &AtWorkspace, name: &str) -> Decision<()> {
    let name = world.datastores.find((&at.workspace_id, &at.account), name)?.name;
    if world.datastores.default_of(&at.workspace_id) == name {
        return Ok((Vec::new(), ()));
    }
    let event = Event::DefaultSet { workspace: at.workspace_id.clone(), name };
    Ok((vec![kernel::Event::Datastore(event)], ()))
}
