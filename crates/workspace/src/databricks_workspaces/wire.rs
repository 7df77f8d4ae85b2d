//! JSON exactly as ARM writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Error, ErrorKind, Page, PageToken, ResourceId, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::DatabricksWorkspace;

/// The resource with all that it has, known to us or not.
pub(super) type Resource = Map<String, Value>;

/// The parameter that holds the link.
const LINK: &str = "amlWorkspaceId";
/// What the service fills in by itself.
const READ_ONLY: [&str; 4] = ["id", "name", "type", "systemData"];
const READ_ONLY_PROPERTIES: [&str; 8] = [
    "createdBy",
    "createdDateTime",
    "isUcEnabled",
    "privateEndpointConnections",
    "provisioningState",
    "updatedBy",
    "workspaceId",
    "workspaceUrl",
];

/// A workspace, and the resource that it was read from.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) workspace: DatabricksWorkspace,
    resource: Resource,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Documents {
    value: Vec<Resource>,
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Known {
    id: String,
    name: String,
    location: String,
    tags: Option<BTreeMap<String, Option<String>>>,
    sku: Option<Sku>,
    properties: Properties,
}

#[derive(Deserialize)]
struct Sku {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    managed_resource_group_id: Option<String>,
    provisioning_state: Option<String>,
    workspace_id: Option<String>,
    workspace_url: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    aml_workspace_id: Option<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    value: Option<String>,
}

impl Document {
    pub(super) fn new(operation: &'static str, resource: Resource) -> Result<Self> {
        let decode = |err| Error::local(operation, ErrorKind::Decode, err);
        // Once for what we know, and once as it is.
        let known = Known::deserialize(&Value::Object(resource.clone())).map_err(decode)?;
        Ok(Self { workspace: known.into_workspace(operation)?, resource })
    }

    /// What to write so that only the link changes.
    pub(super) fn with_link(
        mut self,
        operation: &'static str,
        link: Option<&ResourceId>,
    ) -> Result<Resource> {
        for name in READ_ONLY {
            self.resource.remove(name);
        }
        let properties = self.resource.get_mut("properties").and_then(Value::as_object_mut);
        let properties = properties.ok_or_else(|| {
            Error::explained(operation, ErrorKind::Decode, "the resource has no properties")
        })?;
        for name in READ_ONLY_PROPERTIES {
            properties.remove(name);
        }
        let parameters = properties.entry("parameters").or_insert_with(|| json!({}));
        if parameters.is_null() {
            *parameters = json!({});
        }
        let parameters = parameters.as_object_mut().ok_or_else(|| {
            Error::explained(operation, ErrorKind::Decode, "properties.parameters is no object")
        })?;
        match link {
            Some(link) => {
                let value = json!({ "type": "String", "value": link.to_string() });
                parameters.insert(LINK.to_owned(), value);
            }
            None => drop(parameters.remove(LINK)),
        }
        Ok(self.resource)
    }
}

impl Known {
    fn into_workspace(self, operation: &'static str) -> Result<DatabricksWorkspace> {
        let parse = |text: &str| {
            ResourceId::parse(text).map_err(|err| Error::local(operation, ErrorKind::Decode, err))
        };
        let Properties { parameters, workspace_url, .. } = self.properties;
        let link = parameters.and_then(|it| it.aml_workspace_id).and_then(|it| it.value);
        let link = link.filter(|it| !it.is_empty()).map(|it| parse(&it)).transpose()?;
        let url = workspace_url.filter(|it| !it.is_empty()).map(|it| {
            // The service gives the host alone.
            if it.contains("://") { it } else { format!("https://{it}") }
        });
        let tags = self.tags.unwrap_or_default().into_iter();
        Ok(DatabricksWorkspace {
            id: parse(&self.id)?,
            name: self.name,
            location: self.location,
            workspace_url: url,
            workspace_id: self.properties.workspace_id,
            sku: self.sku.and_then(|it| it.name),
            managed_resource_group_id: self.properties.managed_resource_group_id,
            provisioning_state: self.properties.provisioning_state,
            link,
            tags: tags.map(|(key, value)| (key, value.unwrap_or_default())).collect(),
        })
    }
}

impl Documents {
    pub(super) fn into_page(self, operation: &'static str) -> Result<Page<DatabricksWorkspace>> {
        let items = self.value.into_iter();
        let items = items.map(|it| Ok(Document::new(operation, it)?.workspace));
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: self.next_link.filter(|it| !it.is_empty()).map(PageToken),
        })
    }
}
