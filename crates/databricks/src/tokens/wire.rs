//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{TokenId, TokenInfo};
use crate::wire::Millis;

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lifetime_seconds: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    #[serde(deserialize_with = "secret")]
    pub(super) token_value: SecretString,
    pub(super) token_info: WireToken,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(Into::into)
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) token_infos: Vec<WireToken>,
}

#[derive(Deserialize)]
pub(super) struct WireToken {
    token_id: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    creation_time: Millis,
    #[serde(default)]
    expiry_time: Millis,
}

impl From<WireToken> for TokenInfo {
    fn from(it: WireToken) -> Self {
        Self {
            token_id: TokenId::new(it.token_id),
            comment: it.comment,
            created_at: it.creation_time.instant(),
            expires_at: it.expiry_time.instant(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct DeleteRequest<'a> {
    pub(super) token_id: &'a str,
}
