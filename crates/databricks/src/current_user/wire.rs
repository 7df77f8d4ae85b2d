//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use serde::Deserialize;

use super::{Membership, User};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireUser {
    id: String,
    #[serde(default)]
    user_name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    emails: Vec<Complex>,
    #[serde(default)]
    groups: Vec<Complex>,
    #[serde(default)]
    entitlements: Vec<Complex>,
    #[serde(default)]
    external_id: Option<String>,
}

/// A value and what there is to say of it.
#[derive(Deserialize)]
struct Complex {
    #[serde(default)]
    value: String,
    #[serde(default)]
    display: String,
    #[serde(default)]
    primary: bool,
}

impl From<WireUser> for User {
    fn from(it: WireUser) -> Self {
        let mut emails = it.emails;
        emails.sort_by_key(|it| !it.primary);
        let group = |it: Complex| Membership { id: it.value.into(), name: it.display };
        Self {
            id: it.id.into(),
            user_name: it.user_name,
            display_name: it.display_name,
            is_active: it.active,
            emails: emails.into_iter().map(|it| it.value).collect(),
            groups: it.groups.into_iter().map(group).collect(),
            entitlements: it.entitlements.into_iter().map(|it| it.value).collect(),
            external_id: it.external_id,
        }
    }
}
