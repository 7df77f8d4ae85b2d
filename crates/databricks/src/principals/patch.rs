use azml_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::PrincipalId;

/// What to change in a principal: steps that are done one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrincipalPatch {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

impl PrincipalPatch {
    fn step(mut self, op: &'static str, path: impl Into<String>, value: Option<Value>) -> Self {
        self.steps.push(Step { op, path: path.into(), value });
        self
    }

    /// Sets an attribute, for example `displayName`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `value` cannot be
    /// written as JSON.
    pub fn replace(self, path: impl Into<String>, value: impl Serialize) -> Result<Self> {
        let value = serde_json::to_value(value).map_err(|err| {
            Error::local("databricks.principals.patch", ErrorKind::InvalidArgument, err)
        })?;
        Ok(self.step("replace", path, Some(value)))
    }

    /// Takes an attribute away, or the values of it that a filter in brackets names.
    #[must_use]
    pub fn remove(self, path: impl Into<String>) -> Self {
        self.step("remove", path, None)
    }

    /// Adds somebody to a group.
    #[must_use]
    pub fn add_member(self, id: &PrincipalId) -> Self {
        self.step("add", "members", Some(json!([{ "value": id }])))
    }

    /// Takes somebody out of a group.
    #[must_use]
    pub fn remove_member(self, id: &PrincipalId) -> Self {
        self.remove(format!("members[value eq \"{id}\"]"))
    }

    /// Allows something in the workspace, for example `databricks-sql-access`.
    #[must_use]
    pub fn add_entitlement(self, entitlement: &str) -> Self {
        self.step("add", "entitlements", Some(json!([{ "value": entitlement }])))
    }

    /// No longer allows something in the workspace.
    #[must_use]
    pub fn remove_entitlement(self, entitlement: &str) -> Self {
        self.remove(format!("entitlements[value eq \"{entitlement}\"]"))
    }
}
