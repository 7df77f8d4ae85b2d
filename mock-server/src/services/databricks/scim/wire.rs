//! Written from the published API reference, never from the client crates.

use serde_json::{Value, json};

use super::state::Principal;

pub(super) fn describe(it: &Principal) -> Value {
    let mut me = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": it.id.to_string(),
        "userName": it.name,
        "displayName": it.display_name,
        "active": true,
        "groups": [{ "display": "admins", "type": "direct", "value": "1000" }],
        "entitlements": [{ "value": "allow-cluster-create" }, { "value": "workspace-access" }],
    });
    if it.is_person {
        me["emails"] = json!([{ "type": "work", "value": it.name, "primary": true }]);
    }
    me
}
