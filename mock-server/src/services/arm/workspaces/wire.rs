use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Changes, Described, MlWorkspace};
use crate::{
    kernel::{Refusal, Site},
    services::{
        arm::wire::{ML, required},
        blob::account_key,
        history::instant,
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WorkspaceBody {
    location: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    sku: Option<Sku>,
    properties: Properties,
}

#[derive(Deserialize)]
struct Sku {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Properties {
    friendly_name: Option<String>,
    description: Option<String>,
    storage_account: Option<String>,
    key_vault: Option<String>,
    application_insights: Option<String>,
    container_registry: Option<String>,
    hbi_workspace: Option<bool>,
    public_network_access: Option<String>,
    image_build_compute: Option<String>,
}

impl WorkspaceBody {
    /// For PUT: the location, and everything else. What is absent is cleared.
    pub(super) fn into_described(self) -> Result<(String, Described), Refusal> {
        let location = required("location", self.location)?;
        let it = self.properties;
        let described = Described {
            friendly_name: it.friendly_name,
            description: it.description,
            tags: self.tags.unwrap_or_default(),
            sku: self.sku.map(|it| it.name),
            storage_account: it.storage_account,
            key_vault: it.key_vault,
            application_insights: it.application_insights,
            container_registry: it.container_registry,
            is_hbi: it.hbi_workspace.unwrap_or_default(),
            public_network_access: it.public_network_access,
            image_build_compute: it.image_build_compute,
        };
        Ok((location, described))
    }

    /// For PATCH.
    pub(super) fn into_changes(self) -> Changes {
        let it = self.properties;
        Changes {
            friendly_name: it.friendly_name,
            description: it.description,
            tags: self.tags,
            sku: self.sku.map(|it| it.name),
            public_network_access: it.public_network_access,
            image_build_compute: it.image_build_compute,
        }
    }
}

pub(in super::super) fn workspace_json(it: &MlWorkspace, tenant_id: &str, site: &Site) -> Value {
    let id = it.as_scope().resource_id();
    let group = format!("/subscriptions/{}/resourceGroups/{}", it.subscription, it.resource_group);
    let (account, name, described) = (&it.account, &it.name, &it.described);
    let data_plane = site.data_plane(&it.location);
    let host = data_plane.split_once("://").map_or(data_plane.as_str(), |(_, host)| host);
    let of_group = |given: &Option<String>, rest: String| {
        given.clone().unwrap_or_else(|| format!("{group}/providers/{rest}"))
    };
    let storage = format!("Microsoft.Storage/storageAccounts/{account}");
    let insights = "Microsoft.insights/components/mockinsights1".to_owned();
    let sku = described.sku.as_deref().unwrap_or("Basic");
    json!({
        "id": id, "name": name, "type": ML, "location": it.location, "tags": described.tags,
        "etag": null,
        "properties": {
            "friendlyName": described.friendly_name.as_deref().unwrap_or(name),
            "description": described.description.as_deref().unwrap_or_default(),
            "storageAccount": of_group(&described.storage_account, storage),
            "containerRegistry": described.container_registry,
            "keyVault": of_group(&described.key_vault, "Microsoft.KeyVault/vaults/mockvault1".to_owned()),
            "applicationInsights": of_group(&described.application_insights, insights),
            "hbiWorkspace": described.is_hbi, "tenantId": tenant_id,
            "imageBuildCompute": described.image_build_compute,
            "provisioningState": it.provisioning.word(), "v1LegacyMode": false,
            "softDeleteEnabled": false,
            "publicNetworkAccess": described.public_network_access.as_deref().unwrap_or("Enabled"),
            "discoveryUrl": format!("{data_plane}/discovery"),
            "mlFlowTrackingUri": format!("azureml://{host}/mlflow/v1.0{id}"),
            "sdkTelemetryAppInsightsKey": "00000000-0000-0000-0000-000000000000",
            "workspaceId": it.workspace_id, "systemDatastoresAuthMode": "accessKey",
            "storageHnsEnabled": false, "creationTime": instant(it.created_at),
        },
        "identity": {
            "type": "SystemAssigned", "principalId": "66666666-6666-6666-6666-666666666666",
            "tenantId": tenant_id,
        },
        "sku": { "name": sku, "tier": sku },
    })
}

/// The keys of what belongs to a workspace.
pub(super) fn keys_json(it: &MlWorkspace) -> Value {
    let storage = it.described.storage_account.clone().unwrap_or_else(|| {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Storage/storageAccounts/{}",
            it.subscription, it.resource_group, it.account
        )
    });
    json!({
        "userStorageKey": account_key(), "userStorageResourceId": storage,
        "appInsightsInstrumentationKey": "00000000-0000-0000-0000-000000000000",
        "containerRegistryCredentials": null, "notebookAccessKeys": null,
    })
}
