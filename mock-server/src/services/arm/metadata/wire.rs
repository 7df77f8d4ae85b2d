use serde_json::{Value, json};

use crate::kernel::Site;

/// The names under which clients look up parts of the data plane. All are one.
const NAMES: &[&str] = &[
    "api",
    "catalog",
    "experimentation",
    "gallery",
    "history",
    "hyperdrive",
    "inferencing",
    "labeling",
    "mlflow",
    "modelmanagement",
    "notebooks",
    "pipelines",
    "studio",
    "studiocoreservices",
];

pub(super) fn discovery_json(data_plane: &str) -> Value {
    NAMES
        .iter()
        .map(|it| ((*it).to_owned(), Value::from(data_plane)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The cloud, by the addresses that the client can reach.
///
/// The local authority ends in `/adfs/adfs`, because MSAL asks
/// Microsoft about any other that it does not know.
pub(super) fn cloud_json(site: &Site) -> Value {
    let (arm, is_local) = (site.arm(), site.origin().is_some());
    let login = if is_local { format!("{}/adfs/adfs", site.entra()) } else { site.entra() };
    let other = |name: &str| format!("{arm}/{name}");
    json!({
        "name": site.cloud_name(), "portal": site.portal(),
        "authentication": {
            "loginEndpoint": login, "audiences": site.arm_audiences(), "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": arm, "graph": other("graph"), "graphAudience": other("graph"),
        "gallery": other("gallery"), "batch": other("batch"), "media": other("media"),
        "sqlManagement": other("sql"), "vmImageAliasDoc": other("aliases.json"),
        "activeDirectoryDataLake": other("adl"), "microsoftGraphResourceId": other("msgraph"),
        "ossrdbmsResourceId": other("oss"), "appInsightsResourceId": other("ai"),
        "logAnalyticsResourceId": other("la"), "synapseAnalyticsResourceId": other("syn"),
        "appInsightsTelemetryChannelResourceId": other("v2/track"),
        "attestationResourceId": other("att"), "azmirrorStorageAccountResourceId": other("mirror"),
        "suffixes": {
            "storage": site.storage_suffix(), "keyVaultDns": "vault.azure.net",
            "acrLoginServer": "azurecr.io", "sqlServerHostname": "database.windows.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
        },
    })
}
