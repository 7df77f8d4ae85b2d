pub(super) mod rules;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::kernel::Secret;

/// The scopes of a workspace, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Secrets(pub(super) BTreeMap<String, Scope>);

/// A set of secrets with common rights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(super) name: String,
    /// The vault that has the secrets, when it is not Databricks.
    pub(super) vault: Option<Vault>,
    pub(super) secrets: BTreeMap<String, Kept>,
    /// What each principal may do.
    pub(super) rights: BTreeMap<String, Right>,
}

/// A vault of Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vault {
    pub(super) resource_id: String,
    pub(super) dns_name: String,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Base64.
    pub(super) value: Secret,
    pub(super) changed_at: OffsetDateTime,
}

/// What a principal may do with a scope. Each right includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Right {
    Read,
    Write,
    Manage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ScopeCreated(Scope),
    ScopeDeleted { scope: String },
    Put { scope: String, key: String, secret: Kept },
    Deleted { scope: String, key: String },
    RightPut { scope: String, principal: String, right: Right },
    RightDeleted { scope: String, principal: String },
}

impl Secrets {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ScopeCreated(scope) => {
                self.0.insert(scope.name.clone(), scope.clone());
            }
            Event::ScopeDeleted { scope } => {
                self.0.remove(scope);
            }
            Event::Put { scope, key, secret } => {
                if let Some(it) = self.0.get_mut(scope) {
                    it.secrets.insert(key.clone(), secret.clone());
                }
            }
            Event::Deleted { scope, key } => {
                if let Some(it) = self.0.get_mut(scope) {
                    it.secrets.remove(key);
                }
            }
            Event::RightPut { scope, principal, right } => {
                if let Some(it) = self.0.get_mut(scope) {
                    it.rights.insert(principal.clone(), *right);
                }
            }
            Event::RightDeleted { scope, principal } => {
                if let Some(it) = self.0.get_mut(scope) {
                    it.rights.remove(principal);
                }
            }
        }
    }
}
