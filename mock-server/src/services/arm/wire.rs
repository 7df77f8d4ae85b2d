use axum::http::Uri;
use serde_json::{Value, json};

use super::state::{Arm, ResourceGroup};
use crate::{
    kernel::{
        Refusal, Site,
        lro::{LongRunning, Outcome},
    },
    services::history::instant,
};

/// The types of resources that there are, as listings name them.
pub(super) const ML: &str = "Microsoft.MachineLearningServices/workspaces";
pub(super) const DATABRICKS: &str = "Microsoft.Databricks/workspaces";

pub(super) const ML_PROVIDER: &str = "Microsoft.MachineLearningServices";
pub(super) const DATABRICKS_PROVIDER: &str = "Microsoft.Databricks";

/// A field of a body that has to be there.
pub(super) fn required(name: &str, value: Option<String>) -> Result<String, Refusal> {
    value.filter(|it| !it.is_empty()).ok_or_else(|| {
        let text = format!("The {name} property is required for this definition.");
        Refusal::invalid(text).with_code("InvalidRequestContent")
    })
}

pub(super) fn subscription_json(id: &str, tenant_id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id, "tenantId": tenant_id,
        "displayName": "Mock subscription", "state": "Enabled", "subscriptionPolicies": {},
        "authorizationSource": "RoleBased", "managedByTenants": [],
    })
}

pub(super) fn tenant_json(id: &str) -> Value {
    json!({
        "id": format!("/tenants/{id}"), "tenantId": id, "countryCode": "US",
        "displayName": "Mock tenant", "domains": ["mock.test"], "tenantCategory": "Home",
    })
}

pub(super) fn resource_group_json(it: &ResourceGroup) -> Value {
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", it.subscription, it.name),
        "name": it.name, "type": "Microsoft.Resources/resourceGroups", "location": it.location,
        "tags": it.tags, "properties": { "provisioningState": "Succeeded" },
    })
}

/// How an operation is doing. `id` is the path at which the client asked.
pub(super) fn operation_json(run: &LongRunning, id: &str) -> Value {
    let mut shown = json!({
        "id": id, "name": run.id, "status": run.status(), "startTime": instant(run.started_at),
    });
    match &run.outcome {
        None => (),
        Some(Outcome::Failed(failure)) => {
            shown["error"] = json!({ "code": failure.code, "message": failure.message });
        }
        Some(Outcome::Succeeded | Outcome::Canceled) => {
            shown["endTime"] = instant(run.ends_at).into();
            shown["percentComplete"] = 100.into();
        }
    }
    shown
}

/// Which items of a listing are wanted.
pub(super) struct Range {
    pub(super) skip: usize,
    pub(super) top: Option<usize>,
}

/// One page of a listing, with the address of the next one only if there is one.
pub(super) fn page(all: Vec<Value>, range: &Range, site: &Site, uri: &Uri) -> Value {
    let end = range.top.map_or(all.len(), |top| (range.skip + top).min(all.len()));
    let is_last = all.len() <= end;
    let here: Vec<Value> = all.into_iter().take(end).skip(range.skip).collect();
    let mut page = json!({ "value": here });
    if !is_last {
        let query = uri.query().unwrap_or_default();
        let kept = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !matches!(name.as_ref(), "$skiptoken" | "$skip" | "$skipToken"));
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(kept).append_pair("$skiptoken", &end.to_string());
        let next = next.finish();
        page["nextLink"] = format!("{}{}?{next}", site.arm(), uri.path()).into();
    }
    page
}

/// A resource as a listing of all types shows it.
struct Listed<'a> {
    id: String,
    name: &'a str,
    kind: &'static str,
    location: &'a str,
    group: &'a str,
    tags: &'a std::collections::BTreeMap<String, String>,
}

/// The resources of a subscription that `filter` lets through.
pub(super) fn resources_json(
    arm: &Arm,
    subscription: &str,
    group: Option<&str>,
    filter: &str,
) -> Result<Vec<Value>, String> {
    let filter = Filter::parse(filter)?;
    let ml = arm.workspaces().map(|it| {
        let listed = Listed {
            id: it.as_scope().resource_id(),
            name: &it.name,
            kind: ML,
            location: &it.location,
            group: &it.resource_group,
            tags: it.tags(),
        };
        (&it.subscription, listed)
    });
    let databricks = arm.databricks().map(|it| {
        let listed = Listed {
            id: it.resource_id(),
            name: &it.name,
            kind: DATABRICKS,
            location: &it.location,
            group: &it.resource_group,
            tags: it.tags(),
        };
        (&it.subscription, listed)
    });
    let found = ml.chain(databricks).filter(|(at, it)| {
        at.eq_ignore_ascii_case(subscription)
            && group.is_none_or(|wanted| wanted.eq_ignore_ascii_case(it.group))
            && filter.lets_through(it)
    });
    let shown = found.map(|(_, it)| {
        json!({
            "id": it.id, "name": it.name, "type": it.kind, "location": it.location,
            "tags": it.tags,
        })
    });
    Ok(shown.collect())
}

/// Conditions that all have to hold.
struct Filter(Vec<Condition>);

struct Condition {
    field: Field,
    value: String,
}

#[derive(Clone, Copy)]
enum Field {
    ResourceType,
    ResourceGroup,
    Name,
    Location,
    TagName,
    TagValue,
}

impl Filter {
    /// Reads `field eq 'value' and …`.
    fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (condition, behind) = Condition::parse(rest).ok_or_else(|| {
                format!(
                    "the filter {text:?} is not understood: resourceType, resourceGroup, name, location, tagName, tagValue eq '…', joined by and"
                )
            })?;
            conditions.push(condition);
            rest = behind;
        }
        Ok(Self(conditions))
    }

    fn lets_through(&self, it: &Listed<'_>) -> bool {
        let tag_name = self.0.iter().find(|it| matches!(it.field, Field::TagName));
        self.0.iter().all(|Condition { field, value }| match field {
            Field::ResourceType => it.kind.eq_ignore_ascii_case(value),
            Field::ResourceGroup => it.group.eq_ignore_ascii_case(value),
            Field::Name => it.name.eq_ignore_ascii_case(value),
            Field::Location => it.location.eq_ignore_ascii_case(value),
            Field::TagName => it.tags.contains_key(value),
            Field::TagValue => it.tags.iter().any(|(name, it)| {
                it == value && tag_name.is_none_or(|wanted| wanted.value == *name)
            }),
        })
    }
}

impl Condition {
    /// The first condition of `text`, and what is behind the `and` that follows.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let (field, rest) = text.split_once(char::is_whitespace)?;
        let field = match field.to_ascii_lowercase().as_str() {
            "resourcetype" => Field::ResourceType,
            "resourcegroup" => Field::ResourceGroup,
            "name" => Field::Name,
            "location" => Field::Location,
            "tagname" => Field::TagName,
            "tagvalue" => Field::TagValue,
            _ => return None,
        };
        let (operator, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let (value, rest) = rest.trim_start().strip_prefix('\'')?.split_once('\'')?;
        let rest = rest.trim();
        let behind = match rest.split_once(char::is_whitespace) {
            Some((word, behind)) if word.eq_ignore_ascii_case("and") => behind.trim_start(),
            None if rest.is_empty() => "",
            _ => return None,
        };
        let is_known = operator.eq_ignore_ascii_case("eq");
        is_known.then(|| (Self { field, value: value.to_owned() }, behind))
    }
}
