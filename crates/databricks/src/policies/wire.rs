//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use azml_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Policy, PolicyDefinition, PolicyFamily, PolicyFamilyId};
use crate::{
    libraries::wire::WireLibrary,
    wire::{Integer, Millis},
};

#[derive(Serialize)]
pub(super) struct ChangeRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_id: Option<&'a str>,
    #[serde(flatten)]
    pub(super) definition: WireDefinition,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireDefinition {
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_family_id: Option<PolicyFamilyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_family_definition_overrides: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_clusters_per_user: Option<Integer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    libraries: Vec<WireLibrary>,
}

impl WireDefinition {
    /// Checks `it` and writes it down.
    pub(super) fn new(operation: &'static str, it: &PolicyDefinition) -> Result<Self> {
        let invalid = |reason: String| Err(Error::invalid(operation, reason));
        if !(1..=100).contains(&it.name.chars().count()) {
            return invalid("name: has not 1 to 100 characters; give it such a name".to_owned());
        }
        if it.definition.is_some() && it.family_id.is_some() {
            let reason = "definition: goes not with family_id; use family_overrides";
            return invalid(reason.to_owned());
        }
        if it.family_overrides.is_some() && it.family_id.is_none() {
            return invalid("family_overrides: has no family_id; name the family".to_owned());
        }
        for (field, rules) in
            [("definition", &it.definition), ("family_overrides", &it.family_overrides)]
        {
            let read = rules.as_deref().map(serde_json::from_str::<Map<String, Value>>);
            if let Some(Err(err)) = read {
                return invalid(format!(
                    "{field}: is no JSON object ({err}); write rules by field"
                ));
            }
        }
        Ok(Self {
            name: it.name.clone(),
            description: it.description.clone(),
            definition: it.definition.clone(),
            policy_family_id: it.family_id.clone(),
            policy_family_definition_overrides: it.family_overrides.clone(),
            max_clusters_per_user: it.max_clusters_per_user.map(Into::into),
            libraries: it.libraries.iter().map(Into::into).collect(),
        })
    }

    fn into_domain(self, operation: &'static str) -> Result<PolicyDefinition> {
        let libraries = self.libraries.into_iter().map(|it| it.into_domain(operation));
        Ok(PolicyDefinition {
            name: self.name,
            description: self.description,
            definition: self.definition,
            family_id: self.policy_family_id,
            family_overrides: self.policy_family_definition_overrides,
            max_clusters_per_user: self.max_clusters_per_user.and_then(Integer::count),
            libraries: libraries.collect::<Result<_>>()?,
        })
    }
}

#[derive(Serialize)]
pub(super) struct ById<'a> {
    pub(super) policy_id: &'a str,
}

#[derive(Deserialize)]
pub(super) struct CreateResponse {
    pub(super) policy_id: String,
}

#[derive(Deserialize)]
pub(super) struct ListResponse {
    #[serde(default)]
    pub(super) policies: Vec<WirePolicy>,
}

#[derive(Deserialize)]
pub(super) struct WirePolicy {
    policy_id: String,
    #[serde(default)]
    creator_user_name: String,
    #[serde(default)]
    created_at_timestamp: Millis,
    #[serde(default)]
    is_default: bool,
    #[serde(flatten)]
    definition: WireDefinition,
}

impl WirePolicy {
    pub(super) fn into_domain(self, operation: &'static str) -> Result<Policy> {
        let mut definition = self.definition.into_domain(operation)?;
        let rules = definition.definition.clone().unwrap_or_default();
        if definition.family_id.is_some() {
            definition.definition = None;
        }
        Ok(Policy {
            policy_id: self.policy_id.into(),
            definition,
            rules,
            creator_user_name: self.creator_user_name,
            created_at: self.created_at_timestamp.instant(),
            is_default: self.is_default,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct FamiliesResponse {
    #[serde(default)]
    pub(super) policy_families: Vec<WireFamily>,
    #[serde(default)]
    pub(super) next_page_token: String,
}

#[derive(Deserialize)]
pub(super) struct WireFamily {
    policy_family_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    definition: String,
}

impl From<WireFamily> for PolicyFamily {
    fn from(it: WireFamily) -> Self {
        Self {
            family_id: it.policy_family_id.into(),
            name: it.name,
            description: it.description,
            definition: it.definition,
        }
    }
}
