//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Kept, Right, Scope, Vault, rules::NewValue};
use crate::{
    kernel::Refusal,
    services::databricks::wire::{millis, required},
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ScopeBody {
    pub(super) scope: Option<String>,
    pub(super) initial_manage_principal: Option<String>,
    scope_backend_type: Option<String>,
    backend_azure_keyvault: Option<VaultBody>,
}

#[derive(Deserialize)]
struct VaultBody {
    resource_id: Option<String>,
    dns_name: Option<String>,
}

impl ScopeBody {
    /// The vault, if Databricks itself is not to keep the secrets.
    pub(super) fn vault(&mut self) -> Result<Option<Vault>, Refusal> {
        match self.scope_backend_type.as_deref().unwrap_or("DATABRICKS") {
            "DATABRICKS" => Ok(None),
            "AZURE_KEYVAULT" => {
                let body = required(self.backend_azure_keyvault.take(), "backend_azure_keyvault")?;
                let resource_id = required(body.resource_id, "backend_azure_keyvault.resource_id")?;
                let dns_name = required(body.dns_name, "backend_azure_keyvault.dns_name")?;
                Ok(Some(Vault { resource_id, dns_name }))
            }
            other => {
                let text =
                    format!("scope_backend_type {other:?} is none of DATABRICKS, AZURE_KEYVAULT");
                Err(Refusal::invalid(text))
            }
        }
    }
}

/// The names in the bodies and queries of all other operations.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    scope: Option<String>,
    key: Option<String>,
    principal: Option<String>,
}

impl Named {
    pub(super) fn scope(self) -> Result<String, Refusal> {
        required(self.scope, "scope")
    }

    pub(super) fn secret(self) -> Result<(String, String), Refusal> {
        Ok((required(self.scope, "scope")?, required(self.key, "key")?))
    }

    pub(super) fn principal(self) -> Result<(String, String), Refusal> {
        Ok((required(self.scope, "scope")?, required(self.principal, "principal")?))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PutBody {
    scope: Option<String>,
    key: Option<String>,
    string_value: Option<String>,
    bytes_value: Option<String>,
}

impl PutBody {
    pub(super) fn read(self) -> Result<((String, String), NewValue), Refusal> {
        let names = (required(self.scope, "scope")?, required(self.key, "key")?);
        Ok((names, NewValue { text: self.string_value, bytes: self.bytes_value }))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RightBody {
    scope: Option<String>,
    principal: Option<String>,
    permission: Option<String>,
}

impl RightBody {
    pub(super) fn read(self) -> Result<((String, String), Right), Refusal> {
        let names = (required(self.scope, "scope")?, required(self.principal, "principal")?);
        let right = match required(self.permission, "permission")?.as_str() {
            "READ" => Right::Read,
            "WRITE" => Right::Write,
            "MANAGE" => Right::Manage,
            other => {
                let text = format!("permission {other:?} is none of READ, WRITE, MANAGE");
                return Err(Refusal::invalid(text));
            }
        };
        Ok((names, right))
    }
}

pub(super) fn scope_json(scope: &Scope) -> Value {
    match &scope.vault {
        None => json!({ "name": scope.name, "backend_type": "DATABRICKS" }),
        Some(Vault { resource_id, dns_name }) => json!({
            "name": scope.name, "backend_type": "AZURE_KEYVAULT",
            "keyvault_metadata": { "resource_id": resource_id, "dns_name": dns_name },
        }),
    }
}

pub(super) fn secret_json(key: &str, secret: &Kept) -> Value {
    json!({ "key": key, "last_updated_timestamp": millis(secret.changed_at) })
}

pub(super) fn right_json(principal: &str, right: Right) -> Value {
    json!({ "principal": principal, "permission": right.word() })
}
