//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Script, Wanted};
use crate::services::databricks::wire::{millis, number};

#[derive(Deserialize)]
pub(super) struct ScriptBody {
    name: Option<String>,
    script: Option<String>,
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "number")]
    position: Option<i64>,
}

impl ScriptBody {
    pub(super) fn read(self) -> Wanted {
        Wanted {
            name: self.name,
            script: self.script,
            is_enabled: self.enabled,
            position: self.position.and_then(|it| usize::try_from(it).ok()),
        }
    }
}

pub(super) fn describe((position, it): (usize, &Script)) -> Value {
    json!({
        "script_id": it.id, "name": it.name, "enabled": it.is_enabled, "position": position,
        "created_at": millis(it.created_at), "created_by": it.created_by,
        "updated_at": millis(it.updated_at), "updated_by": it.updated_by,
    })
}
