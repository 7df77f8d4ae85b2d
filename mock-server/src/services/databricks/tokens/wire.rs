//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{NewToken, Token};
use crate::{
    kernel::Refusal,
    services::databricks::{
        Databricks,
        wire::{millis, number, seconds},
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CreateBody {
    comment: String,
    #[serde(deserialize_with = "number")]
    lifetime_seconds: Option<i64>,
    scopes: Vec<String>,
    /// Only on behalf of a service principal.
    pub(super) application_id: Option<String>,
    #[serde(rename = "autoscope_enabled")]
    _autoscope_enabled: Option<bool>,
}

impl CreateBody {
    pub(super) fn read(self) -> NewToken {
        let Self { comment, scopes, .. } = self;
        NewToken { comment, lifetime: seconds(self.lifetime_seconds), scopes }
    }
}

#[derive(Deserialize)]
pub(super) struct DeleteBody {
    pub(super) token_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct UpdateBody {
    token: ChangeBody,
    update_mask: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChangeBody {
    token_id: Option<String>,
    comment: Option<String>,
    scopes: Option<Vec<String>>,
}

impl UpdateBody {
    /// The new comment and the new scopes, if they are to change.
    pub(super) fn read(self) -> Result<(Option<String>, Option<Vec<String>>), Refusal> {
        let _ = self.token.token_id;
        let (mut comment, mut scopes) = (None, None);
        for field in self.update_mask.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            match field {
                "comment" => comment = Some(self.token.comment.clone().unwrap_or_default()),
                "scopes" => scopes = Some(self.token.scopes.clone().unwrap_or_default()),
                "autoscope_state" => (),
                other => {
                    let text = format!("update_mask {other:?} is none of comment, scopes");
                    return Err(Refusal::invalid(text));
                }
            }
        }
        Ok((comment, scopes))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AllQuery {
    #[serde(deserialize_with = "number")]
    pub(super) created_by_id: Option<i64>,
    pub(super) created_by_username: Option<String>,
}

pub(super) fn describe(token: &Token) -> Value {
    let mut it = json!({
        "token_id": token.token_id,
        "creation_time": millis(token.created_at),
        "expiry_time": token.expires_at.map_or(-1, millis),
        "comment": token.comment,
    });
    if !token.scopes.is_empty() {
        it["scopes"] = json!(token.scopes);
    }
    it
}

/// As admins see it.
pub(super) fn describe_for_admins(state: &Databricks, workspace: u64, token: &Token) -> Value {
    let mut it = describe(token);
    let id = |name: &str| state.principals.get(name).map(|it| it.id);
    it["created_by_username"] = json!(token.creator);
    it["workspace_id"] = json!(workspace);
    for (field, name) in [("created_by_id", &token.creator), ("owner_id", &token.owner)] {
        if let Some(id) = id(name) {
            it[field] = json!(id);
        }
    }
    it
}
