use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{DatabricksWorkspace, Described, Parameter};
use crate::{
    kernel::{Refusal, Site},
    services::{
        arm::{
            state::State,
            wire::{DATABRICKS, required},
        },
        databricks::DEFAULT_WORKSPACE,
        history::instant,
    },
};

/// What the service fills in by itself. Clients that send back what they got
/// send it too.
const READ_ONLY: &[&str] = &[
    "provisioningState",
    "workspaceId",
    "workspaceUrl",
    "createdDateTime",
    "createdBy",
    "updatedBy",
    "diskEncryptionSetId",
    "storageAccountIdentity",
    "managedDiskIdentity",
    "privateEndpointConnections",
    "isUcEnabled",
];

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
    managed_resource_group_id: Option<String>,
    parameters: Option<BTreeMap<String, ParameterBody>>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
struct ParameterBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Value,
}

/// What PATCH takes.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TagsBody {
    pub(super) tags: Option<BTreeMap<String, String>>,
}

impl WorkspaceBody {
    /// The location, and everything else. What is absent is cleared.
    pub(super) fn into_described(self) -> Result<(String, Described), Refusal> {
        let location = required("location", self.location)?;
        let Properties { managed_resource_group_id, parameters, mut others } = self.properties;
        others.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        let parameters = parameters.unwrap_or_default();
        let named = parameters.into_iter().map(|(name, it)| {
            let kind = it.kind.unwrap_or_else(|| kind_of(&it.value).to_owned());
            (name, Parameter { kind, value: it.value })
        });
        let described = Described {
            tags: self.tags.unwrap_or_default(),
            sku: self.sku.map(|it| it.name),
            managed_resource_group: managed_resource_group_id,
            parameters: named.collect(),
            others,
        };
        Ok((location, described))
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "Bool",
        Value::Object(_) => "Object",
        _ => "String",
    }
}

pub(in super::super) fn databricks_json(it: &DatabricksWorkspace, site: &Site) -> Value {
    // By its own address a local client reaches the default workspace only.
    let url = if it.workspace_id == DEFAULT_WORKSPACE {
        site.databricks(&it.host)
    } else {
        it.host.clone()
    };
    let url = url.strip_prefix("https://").unwrap_or(&url);
    let described = &it.described;
    let parameters = described.parameters.iter();
    let parameters: Map<String, Value> = parameters
        .map(|(name, it)| (name.clone(), json!({ "type": it.kind, "value": it.value })))
        .collect();
    let mut properties = described.others.clone();
    properties.entry("publicNetworkAccess").or_insert_with(|| json!("Enabled"));
    properties.insert("managedResourceGroupId".into(), it.managed_resource_group().into());
    properties.insert("createdDateTime".into(), instant(it.created_at).into());
    properties.insert("provisioningState".into(), it.provisioning.word().into());
    properties.insert("parameters".into(), parameters.into());
    // It has no address before it is there.
    if it.provisioning.state != State::Creating {
        properties.insert("workspaceId".into(), it.workspace_id.to_string().into());
        properties.insert("workspaceUrl".into(), url.into());
    }
    let sku = described.sku.as_deref().unwrap_or("premium");
    json!({
        "id": it.resource_id(), "name": it.name, "type": DATABRICKS, "location": it.location,
        "tags": described.tags, "sku": { "name": sku }, "properties": properties,
    })
}
