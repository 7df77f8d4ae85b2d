//! Written from what official clients read, never from the client crates.

use serde_json::{Value, json};

pub(super) fn describe(base: &str, workspace: u64) -> Value {
    json!({
        "oidc_endpoint": format!("{base}/oidc"),
        "workspace_id": workspace.to_string(),
        "account_id": "33333333-3333-3333-3333-333333333333",
        "cloud": "AZURE",
        "host_type": "workspace",
        "token_federation_default_oidc_audiences": [format!("{base}/oidc/v1/token")],
    })
}
