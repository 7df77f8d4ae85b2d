//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ManagedToken;
use crate::{principals::PrincipalId, tokens::wire::WireToken, wire::Integer};

#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    pub(super) application_id: &'a str,
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
    pub(super) token_info: WireManaged,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) token_infos: Vec<WireManaged>,
}

#[derive(Deserialize)]
pub(super) struct GetResponse {
    pub(super) token_info: WireManaged,
}

#[derive(Deserialize)]
pub(super) struct WireManaged {
    #[serde(default)]
    created_by_id: Option<Integer>,
    #[serde(default)]
    created_by_username: String,
    #[serde(default)]
    owner_id: Option<Integer>,
    #[serde(flatten)]
    token: WireToken,
}

impl From<WireManaged> for ManagedToken {
    fn from(it: WireManaged) -> Self {
        let id = |it: Integer| PrincipalId::new(it.0.to_string());
        Self {
            info: it.token.into(),
            created_by: it.created_by_id.map(id),
            created_by_username: it.created_by_username,
            owner: it.owner_id.map(id),
        }
    }
}
