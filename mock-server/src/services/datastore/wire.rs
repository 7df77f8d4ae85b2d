use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::state::{Credential, Datastore, Kind};
use crate::{
    kernel::{self, Refusal, Site},
    services::{azure::AtWorkspace, history::instant},
};

/// A datastore as clients send it. Secrets come as text and leave as secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatastoreBody {
    #[serde(default)]
    name: Option<String>,
    data_store_type: Option<String>,
    #[serde(default)]
    tags: Option<BTreeMap<String, Option<String>>>,
    azure_storage_section: Option<StorageBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageBody {
    #[serde(default)]
    account_name: Option<String>,
    #[serde(default)]
    container_name: Option<String>,
    endpoint: Option<String>,
    protocol: Option<String>,
    credential_type: Option<String>,
    credential: Option<String>,
    blob_cache_timeout: Option<i64>,
    subscription_id: Option<String>,
    resource_group: Option<String>,
    #[serde(alias = "ServiceDataAccessAuthIdentity")]
    service_data_access_auth_identity: Option<String>,
    #[serde(default)]
    are_workspace_managed_identities_allowed: Option<bool>,
}

impl DatastoreBody {
    /// The datastore; `now` is when it begins, `suffix` what the storage of
    /// this cloud has behind its accounts.
    pub(super) fn into_datastore(
        self,
        now: OffsetDateTime,
        suffix: &str,
    ) -> Result<Datastore, Refusal> {
        match self.data_store_type.as_deref() {
            Some("AzureBlob") => (),
            Some("DBFS") => return Ok(self.into_dbfs(now)),
            Some(other) => {
                let text = format!("azml-mock does not emulate datastores of type {other}");
                return Err(Refusal::new(kernel::Kind::NotEmulated, text));
            }
            None => return Err(Refusal::invalid("dataStoreType is missing")),
        }
        let it = self.azure_storage_section;
        let it = it.ok_or_else(|| Refusal::invalid("azureStorageSection is missing"))?;
        let protocol = it.protocol.unwrap_or_else(|| "https".to_owned());
        if !matches!(protocol.as_str(), "http" | "https") {
            let text = format!("azureStorageSection.protocol is '{protocol}', not http or https");
            return Err(Refusal::invalid(text));
        }
        let endpoint = it.endpoint.filter(|it| !it.is_empty() && *it != suffix);
        Ok(Datastore {
            name: self.name.unwrap_or_default(),
            kind: Kind::AzureBlob,
            account: it.account_name.unwrap_or_default(),
            container: it.container_name.unwrap_or_default(),
            endpoint: endpoint.filter(|it| it != "core.windows.net"),
            protocol,
            credential: credential(it.credential_type.as_deref(), it.credential)?,
            blob_cache_timeout: it.blob_cache_timeout,
            subscription: it.subscription_id,
            resource_group: it.resource_group,
            identity: it.service_data_access_auth_identity,
            allows_identities: it.are_workspace_managed_identities_allowed.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            is_validated: false,
            created_at: now,
            modified_at: now,
        })
    }

    /// A datastore that has a name and nothing else.
    fn into_dbfs(self, now: OffsetDateTime) -> Datastore {
        Datastore {
            name: self.name.unwrap_or_default(),
            kind: Kind::Dbfs,
            account: String::new(),
            container: String::new(),
            endpoint: None,
            protocol: String::new(),
            credential: Credential::None,
            blob_cache_timeout: None,
            subscription: None,
            resource_group: None,
            identity: None,
            allows_identities: false,
            tags: self.tags.unwrap_or_default(),
            is_validated: false,
            created_at: now,
            modified_at: now,
        }
    }
}

fn credential(kind: Option<&str>, secret: Option<String>) -> Result<Credential, Refusal> {
    let secret = secret.filter(|it| !it.is_empty());
    let needed = |kind: &str| {
        Refusal::invalid(format!("azureStorageSection.credential is missing; {kind} needs it"))
    };
    match kind.unwrap_or("None") {
        "None" => Ok(Credential::None),
        "AccountKey" => {
            secret.map(|it| Credential::AccountKey(it.into())).ok_or_else(|| needed("AccountKey"))
        }
        "Sas" => secret.map(|it| Credential::Sas(it.into())).ok_or_else(|| needed("Sas")),
        "ClientCredentials" => {
            let text = "azml-mock does not emulate datastores with client credentials";
            Err(Refusal::new(kernel::Kind::NotEmulated, text))
        }
        other => Err(Refusal::invalid(format!(
            "azureStorageSection.credentialType is '{other}', not None, AccountKey or Sas"
        ))),
    }
}

/// What an answer shows beside the datastore itself.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) at: &'a AtWorkspace,
    pub(super) site: &'a Site,
    pub(super) default: &'a str,
    pub(super) with_secrets: bool,
}

pub(super) fn datastore_json(it: &Datastore, shown: Shown<'_>) -> Value {
    let Shown { default, .. } = shown;
    let (kind, section) = match it.kind {
        Kind::AzureBlob => ("AzureBlob", storage_json(it, shown)),
        Kind::Dbfs => ("DBFS", Value::Null),
    };
    json!({
        "name": it.name, "dataStoreType": kind, "hasBeenValidated": it.is_validated,
        "tags": it.tags, "isDefault": it.name == default, "createdTime": instant(it.created_at),
        "modifiedTime": instant(it.modified_at), "azureStorageSection": section,
    })
}

fn storage_json(it: &Datastore, shown: Shown<'_>) -> Value {
    let Shown { at, site, with_secrets, .. } = shown;
    let (kind, secret) = match &it.credential {
        Credential::None => ("None", None),
        Credential::AccountKey(key) => ("AccountKey", Some(key)),
        Credential::Sas(token) => ("Sas", Some(token)),
    };
    let secret = secret.filter(|_| with_secrets).map(|it| it.to_string());
    let endpoint = it.endpoint.clone().unwrap_or_else(|| site.storage_suffix());
    json!({
        "accountName": it.account, "containerName": it.container,
        "endpoint": endpoint, "protocol": it.protocol,
        "credentialType": kind, "credential": secret,
        "blobCacheTimeout": it.blob_cache_timeout, "isSas": kind == "Sas",
        // Where the official SDK reads them.
        "sasToken": (kind == "Sas").then_some(&secret),
        "accountKey": (kind == "AccountKey").then_some(&secret),
        "subscriptionId": it.subscription.as_ref().unwrap_or(&at.subscription),
        "resourceGroup": it.resource_group.as_ref().unwrap_or(&at.resource_group),
        "ServiceDataAccessAuthIdentity": it.identity.as_deref().unwrap_or("None"),
        "clientCredentials": null,
        "areWorkspaceManagedIdentitiesAllowed": it.allows_identities,
    })
}
