//! JSON exactly as the services write it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Error, Page, PageToken, ResourceId, Result};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    ComputeName, ComputeTarget, ComputeType, DatabricksCredentials, ProvisioningError,
    ProvisioningState,
};

#[derive(Serialize)]
pub(super) struct Attach<'a> {
    location: &'a str,
    properties: AttachProperties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachProperties<'a> {
    compute_type: &'a str,
    resource_id: String,
    properties: AttachToken<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachToken<'a> {
    databricks_access_token: &'a str,
}

impl<'a> Attach<'a> {
    pub(super) fn new(location: &'a str, resource_id: String, token: &'a str) -> Self {
        let properties = AttachToken { databricks_access_token: token };
        let compute_type = "Databricks";
        Self { location, properties: AttachProperties { compute_type, resource_id, properties } }
    }
}

#[derive(Deserialize)]
pub(super) struct Compute {
    name: String,
    id: Option<String>,
    location: Option<String>,
    tags: Option<BTreeMap<String, Option<String>>>,
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    compute_type: String,
    provisioning_state: String,
    provisioning_errors: Option<Vec<Wrapped>>,
    resource_id: Option<String>,
    is_attached_compute: Option<bool>,
    description: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_on: Option<OffsetDateTime>,
    #[serde(rename = "properties")]
    of_its_kind: Option<Inner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inner {
    workspace_url: Option<String>,
}

#[derive(Deserialize)]
struct Wrapped {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Computes {
    value: Vec<Compute>,
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Keys {
    compute_type: Option<String>,
    databricks_access_token: Option<String>,
}

impl From<Compute> for ComputeTarget {
    fn from(it: Compute) -> Self {
        let properties = it.properties;
        let errors = properties.provisioning_errors.unwrap_or_default().into_iter();
        let tags = it.tags.unwrap_or_default().into_iter();
        // An id in an unknown form must not make the target unreadable.
        let id = |text: Option<String>| text.and_then(|it| ResourceId::parse(&it).ok());
        Self {
            name: ComputeName::new(it.name),
            id: id(it.id),
            location: it.location.unwrap_or_default(),
            compute_type: ComputeType::from_word(&properties.compute_type),
            provisioning_state: ProvisioningState::from_word(&properties.provisioning_state),
            provisioning_errors: errors.map(ProvisioningError::from).collect(),
            resource_id: id(properties.resource_id),
            is_attached: properties.is_attached_compute.unwrap_or_default(),
            description: properties.description,
            databricks_workspace_url: properties.of_its_kind.and_then(|it| it.workspace_url),
            created_at: properties.created_on,
            tags: tags.map(|(key, value)| (key, value.unwrap_or_default())).collect(),
        }
    }
}

impl From<Wrapped> for ProvisioningError {
    fn from(Wrapped { error }: Wrapped) -> Self {
        Self { code: error.code.unwrap_or_default(), message: error.message.unwrap_or_default() }
    }
}

impl From<Computes> for Page<ComputeTarget> {
    fn from(it: Computes) -> Self {
        Self {
            items: it.value.into_iter().map(ComputeTarget::from).collect(),
            next: it.next_link.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

impl Keys {
    pub(super) fn into_credentials(
        self,
        operation: &'static str,
        name: &ComputeName,
    ) -> Result<DatabricksCredentials> {
        let token = self.databricks_access_token.ok_or_else(|| {
            let kind = self.compute_type.unwrap_or_else(|| "another".to_owned());
            let reason = format!(
                "compute name \"{name}\": is of type {kind}; only a Databricks one has an access token"
            );
            Error::invalid(operation, reason)
        })?;
        Ok(DatabricksCredentials { access_token: SecretString::from(token) })
    }
}
