//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{BlobContainer, DatastoreCredential, DatastoreKind, DatastoreName, StorageLocation};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Datastore {
    name: String,
    data_store_type: String,
    #[serde(default)]
    is_default: Option<bool>,
    #[serde(default)]
    tags: Option<BTreeMap<String, Option<String>>>,
    azure_storage_section: Option<StorageSection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageSection {
    account_name: String,
    container_name: String,
    endpoint: Option<String>,
    protocol: Option<String>,
    credential_type: Option<String>,
    #[serde(default)]
    credential: Option<SecretText>,
}

/// A text that is never printed.
#[derive(Deserialize)]
#[serde(transparent)]
struct SecretText(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Datastores {
    value: Vec<Datastore>,
    continuation_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDatastore<'a> {
    name: &'a str,
    data_store_type: &'static str,
    azure_storage_section: NewStorageSection<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewStorageSection<'a> {
    account_name: &'a str,
    container_name: &'a str,
    endpoint: &'a str,
    protocol: &'a str,
    credential_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    /// The official SDK writes this one key so.
    #[serde(rename = "ServiceDataAccessAuthIdentity")]
    service_data_access_auth_identity: &'static str,
    are_workspace_managed_identities_allowed: bool,
}

impl<'a> NewDatastore<'a> {
    /// `suffix` is how storage hosts end, unless the container says it.
    pub(super) fn new(
        name: &'a DatastoreName,
        container: &'a BlobContainer,
        suffix: &'a str,
    ) -> Self {
        let (credential_type, credential) = match &container.credential {
            DatastoreCredential::AccountKey(key) => ("AccountKey", Some(key.expose_secret())),
            DatastoreCredential::Sas(sas) => {
                ("Sas", Some(sas.expose_secret().trim_start_matches('?')))
            }
            DatastoreCredential::Identity | DatastoreCredential::Unknown(_) => ("None", None),
        };
        let azure_storage_section = NewStorageSection {
            account_name: &container.account,
            container_name: &container.container,
            endpoint: container.endpoint.as_deref().unwrap_or(suffix),
            protocol: &container.protocol,
            credential_type,
            credential,
            service_data_access_auth_identity: "None",
            are_workspace_managed_identities_allowed: false,
        };
        Self { name: name.as_str(), data_store_type: "AzureBlob", azure_storage_section }
    }
}

impl From<Datastore> for super::Datastore {
    fn from(it: Datastore) -> Self {
        let kind = match it.data_store_type.as_str() {
            "AzureBlob" => DatastoreKind::AzureBlob,
            "AzureFile" => DatastoreKind::AzureFile,
            "AzureDataLakeGen2" => DatastoreKind::AzureDataLakeGen2,
            "DBFS" | "Dbfs" => DatastoreKind::Dbfs,
            _ => DatastoreKind::Unknown(it.data_store_type),
        };
        let tags = it.tags.unwrap_or_default().into_iter();
        Self {
            name: DatastoreName::new(it.name),
            kind,
            is_default: it.is_default.unwrap_or_default(),
            storage: it.azure_storage_section.map(StorageLocation::from),
            tags: tags.map(|(key, value)| (key, value.unwrap_or_default())).collect(),
        }
    }
}

impl From<StorageSection> for StorageLocation {
    fn from(it: StorageSection) -> Self {
        let secret = it.credential.map(|it| SecretString::from(it.0));
        let credential = match (it.credential_type.as_deref(), secret) {
            (Some("AccountKey"), Some(secret)) => DatastoreCredential::AccountKey(secret),
            (Some("Sas"), Some(secret)) => DatastoreCredential::Sas(secret),
            (None | Some("None"), _) => DatastoreCredential::Identity,
            (Some(kind), _) => DatastoreCredential::Unknown(kind.to_owned()),
        };
        Self {
            account: it.account_name,
            container: it.container_name,
            protocol: it.protocol.unwrap_or_else(|| "https".to_owned()),
            endpoint: it.endpoint.unwrap_or_else(|| "core.windows.net".to_owned()),
            credential,
        }
    }
}

impl From<Datastores> for Page<super::Datastore> {
    fn from(it: Datastores) -> Self {
        Self {
            items: it.value.into_iter().map(super::Datastore::from).collect(),
            next: it.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}
