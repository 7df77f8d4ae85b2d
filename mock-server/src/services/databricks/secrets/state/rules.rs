//! Who may do what, and what is legal.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use super::{Event, Kept, Right, Scope, Secrets, Vault};
use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    services::databricks::{self, Databricks, workspace_of},
};

const LONGEST_NAME: usize = 128;
const LARGEST_VALUE: usize = 128 * 1024;
const MOST_SCOPES: usize = 1000;
const MOST_SECRETS: usize = 1000;

/// The group of everybody, which alone may be named when a scope is made.
const EVERYBODY: &str = "users";

fn happens(workspace: u64, event: Event) -> (Vec<kernel::Event>, ()) {
    (vec![kernel::Event::Databricks(workspace, databricks::Event::Secrets(event))], ())
}

fn secrets(world: &World, workspace: u64) -> Result<&Secrets, Refusal> {
    Ok(&workspace_of(world, workspace)?.secrets)
}

/// The scope, if the caller has this right to it. Admins have all rights.
pub(in super::super) fn scope_for<'a>(
    state: &'a Databricks,
    name: &str,
    caller: &str,
    needed: Right,
) -> Result<&'a Scope, Refusal> {
    let missing = || Refusal::not_found(format!("Scope {name} does not exist!"));
    let scope = state.secrets.0.get(name).ok_or_else(missing)?;
    let groups = state.principals.group_names(caller);
    let own = groups.into_iter().chain([caller]).filter_map(|it| scope.rights.get(it));
    if state.principals.is_admin(caller) || own.max().is_some_and(|it| needed <= *it) {
        return Ok(scope);
    }
    let text = format!("User {caller} does not have {} permission on scope {name}", needed.word());
    Err(Refusal::new(Kind::Denied, text))
}

/// Letters, digits and `_ - @ .`, not more than 128.
fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    let legal = |it: char| it.is_alphanumeric() || "_-@.".contains(it);
    if !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(legal) {
        return Ok(());
    }
    let text = format!(
        "{what} {name:?} is not valid: it must consist of 1 to {LONGEST_NAME} alphanumeric characters, dashes, underscores, @ and periods"
    );
    Err(Refusal::invalid(text))
}

pub(in super::super) fn decide_scope(
    world: &World,
    workspace: u64,
    name: String,
    first_manager: Option<String>,
    vault: Option<Vault>,
    caller: &str,
) -> Decision<()> {
    check_name("scope", &name)?;
    let secrets = secrets(world, workspace)?;
    if secrets.0.contains_key(&name) {
        return Err(Refusal::new(Kind::AlreadyExists, format!("Scope {name} already exists!")));
    }
    if MOST_SCOPES <= secrets.0.len() {
        let text = format!("A workspace has at most {MOST_SCOPES} scopes");
        return Err(Refusal::invalid(text).with_code("RESOURCE_LIMIT_EXCEEDED"));
    }
    let manager = match first_manager.filter(|it| !it.is_empty()) {
        Some(it) if it == EVERYBODY => it,
        Some(it) => {
            let text = format!("initial_manage_principal must be \"{EVERYBODY}\", not {it:?}");
            return Err(Refusal::invalid(text));
        }
        None => caller.to_owned(),
    };
    let rights = [(manager, Right::Manage)].into();
    let scope = Scope { name, vault, secrets: [].into(), rights };
    Ok(happens(workspace, Event::ScopeCreated(scope)))
}

pub(in super::super) fn decide_scope_deletion(
    world: &World,
    workspace: u64,
    scope: String,
    caller: &str,
) -> Decision<()> {
    scope_for(workspace_of(world, workspace)?, &scope, caller, Right::Manage)?;
    Ok(happens(workspace, Event::ScopeDeleted { scope }))
}

/// What a secret is put as: one of the two.
#[derive(Debug)]
pub(in super::super) struct NewValue {
    pub(in super::super) text: Option<String>,
    /// Base64.
    pub(in super::super) bytes: Option<String>,
}

