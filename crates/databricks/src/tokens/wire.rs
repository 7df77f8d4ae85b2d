//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use azml_core::{Error, Result};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{TokenId, TokenInfo, TokenUpdate};
use crate::wire::Millis;

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lifetime_seconds: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) scopes: &'a [String],
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) token_value: SecretString,
    pub(super) token_info: WireToken,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) token_infos: Vec<WireToken>,
}

/// Which fields change, and to what.
#[derive(Serialize)]
pub(crate) struct UpdateRequest<'a> {
    token: Changed<'a>,
    update_mask: String,
}

#[derive(Serialize)]
struct Changed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a [String]>,
}

impl<'a> UpdateRequest<'a> {
    pub(crate) fn new(operation: &'static str, it: &'a TokenUpdate) -> Result<Self> {
        let fields = [("comment", it.comment.is_some()), ("scopes", it.scopes.is_some())];
        let changed: Vec<&str> =
            fields.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect();
        if changed.is_empty() {
            return Err(Error::invalid(operation, "update: changes nothing; set a field"));
        }
        let token = Changed { comment: it.comment.as_deref(), scopes: it.scopes.as_deref() };
        Ok(Self { token, update_mask: changed.join(",") })
    }
}

#[derive(Deserialize)]
pub(crate) struct WireToken {
    token_id: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    creation_time: Millis,
    #[serde(default)]
    expiry_time: Millis,
    #[serde(default)]
    scopes: Vec<String>,
}

impl From<WireToken> for TokenInfo {
    fn from(it: WireToken) -> Self {
        Self {
            token_id: TokenId::new(it.token_id),
            comment: it.comment,
            created_at: it.creation_time.instant(),
            expires_at: it.expiry_time.instant(),
            scopes: it.scopes,
        }
    }
}

#[derive(Serialize)]
pub(super) struct DeleteRequest<'a> {
    pub(super) token_id: &'a str,
}
