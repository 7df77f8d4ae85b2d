//! JSON exactly as ARM writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Error, ErrorKind, Page, PageToken, ResourceId, Result};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{WorkspaceDetails, WorkspaceIdentity, WorkspaceSummary};

#[derive(Deserialize)]
pub(super) struct Workspace {
    id: String,
    name: String,
    location: String,
    #[serde(default)]
    tags: Option<BTreeMap<String, Option<String>>>,
    etag: Option<String>,
    sku: Option<Sku>,
    identity: Option<Identity>,
    properties: Properties,
}

#[derive(Deserialize)]
struct Sku {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(rename = "type")]
    kind: String,
    principal_id: Option<String>,
    tenant_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    key_vault_properties: Option<EncryptionKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EncryptionKey {
    key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    workspace_id: String,
    discovery_url: String,
    storage_account: Option<String>,
    key_vault: Option<String>,
    application_insights: Option<String>,
    container_registry: Option<String>,
    friendly_name: Option<String>,
    description: Option<String>,
    provisioning_state: Option<String>,
    tenant_id: Option<String>,
    #[serde(rename = "mlFlowTrackingUri")]
    mlflow_tracking_uri: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    creation_time: Option<OffsetDateTime>,
    primary_user_assigned_identity: Option<String>,
    hbi_workspace: Option<bool>,
    image_build_compute: Option<String>,
    encryption: Option<Encryption>,
    system_datastores_auth_mode: Option<String>,
    public_network_access: Option<String>,
    v1_legacy_mode: Option<bool>,
    storage_hns_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resources {
    value: Vec<Resource>,
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
    name: String,
    location: String,
}

impl Workspace {
    pub(super) fn into_details(self, operation: &'static str) -> Result<WorkspaceDetails> {
        let it = self.properties;
        let tags = self.tags.unwrap_or_default();
        Ok(WorkspaceDetails {
            id: id(operation, &self.id)?,
            name: self.name,
            location: self.location,
            workspace_id: it.workspace_id,
            discovery_url: it.discovery_url,
            storage_account: it.storage_account,
            key_vault: it.key_vault,
            application_insights: it.application_insights,
            container_registry: it.container_registry,
            friendly_name: it.friendly_name,
            description: it.description,
            provisioning_state: it.provisioning_state,
            tenant_id: it.tenant_id,
            mlflow_tracking_uri: it.mlflow_tracking_uri,
            created_at: it.creation_time,
            etag: self.etag,
            sku: self.sku.and_then(|it| it.name),
            identity: self.identity.map(WorkspaceIdentity::from),
            primary_user_assigned_identity: it.primary_user_assigned_identity,
            is_high_business_impact: it.hbi_workspace,
            image_build_compute: it.image_build_compute,
            encryption_key_uri: it
                .encryption
                .and_then(|it| it.key_vault_properties)
                .and_then(|it| it.key_identifier),
            system_datastores_auth_mode: it.system_datastores_auth_mode,
            public_network_access: it.public_network_access,
            is_v1_legacy: it.v1_legacy_mode,
            has_hierarchical_storage: it.storage_hns_enabled,
            tags: tags.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect(),
        })
    }
}

impl From<Identity> for WorkspaceIdentity {
    fn from(it: Identity) -> Self {
        Self { kind: it.kind, principal_id: it.principal_id, tenant_id: it.tenant_id }
    }
}

impl Resources {
    pub(super) fn into_page(self, operation: &'static str) -> Result<Page<WorkspaceSummary>> {
        let items = self.value.into_iter().map(|it| {
            Ok(WorkspaceSummary {
                id: id(operation, &it.id)?,
                name: it.name,
                location: it.location,
            })
        });
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: self.next_link.filter(|it| !it.is_empty()).map(PageToken),
        })
    }
}

fn id(operation: &'static str, text: &str) -> Result<ResourceId> {
    ResourceId::parse(text).map_err(|err| Error::local(operation, ErrorKind::Decode, err))
}