impl NewValue {
    fn bytes(self) -> Result<Vec<u8>, Refusal> {
        match (self.text, self.bytes) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(bytes)) => BASE64
                .decode(bytes)
                .map_err(|err| Refusal::invalid(format!("bytes_value is no base64: {err}"))),
            (Some(_), Some(_)) => {
                Err(Refusal::invalid("Only one of string_value and bytes_value may be given"))
            }
            (None, None) => {
                Err(Refusal::invalid("One of string_value and bytes_value is required"))
            }
        }
    }
}

pub(in super::super) fn decide_put(
    world: &World,
    workspace: u64,
    (scope, key): (String, String),
    value: NewValue,
    caller: &str,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    let found = scope_for(workspace_of(world, workspace)?, &scope, caller, Right::Write)?;
    if found.vault.is_some() {
        let text = format!("Cannot write secrets to Azure KeyVault-backed scope {scope}");
        return Err(Refusal::invalid(text).with_code("BAD_REQUEST"));
    }
    check_name("key", &key)?;
    let bytes = value.bytes()?;
    if LARGEST_VALUE < bytes.len() {
        let text = format!("The value of {key} has more than {LARGEST_VALUE} bytes");
        return Err(Refusal::invalid(text).with_code("MAX_SECRET_SIZE_EXCEEDED"));
    }
    if MOST_SECRETS <= found.secrets.len() && !found.secrets.contains_key(&key) {
        let text = format!("Scope {scope} has {MOST_SECRETS} secrets, which is the limit");
        return Err(Refusal::invalid(text).with_code("RESOURCE_LIMIT_EXCEEDED"));
    }
    let secret = Kept { value: BASE64.encode(bytes).into(), changed_at: ctx.now };
    Ok(happens(workspace, Event::Put { scope, key, secret }))
}

/// A secret of a scope.
pub(in super::super) fn secret<'a>(scope: &'a Scope, key: &str) -> Result<&'a Kept, Refusal> {
    if scope.vault.is_some() {
        let text = "azml-mock does not emulate Azure Key Vault, where this scope has its secrets";
        return Err(Refusal::new(Kind::NotEmulated, text));
    }
    let name = &scope.name;
    let missing = || format!("Secret does not exist with scope: {name} and key: {key}");
    scope.secrets.get(key).ok_or_else(|| Refusal::not_found(missing()))
}

pub(in super::super) fn decide_deletion(
    world: &World,
    workspace: u64,
    (scope, key): (String, String),
    caller: &str,
) -> Decision<()> {
    secret(scope_for(workspace_of(world, workspace)?, &scope, caller, Right::Write)?, &key)?;
    Ok(happens(workspace, Event::Deleted { scope, key }))
}

pub(in super::super) fn decide_right(
    world: &World,
    workspace: u64,
    (scope, principal): (String, String),
    right: Right,
    caller: &str,
) -> Decision<()> {
    scope_for(workspace_of(world, workspace)?, &scope, caller, Right::Manage)?;
    Ok(happens(workspace, Event::RightPut { scope, principal, right }))
}

/// What a principal may do.
pub(in super::super) fn right_of(scope: &Scope, principal: &str) -> Result<Right, Refusal> {
    let name = &scope.name;
    let missing = || format!("Failed to get secret acl for {principal} for scope {name}.");
    scope.rights.get(principal).copied().ok_or_else(|| Refusal::not_found(missing()))
}

pub(in super::super) fn decide_right_deletion(
    world: &World,
    workspace: u64,
    (scope, principal): (String, String),
    caller: &str,
) -> Decision<()> {
    let found = scope_for(workspace_of(world, workspace)?, &scope, caller, Right::Manage)?;
    right_of(found, &principal)?;
    Ok(happens(workspace, Event::RightDeleted { scope, principal }))
}

impl Right {
    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
            Self::Manage => "MANAGE",
        }
    }
}
