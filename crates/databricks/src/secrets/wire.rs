//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{KeyVault, SecretAcl, SecretMetadata, SecretPermission, SecretScope};
use crate::wire::Millis;

#[derive(Serialize)]
pub(super) struct CreateScopeRequest<'a> {
    pub(super) scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initial_manage_principal: Option<&'a str>,
    pub(super) scope_backend_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backend_azure_keyvault: Option<WireVault>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireVault {
    resource_id: String,
    dns_name: String,
}

impl From<&KeyVault> for WireVault {
    fn from(it: &KeyVault) -> Self {
        Self { resource_id: it.resource_id.clone(), dns_name: it.dns_name.clone() }
    }
}

#[derive(Serialize)]
pub(super) struct ByScope<'a> {
    pub(super) scope: &'a str,
}

#[derive(Serialize)]
pub(super) struct ByKey<'a> {
    pub(super) scope: &'a str,
    pub(super) key: &'a str,
}

#[derive(Serialize)]
pub(super) struct ByPrincipal<'a> {
    pub(super) scope: &'a str,
    pub(super) principal: &'a str,
}

#[derive(Serialize)]
pub(super) struct PutRequest<'a> {
    pub(super) scope: &'a str,
    pub(super) key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_value: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct GetResponse {
    /// Base64.
    pub(super) value: SecretString,
}

#[derive(Serialize)]
pub(super) struct PutAclRequest<'a> {
    pub(super) scope: &'a str,
    pub(super) principal: &'a str,
    pub(super) permission: &'a SecretPermission,
}

#[derive(Deserialize)]
pub(super) struct ListScopesResponse {
    #[serde(default)]
    pub(super) scopes: Vec<WireScope>,
}

#[derive(Deserialize)]
pub(super) struct WireScope {
    name: String,
    #[serde(default)]
    backend_type: Option<String>,
    #[serde(default)]
    keyvault_metadata: Option<WireVault>,
}

impl From<WireScope> for SecretScope {
    fn from(it: WireScope) -> Self {
        let vault = |it: WireVault| KeyVault { resource_id: it.resource_id, dns_name: it.dns_name };
        Self {
            name: it.name.into(),
            backend: it.backend_type.unwrap_or_else(|| "DATABRICKS".to_owned()).into(),
            key_vault: it.keyvault_metadata.map(vault),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) secrets: Vec<WireSecret>,
}

#[derive(Deserialize)]
pub(super) struct WireSecret {
    key: String,
    #[serde(default)]
    last_updated_timestamp: Millis,
}

impl From<WireSecret> for SecretMetadata {
    fn from(it: WireSecret) -> Self {
        Self { key: it.key.into(), updated_at: it.last_updated_timestamp.instant() }
    }
}

#[derive(Deserialize)]
pub(super) struct ListAclsResponse {
    #[serde(default)]
    pub(super) items: Vec<WireAcl>,
}

#[derive(Deserialize)]
pub(super) struct WireAcl {
    principal: String,
    permission: SecretPermission,
}

impl From<WireAcl> for SecretAcl {
    fn from(it: WireAcl) -> Self {
        Self { principal: it.principal, permission: it.permission }
    }
}
