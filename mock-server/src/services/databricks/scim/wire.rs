//! Written from the published API reference, never from the client crates.

pub(super) mod filter;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{Kind, Principal, Principals, rules};
use crate::{
    kernel::{self, Refusal},
    services::databricks::{self, wire::number},
};

/// `{"schemas","detail","status","scimType"}`. What the gateway refuses comes
/// in the form of all services.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        use kernel::Kind::{AlreadyExists, Conflict, Invalid, Malformed, NotFound};
        let status = match refusal.kind {
            Malformed | Invalid => StatusCode::BAD_REQUEST,
            NotFound => StatusCode::NOT_FOUND,
            Conflict | AlreadyExists => StatusCode::CONFLICT,
            _ => return databricks::Envelope::render(refusal),
        };
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": refusal.message, "status": status.as_u16().to_string(),
        });
        let kind =
            refusal.code.as_deref().or((refusal.kind == Malformed).then_some("invalidSyntax"));
        if let Some(kind) = kind {
            body["scimType"] = json!(kind);
        }
        (status, axum::Json(body)).into_response()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListQuery {
    pub(super) filter: Option<String>,
    #[serde(deserialize_with = "number")]
    start_index: Option<i64>,
    #[serde(deserialize_with = "number")]
    count: Option<i64>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    #[serde(flatten)]
    pub(super) shown: ShownQuery,
}

/// Which attributes to show.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ShownQuery {
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PatchBody {
    #[serde(rename = "Operations", alias = "operations", default)]
    operations: Vec<OperationBody>,
    #[serde(rename = "schemas", default)]
    _schemas: Vec<String>,
}

#[derive(Deserialize)]
struct OperationBody {
    op: String,
    path: Option<String>,
    #[serde(default)]
    value: Value,
}

impl PatchBody {
    pub(super) fn read(self) -> Result<Vec<rules::Operation>, Refusal> {
        let read = |it: OperationBody| {
            let verb = match it.op.to_ascii_lowercase().as_str() {
                "add" => rules::Verb::Add,
                "remove" => rules::Verb::Remove,
                "replace" => rules::Verb::Replace,
                other => {
                    let text = format!("op {other:?} is none of add, remove, replace");
                    return Err(Refusal::invalid(text).with_code("invalidSyntax"));
                }
            };
            Ok(rules::Operation { verb, path: it.path, value: it.value })
        };
        self.operations.into_iter().map(read).collect()
    }
}

impl ShownQuery {
    fn choose(&self, mut it: Value) -> Value {
        let names = |list: &Option<String>| -> Option<Vec<String>> {
            let list = list.as_deref().filter(|it| !it.is_empty())?;
            let top = |it: &str| it.trim().split('.').next().unwrap_or_default().to_lowercase();
            Some(list.split(',').map(top).collect())
        };
        let (shown, hidden) = (names(&self.attributes), names(&self.excluded_attributes));
        let stays = |name: &String| {
            let lower = name.to_lowercase();
            lower == "id"
                || (shown.as_ref().is_none_or(|it| it.contains(&lower))
                    && !hidden.as_ref().is_some_and(|it| it.contains(&lower)))
        };
        if let Some(fields) = it.as_object_mut() {
            fields.retain(|name, _| stays(name));
        }
        it
    }
}

fn reference(it: &Principal) -> Value {
    let folder = match it.kind {
        Kind::User => "Users",
        Kind::ServicePrincipal => "ServicePrincipals",
        Kind::Group => "Groups",
    };
    json!({
        "display": it.display_name(), "value": it.id.to_string(),
        "$ref": format!("{folder}/{}", it.id),
    })
}

pub(super) fn describe(principals: &Principals, it: &Principal) -> Value {
    let schema = format!("urn:ietf:params:scim:schemas:core:2.0:{}", it.kind.word());
    let mut fields: Map<String, Value> = it.fields.clone();
    fields.insert("schemas".into(), json!([schema]));
    fields.insert("id".into(), json!(it.id.to_string()));
    let groups = principals.groups_of(it).map(|group| {
        let mut group = reference(group);
        group["type"] = json!("direct");
        group
    });
    let groups: Vec<Value> = groups.collect();
    if !groups.is_empty() {
        fields.insert("groups".into(), json!(groups));
    }
    if it.kind == Kind::Group {
        fields.insert("meta".into(), json!({ "resourceType": "WorkspaceGroup" }));
        let members = it.members().filter_map(|id| principals.by_id(id)).map(reference);
        let members: Vec<Value> = members.collect();
        if !members.is_empty() {
            fields.insert("members".into(), json!(members));
        }
    }
    Value::Object(fields)
}

pub(super) fn show(principals: &Principals, it: &Principal, query: &ShownQuery) -> Value {
    query.choose(describe(principals, it))
}

/// Whoever calls, as a user: service principals go by their client id.
pub(super) fn show_me(principals: &Principals, it: &Principal, query: &ShownQuery) -> Value {
    let mut me = describe(principals, it);
    me["schemas"] = json!([
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:workspace:2.0:User",
    ]);
    me["userName"] = json!(it.name());
    if let Some(fields) = me.as_object_mut() {
        fields.remove("applicationId");
    }
    query.choose(me)
}

/// One page of those that the filter lets through.
pub(super) fn list(
    principals: &Principals,
    kind: Kind,
    query: &ListQuery,
) -> Result<Value, Refusal> {
    let filter = query.filter.as_deref().filter(|it| !it.trim().is_empty());
    let filter = filter.map(filter::Filter::parse).transpose()?;
    let all = principals.of_kind(kind).map(|it| describe(principals, it));
    let mut found: Vec<Value> =
        all.filter(|it| filter.as_ref().is_none_or(|filter| filter.matches(it))).collect();
    if let Some(field) = query.sort_by.as_deref().filter(|it| !it.is_empty()) {
        let key = |it: &Value| filter::texts(it, field).into_iter().next().unwrap_or_default();
        found.sort_by_key(|it| key(it).to_lowercase());
        if query.sort_order.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("descending")) {
            found.reverse();
        }
    }
    let count = |it: Option<i64>| it.and_then(|it| usize::try_from(it).ok());
    let start = count(query.start_index).unwrap_or(1).max(1);
    let size = count(query.count).unwrap_or(100).min(100);
    let total = found.len();
    let page: Vec<Value> =
        found.into_iter().skip(start - 1).take(size).map(|it| query.shown.choose(it)).collect();
    Ok(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": start, "itemsPerPage": page.len(),
        "Resources": page,
    }))
}
