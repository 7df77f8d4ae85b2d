//! JSON exactly as the service writes it. Nothing here leaves this crate.

use serde::{Deserialize, Serialize};

use super::{
    Group, GroupDefinition, Membership, ServicePrincipal, ServicePrincipalDefinition, User,
    UserDefinition,
    patch::{PrincipalPatch, Step},
};
use crate::wire::Integer;

/// A value and what there is to say of it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Complex {
    value: String,
    #[serde(skip_serializing)]
    display: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    primary: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

fn values<T: AsRef<str>>(them: &[T]) -> Vec<Complex> {
    let value = |it: &T| Complex { value: it.as_ref().to_owned(), ..Complex::default() };
    them.iter().map(value).collect()
}

fn texts(them: Vec<Complex>) -> Vec<String> {
    them.into_iter().map(|it| it.value).collect()
}

fn memberships(them: Vec<Complex>) -> Vec<Membership> {
    them.into_iter().map(|it| Membership { id: it.value.into(), name: it.display }).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewUser<'a> {
    user_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name<'a>>,
    active: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<Complex>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entitlements: Vec<Complex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Name<'a> {
    given_name: &'a str,
    family_name: &'a str,
}

impl<'a> From<&'a UserDefinition> for NewUser<'a> {
    fn from(it: &'a UserDefinition) -> Self {
        let email = |(index, address): (usize, &String)| Complex {
            value: address.clone(),
            primary: index == 0,
            kind: Some("work".to_owned()),
            ..Complex::default()
        };
        let name = it.name.as_ref();
        Self {
            user_name: &it.user_name,
            display_name: it.display_name.as_deref(),
            name: name.map(|it| Name { given_name: &it.given_name, family_name: &it.family_name }),
            active: it.is_active,
            emails: it.emails.iter().enumerate().map(email).collect(),
            entitlements: values(&it.entitlements),
            external_id: it.external_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewGroup<'a> {
    display_name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Complex>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entitlements: Vec<Complex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

impl<'a> From<&'a GroupDefinition> for NewGroup<'a> {
    fn from(it: &'a GroupDefinition) -> Self {
        Self {
            display_name: &it.display_name,
            members: values(&it.members),
            entitlements: values(&it.entitlements),
            external_id: it.external_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewServicePrincipal<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    active: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entitlements: Vec<Complex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
}

impl<'a> From<&'a ServicePrincipalDefinition> for NewServicePrincipal<'a> {
    fn from(it: &'a ServicePrincipalDefinition) -> Self {
        Self {
            application_id: it.application_id.as_deref(),
            display_name: it.display_name.as_deref(),
            active: it.is_active,
            entitlements: values(&it.entitlements),
            external_id: it.external_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PatchRequest<'a> {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: &'a [Step],
}

impl<'a> From<&'a PrincipalPatch> for PatchRequest<'a> {
    fn from(it: &'a PrincipalPatch) -> Self {
        Self { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], operations: &it.steps }
    }
}

/// A page, of which the first item has the number `start_index`, counted from 1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse<T> {
    #[serde(rename = "Resources", default = "Vec::new")]
    pub(super) resources: Vec<T>,
    #[serde(default)]
    pub(super) total_results: Integer,
    #[serde(default)]
    pub(super) start_index: Integer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireUser {
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

impl From<WireUser> for User {
    fn from(it: WireUser) -> Self {
        let mut emails = it.emails;
        emails.sort_by_key(|it| !it.primary);
        Self {
            id: it.id.into(),
            user_name: it.user_name,
            display_name: it.display_name,
            is_active: it.active,
            emails: texts(emails),
            groups: memberships(it.groups),
            entitlements: texts(it.entitlements),
            external_id: it.external_id,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireGroup {
    id: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    members: Vec<Complex>,
    #[serde(default)]
    groups: Vec<Complex>,
    #[serde(default)]
    entitlements: Vec<Complex>,
    #[serde(default)]
    external_id: Option<String>,
}

impl From<WireGroup> for Group {
    fn from(it: WireGroup) -> Self {
        Self {
            id: it.id.into(),
            display_name: it.display_name,
            members: memberships(it.members),
            groups: memberships(it.groups),
            entitlements: texts(it.entitlements),
            external_id: it.external_id,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireServicePrincipal {
    id: String,
    #[serde(default)]
    application_id: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    groups: Vec<Complex>,
    #[serde(default)]
    entitlements: Vec<Complex>,
    #[serde(default)]
    external_id: Option<String>,
}

impl From<WireServicePrincipal> for ServicePrincipal {
    fn from(it: WireServicePrincipal) -> Self {
        Self {
            id: it.id.into(),
            application_id: it.application_id,
            display_name: it.display_name,
            is_active: it.active,
            groups: memberships(it.groups),
            entitlements: texts(it.entitlements),
            external_id: it.external_id,
        }
    }
}
