use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Compute, NewCompute, Operation};
use crate::{
    kernel::{
        Kind, Refusal, Site, World,
        lro::{Failure, Outcome},
    },
    services::{azure::AtWorkspace, history::instant},
};

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct AttachBody {
    location: String,
    tags: Option<BTreeMap<String, String>>,
    properties: AttachProperties,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AttachProperties {
    compute_type: String,
    description: Option<String>,
    resource_id: String,
    properties: Option<Inner>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    databricks_access_token: Option<String>,
}

impl AttachBody {
    pub(super) fn into_new(self, name: String) -> Result<NewCompute, Refusal> {
        let Self { location, tags, properties } = self;
        if !properties.compute_type.eq_ignore_ascii_case("Databricks") {
            if properties.compute_type.is_empty() {
                let text = "properties.computeType is required.";
                return Err(Refusal::invalid(text).with_code("BadArgument"));
            }
            let text = format!(
                "azml-mock does not emulate compute targets of the type {}",
                properties.compute_type
            );
            return Err(Refusal::new(Kind::NotEmulated, text));
        }
        let inner = properties.properties.unwrap_or_default();
        Ok(NewCompute {
            name,
            location,
            description: properties.description,
            tags: tags.unwrap_or_default(),
            resource_id: properties.resource_id.trim_end_matches('/').to_owned(),
            access_token: inner.databricks_access_token.unwrap_or_default(),
        })
    }
}

pub(super) fn compute_json(it: &Compute, at: &AtWorkspace, world: &World, site: &Site) -> Value {
    let workspace = world.arm.databricks_by_id(&it.resource_id);
    let errors = it.failure.as_ref().map(|it| json!([{ "error": failure_json(it, false) }]));
    json!({
        "id": format!("{}/computes/{}", at.resource_id(), it.name), "name": it.name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": it.location, "tags": it.tags,
        "properties": {
            "computeType": "Databricks", "computeLocation": it.location,
            "description": it.description, "resourceId": it.resource_id,
            "createdOn": instant(it.created_at), "modifiedOn": instant(it.modified_at),
            "provisioningState": it.provisioning_state(),
            "provisioningErrors": errors, "isAttachedCompute": true, "disableLocalAuth": false,
            "properties": {
                "databricksAccessToken": null,
                "workspaceUrl": workspace.map(|it| site.databricks(&it.host)),
            },
        },
    })
}

pub(super) fn keys_json(it: &Compute) -> Value {
    json!({ "computeType": "Databricks", "databricksAccessToken": it.access_token })
}

/// How an operation is doing. `id` is the path at which the client asked.
pub(super) fn operation_json(it: &Operation, id: &str) -> Value {
    let run = &it.run;
    let status = run.status();
    match &run.outcome {
        None => json!({ "status": status }),
        Some(Outcome::Failed(failure)) => {
            json!({ "status": status, "error": failure_json(failure, true) })
        }
        Some(Outcome::Succeeded | Outcome::Canceled) => json!({
            "id": id, "name": run.id, "status": status, "startTime": instant(run.started_at),
            "endTime": instant(run.ends_at), "percentComplete": 100,
        }),
    }
}

fn failure_json(it: &Failure, with_status: bool) -> Value {
    let mut shown = json!({ "code": it.code, "message": it.message });
    if with_status {
        shown["statusCode"] = it.status.into();
    }
    shown
}
