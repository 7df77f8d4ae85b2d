use serde_json::{Value, json};

use super::state::{DEFAULT, Datastore};
use crate::{
    kernel::{Site, clock::EPOCH},
    services::{azure::AtWorkspace, blob, history::instant},
};

pub(super) fn datastore_json(it: &Datastore, at: &AtWorkspace, site: &Site) -> Value {
    json!({
        "name": it.name, "dataStoreType": "AzureBlob", "hasBeenValidated": true, "tags": {},
        "isDefault": it.name == DEFAULT, "createdTime": instant(EPOCH),
        "modifiedTime": instant(EPOCH),
        "azureStorageSection": {
            "accountName": at.account, "containerName": it.container,
            "endpoint": site.storage_suffix(), "protocol": "https",
            "credentialType": "AccountKey", "credential": blob::account_key(),
            "blobCacheTimeout": null, "isSas": false, "sasToken": null, "accountKey": null,
            "subscriptionId": at.subscription, "resourceGroup": at.resource_group,
            "serviceDataAccessAuthIdentity": "None", "clientCredentials": null,
            "areWorkspaceManagedIdentitiesAllowed": false,
        },
    })
}
