//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Grant, Object, Who, meaning};
use crate::{
    kernel::Refusal,
    services::databricks::{Databricks, scim},
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SetBody {
    access_control_list: Vec<GrantBody>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GrantBody {
    user_name: Option<String>,
    group_name: Option<String>,
    service_principal_name: Option<String>,
    permission_level: Option<String>,
}

impl SetBody {
    pub(super) fn read(self) -> Result<Vec<Grant>, Refusal> {
        let read = |it: GrantBody| {
            let level = it.permission_level.ok_or_else(|| {
                Refusal::invalid("Missing required field: access_control_list.permission_level")
            })?;
            let (who, name) = match (it.user_name, it.group_name, it.service_principal_name) {
                (Some(name), None, None) => (Who::User, name),
                (None, Some(name), None) => (Who::Group, name),
                (None, None, Some(name)) => (Who::ServicePrincipal, name),
                _ => {
                    let text = "access_control_list must have exactly one of user_name, group_name, service_principal_name";
                    return Err(Refusal::invalid(text));
                }
            };
            Ok(Grant { who, name, level })
        };
        self.access_control_list.into_iter().map(read).collect()
    }
}

pub(super) fn describe(state: &Databricks, object: &Object) -> Value {
    let entry = |it: Grant| {
        let (field, kind) = match it.who {
            Who::User => ("user_name", scim::Kind::User),
            Who::Group => ("group_name", scim::Kind::Group),
            Who::ServicePrincipal => ("service_principal_name", scim::Kind::ServicePrincipal),
        };
        let mut entry = json!({
            field: it.name,
            "all_permissions": [{ "permission_level": it.level, "inherited": false }],
        });
        if let Some(found) =
            state.principals.named(kind, &it.name).filter(|_| field != "group_name")
        {
            entry["display_name"] = json!(found.display_name());
        }
        entry
    };
    let mut list: Vec<Value> = object.grants(state).into_iter().map(entry).collect();
    list.push(json!({
        "group_name": "admins",
        "all_permissions": [{
            "permission_level": "CAN_MANAGE", "inherited": true,
            "inherited_from_object": [format!("/{}/", object.kind.folder)],
        }],
    }));
    let object_type = match object.kind.folder {
        "authorization" => object.id.as_str(),
        _ => object.kind.object_type,
    };
    json!({
        "object_id": object.path(), "object_type": object_type, "access_control_list": list,
    })
}

pub(super) fn levels_json(object: &Object) -> Value {
    let level = |it: &&str| json!({ "permission_level": it, "description": meaning(it) });
    let levels: Vec<Value> = object.kind.levels.iter().map(level).collect();
    json!({ "permission_levels": levels })
}
