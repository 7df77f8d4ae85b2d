use serde_json::{Value, json};

use super::state::{Arm, DatabricksWorkspace, MlWorkspace};
use crate::{kernel::Site, services::history::instant};

/// The types of resources that there are, as listings name them.
const ML: &str = "Microsoft.MachineLearningServices/workspaces";
const DATABRICKS: &str = "Microsoft.Databricks/workspaces";

pub(super) fn subscription_json(id: &str, tenant_id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id, "tenantId": tenant_id,
        "displayName": "Mock subscription", "state": "Enabled", "subscriptionPolicies": {},
        "authorizationSource": "RoleBased", "managedByTenants": [],
    })
}

pub(super) fn tenant_json(id: &str) -> Value {
    json!({
        "id": format!("/tenants/{id}"), "tenantId": id, "countryCode": "US",
        "displayName": "Mock tenant", "domains": ["mock.test"], "tenantCategory": "Home",
    })
}

pub(super) fn resource_group_json(subscription: &str, name: &str, location: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{name}"), "name": name,
        "type": "Microsoft.Resources/resourceGroups", "location": location, "tags": {},
        "properties": { "provisioningState": "Succeeded" },
    })
}

pub(super) fn workspace_json(it: &MlWorkspace, tenant_id: &str, site: &Site) -> Value {
    let id = it.as_scope().resource_id();
    let group = format!("/subscriptions/{}/resourceGroups/{}", it.subscription, it.resource_group);
    let (account, name) = (&it.account, &it.name);
    let data_plane = site.data_plane(&it.location);
    let host = data_plane.split_once("://").map_or(data_plane.as_str(), |(_, host)| host);
    json!({
        "id": id, "name": name, "type": ML, "location": it.location, "tags": {}, "etag": null,
        "properties": {
            "friendlyName": name, "description": "",
            "storageAccount": format!("{group}/providers/Microsoft.Storage/storageAccounts/{account}"),
            "containerRegistry": null,
            "keyVault": format!("{group}/providers/Microsoft.KeyVault/vaults/mockvault1"),
            "applicationInsights": format!("{group}/providers/Microsoft.insights/components/mockinsights1"),
            "hbiWorkspace": false, "tenantId": tenant_id, "imageBuildCompute": null,
            "provisioningState": "Succeeded", "v1LegacyMode": false, "softDeleteEnabled": false,
            "publicNetworkAccess": "Enabled",
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
        "sku": { "name": "Basic", "tier": "Basic" },
    })
}

pub(super) fn databricks_json(it: &DatabricksWorkspace, site: &Site) -> Value {
    let url = site.databricks(&it.host);
    let url = url.strip_prefix("https://").unwrap_or(&url);
    let managed =
        format!("/subscriptions/{}/resourceGroups/databricks-rg-{}", it.subscription, it.name);
    json!({
        "id": it.resource_id(), "name": it.name, "type": DATABRICKS, "location": it.location,
        "tags": {}, "sku": { "name": "premium" },
        "properties": {
            "managedResourceGroupId": managed, "provisioningState": "Succeeded",
            "workspaceId": it.workspace_id.to_string(), "workspaceUrl": url, "parameters": {},
            "publicNetworkAccess": "Enabled",
        },
    })
}

/// A resource as a listing of all types shows it.
fn resource_json(id: &str, name: &str, kind: &str, location: &str) -> Value {
    json!({ "id": id, "name": name, "type": kind, "location": location, "tags": {} })
}

/// The resources of a subscription that `filter` lets through.
pub(super) fn resources_json(arm: &Arm, subscription: &str, filter: &str) -> Result<Value, String> {
    let wanted = type_of(filter)?;
    let is_wanted = |kind: &str| wanted.is_none_or(|it| it.eq_ignore_ascii_case(kind));
    let mut found = Vec::new();
    if is_wanted(ML) {
        let here = arm.workspaces().filter(|it| it.subscription.eq_ignore_ascii_case(subscription));
        found.extend(
            here.map(|it| resource_json(&it.as_scope().resource_id(), &it.name, ML, &it.location)),
        );
    }
    if is_wanted(DATABRICKS) {
        let here = arm.databricks().filter(|it| it.subscription.eq_ignore_ascii_case(subscription));
        found.extend(
            here.map(|it| resource_json(&it.resource_id(), &it.name, DATABRICKS, &it.location)),
        );
    }
    Ok(json!({ "value": found }))
}

/// The type in `resourceType eq '…'`, the one condition that is understood.
fn type_of(filter: &str) -> Result<Option<&str>, String> {
    if filter.trim().is_empty() {
        return Ok(None);
    }
    let mut words = filter.split_whitespace();
    let parts = (words.next(), words.next(), words.next(), words.next());
    let (Some(field), Some(operator), Some(value), None) = parts else {
        return Err(format!("the filter {filter:?} is more than resourceType eq '…'"));
    };
    let value = value.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    let is_known =
        field.eq_ignore_ascii_case("resourceType") && operator.eq_ignore_ascii_case("eq");
    match value {
        Some(value) if is_known => Ok(Some(value)),
        _ => Err(format!("the filter {filter:?} is not resourceType eq '…'")),
    }
}
