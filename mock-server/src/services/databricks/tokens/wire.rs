//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::Token;
use crate::services::databricks::wire::{millis, number};

#[derive(Deserialize)]
pub(super) struct CreateBody {
    #[serde(default)]
    pub(super) comment: String,
    #[serde(default, deserialize_with = "number")]
    pub(super) lifetime_seconds: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct DeleteBody {
    pub(super) token_id: Option<String>,
}

pub(super) fn describe(token: &Token) -> Value {
    json!({
        "token_id": token.token_id,
        "creation_time": millis(token.created_at),
        "expiry_time": token.expires_at.map_or(-1, millis),
        "comment": token.comment,
    })
}
