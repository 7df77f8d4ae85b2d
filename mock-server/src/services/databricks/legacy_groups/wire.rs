//! Written from the published API reference, never from the client crates.

use serde_json::{Value, json};

/// The groups that every workspace begins with.
pub(super) fn list() -> Value {
    json!({ "group_names": ["admins", "users"] })
}
