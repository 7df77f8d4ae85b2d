//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Credential, Wanted};
use crate::{kernel::Refusal, services::databricks::wire::required};

#[derive(Deserialize)]
pub(super) struct CredentialBody {
    git_provider: Option<String>,
    git_username: Option<String>,
    git_email: Option<String>,
    name: Option<String>,
    is_default_for_provider: Option<bool>,
    personal_access_token: Option<String>,
}

impl CredentialBody {
    pub(super) fn read(self) -> Result<Wanted, Refusal> {
        Ok(Wanted {
            provider: required(self.git_provider, "git_provider")?,
            user_name: self.git_username,
            email: self.git_email,
            name: self.name,
            is_default: self.is_default_for_provider,
            token: self.personal_access_token.map(Into::into),
        })
    }
}

pub(super) fn describe(it: &Credential) -> Value {
    let mut answer = json!({
        "credential_id": it.id, "git_provider": it.provider,
        "is_default_for_provider": it.is_default,
    });
    let texts = [("git_username", &it.user_name), ("git_email", &it.email), ("name", &it.name)];
    for (field, value) in texts {
        if let Some(value) = value {
            answer[field] = json!(value);
        }
    }
    answer
}
