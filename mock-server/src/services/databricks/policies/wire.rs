//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{FAMILIES, Family, NewPolicy, Policy};
use crate::{
    kernel::Refusal,
    services::databricks::wire::{millis, number, required},
};

#[derive(Deserialize)]
pub(super) struct PolicyBody {
    pub(super) policy_id: Option<String>,
    name: Option<String>,
    definition: Option<String>,
    policy_family_id: Option<String>,
    policy_family_definition_overrides: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_clusters_per_user: Option<i64>,
    description: Option<String>,
    libraries: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct ById {
    pub(super) policy_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    sort_column: Option<String>,
    sort_order: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FamiliesQuery {
    #[serde(deserialize_with = "number")]
    max_results: Option<i64>,
    page_token: Option<String>,
}

impl PolicyBody {
    pub(super) fn read(self) -> Result<NewPolicy, Refusal> {
        let (family, overrides) = (self.policy_family_id, self.policy_family_definition_overrides);
        let mut others = Map::new();
        let texts = [
            ("description", &self.description),
            ("policy_family_id", &family),
            ("policy_family_definition_overrides", &overrides),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                others.insert(name.to_owned(), json!(value));
            }
        }
        others.extend(self.libraries.map(|it| ("libraries".to_owned(), it)));
        let most_per_user = self.max_clusters_per_user.map(u64::try_from).transpose();
        Ok(NewPolicy {
            name: required(self.name, "name")?,
            definition: self.definition,
            family,
            overrides,
            most_per_user: most_per_user
                .map_err(|_| Refusal::invalid("max_clusters_per_user must be 0 or more"))?,
            others,
        })
    }
}

pub(super) fn describe(it: &Policy) -> Value {
    let mut fields = it.others.clone();
    fields.insert("policy_id".into(), json!(it.id));
    fields.insert("name".into(), json!(it.name));
    fields.insert("definition".into(), json!(it.definition));
    fields.insert("creator_user_name".into(), json!(it.creator));
    fields.insert("created_at_timestamp".into(), json!(millis(it.created_at)));
    fields.insert("is_default".into(), json!(false));
    if let Some(most) = it.most_per_user {
        fields.insert("max_clusters_per_user".into(), json!(most));
    }
    Value::Object(fields)
}

/// The latest first, unless the query says otherwise.
pub(super) fn list<'a>(
    all: impl Iterator<Item = &'a Policy>,
    query: &ListQuery,
) -> Result<Value, Refusal> {
    let mut all: Vec<&Policy> = all.collect();
    match query.sort_column.as_deref().unwrap_or("POLICY_CREATION_TIME") {
        "POLICY_CREATION_TIME" => all.sort_by_key(|it| it.created_at),
        "POLICY_NAME" => all.sort_by_key(|it| &it.name),
        other => return Err(Refusal::invalid(format!("sort_column {other:?} is not known"))),
    }
    if query.sort_order.as_deref() != Some("ASC") {
        all.reverse();
    }
    let policies: Vec<Value> = all.into_iter().map(describe).collect();
    let total = policies.len();
    Ok(if total == 0 {
        json!({ "total_count": 0 })
    } else {
        json!({ "policies": policies, "total_count": total })
    })
}

pub(super) fn describe_family(it: &Family) -> Value {
    json!({
        "policy_family_id": it.id, "name": it.name, "description": it.description,
        "definition": it.definition,
    })
}

pub(super) fn list_families(query: &FamiliesQuery) -> Value {
    let skipped = query.page_token.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0_usize);
    let size = query.max_results.and_then(|it| usize::try_from(it).ok()).filter(|it| 0 < *it);
    let page: Vec<Value> = FAMILIES
        .iter()
        .skip(skipped)
        .take(size.unwrap_or(FAMILIES.len()))
        .map(describe_family)
        .collect();
    let end = skipped + page.len();
    let mut answer = json!({ "policy_families": page });
    if end < FAMILIES.len() {
        answer["next_page_token"] = json!(end.to_string());
    }
    answer
}
