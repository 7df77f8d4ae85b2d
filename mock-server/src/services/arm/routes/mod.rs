pub(super) mod operations;

use axum::{
    Json,
    http::{StatusCode, Uri, request::Parts},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{Event, ResourceGroup},
    wire::{self, Range, page, required},
};
use crate::{
    kernel::{
        self, Body, Caller, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, Site,
        World, on,
    },
    services::azure::{ArmEnvelope as Envelope, arm_gate},
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("arm", gate, ROUTES);

pub(super) type Answer = Result<Json<Value>, Refused<Envelope>>;

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("arm.subscriptions.list", "/subscriptions", |it| on(it, subscriptions)),
    Route::get("arm.subscriptions.get", "/subscriptions/{subscription}", |it| on(it, subscription)),
    Route::get("arm.tenants.list", "/tenants", |it| on(it, tenants)),
    Route::get("arm.workspaces.list", "/subscriptions/{subscription}/resources", |it| on(it, resources)).partial("filters with or, ne and functions; $expand"),
    Route::get("arm.resource_groups.list", "/subscriptions/{subscription}/resourceGroups", |it| on(it, resource_groups)).partial("filters"),
    Route::get("arm.resource_groups.get", "/subscriptions/{subscription}/resourceGroups/{resource_group}", |it| on(it, resource_group)),
    Route::put("arm.resource_groups.create_or_update", "/subscriptions/{subscription}/resourceGroups/{resource_group}", |it| on(it, put_resource_group)),
    Route::get("arm.resources.list_by_resource_group", "/subscriptions/{subscription}/resourceGroups/{resource_group}/resources", |it| on(it, resources)).partial("filters with or, ne and functions; $expand"),
];

/// Lets in whoever has a token and says which version of the API is meant.
pub(super) fn gate(kernel: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let caller = arm_gate(kernel, site, parts)?;
    let query = parts.uri.query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    if names.any(|it| it.eq_ignore_ascii_case("api-version")) {
        return Ok(caller);
    }
    let text = "The api-version query parameter (?api-version=) is required for all requests.";
    Err(Refusal::invalid(text).with_code("MissingApiVersionParameter"))
}

/// The named parts of all paths of this service.
#[derive(Deserialize)]
pub(super) struct Path {
    #[serde(default)]
    pub(super) subscription: String,
    pub(super) resource_group: Option<String>,
    #[serde(default)]
    pub(super) workspace: String,
}

impl Path {
    pub(super) fn is_at(&self, subscription: &str, group: &str) -> bool {
        self.subscription.eq_ignore_ascii_case(subscription)
            && self.resource_group.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(group))
    }
}

pub(super) type PathNames = Names<Path, Envelope>;

async fn subscriptions(Here(kernel): Here) -> Answer {
    kernel.read(|world, _| {
        let tenant = &world.arm.tenant_id;
        let all = world.arm.subscriptions.iter();
        let all: Vec<Value> = all.map(|it| wire::subscription_json(it, tenant)).collect();
        Ok(Json(json!({ "value": all, "count": { "type": "Total", "value": all.len() } })))
    })
}

async fn subscription(Here(kernel): Here, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        world.arm.check_subscription(&path.subscription)?;
        Ok(Json(wire::subscription_json(&path.subscription, &world.arm.tenant_id)))
    })
}

async fn tenants(Here(kernel): Here) -> Answer {
    kernel.read(|world, _| Ok(Json(json!({ "value": [wire::tenant_json(&world.arm.tenant_id)] }))))
}

/// Which items of a listing are wanted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PageQuery {
    #[serde(rename = "$top")]
    top: Option<usize>,
    #[serde(rename = "$skiptoken", alias = "$skipToken", alias = "$skip")]
    skip: Option<String>,
    #[serde(rename = "$filter")]
    filter: String,
}

impl PageQuery {
    pub(super) fn range(&self) -> Result<Range, Refusal> {
        let invalid = |text: &str| Err(Refusal::invalid(text).with_code("InvalidQueryParameter"));
        if self.top == Some(0) {
            return invalid("$top must be 1 or more");
        }
        match self.skip.as_deref().map(str::parse) {
            None => Ok(Range { skip: 0, top: self.top }),
            Some(Ok(skip)) => Ok(Range { skip, top: self.top }),
            Some(Err(_)) => invalid("$skiptoken is none of those that this service gives"),
        }
    }
}

async fn resources(
    Here(kernel): Here,
    site: Site,
    uri: Uri,
    Names(path, _): PathNames,
    Params(query, _): Params<PageQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        check_listing(world, &path)?;
        let group = path.resource_group.as_deref();
        let found = wire::resources_json(&world.arm, &path.subscription, group, &query.filter);
        let found =
            found.map_err(|text| Refusal::invalid(text).with_code("InvalidFilterInQueryString"))?;
        Ok(Json(page(found, &query.range()?, &site, &uri)))
    })
}

async fn resource_groups(
    Here(kernel): Here,
    site: Site,
    uri: Uri,
    Names(path, _): PathNames,
    Params(query, _): Params<PageQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.arm.check_subscription(&path.subscription)?;
        let all = world.arm.groups();
        let here = all.filter(|it| it.subscription.eq_ignore_ascii_case(&path.subscription));
        let here = here.map(wire::resource_group_json).collect();
        Ok(Json(page(here, &query.range()?, &site, &uri)))
    })
}

async fn resource_group(Here(kernel): Here, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        let name = path.resource_group.as_deref().unwrap_or_default();
        Ok(Json(wire::resource_group_json(world.arm.group(&path.subscription, name)?)))
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupBody {
    location: Option<String>,
    tags: std::collections::BTreeMap<String, String>,
}

async fn put_resource_group(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Body(body, _): Body<GroupBody, Envelope>,
) -> Result<(StatusCode, Json<Value>), Refused<Envelope>> {
    let location = required("location", body.location)?;
    let (group, is_new) = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        world.arm.check_subscription(&path.subscription)?;
        let name = path.resource_group.unwrap_or_default();
        let old = world.arm.group(&path.subscription, &name).ok();
        if old.is_some_and(|it| !it.location.eq_ignore_ascii_case(&location)) {
            let text = format!("The resource group '{name}' is in another location.");
            return Err(Refusal::conflict(text).with_code("InvalidResourceGroupLocation"));
        }
        let group = ResourceGroup {
            subscription: path.subscription,
            name: old.map_or(name, |it| it.name.clone()),
            location,
            tags: body.tags,
        };
        let known = kernel::Event::Arm(Event::GroupKnown(group.clone()));
        Ok((vec![known], (group, old.is_none())))
    })?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(wire::resource_group_json(&group))))
}

/// Listings of what does not exist are refused, not empty.
pub(super) fn check_listing(world: &World, path: &Path) -> Result<(), Refusal> {
    world.arm.check_subscription(&path.subscription)?;
    match &path.resource_group {
        Some(name) => world.arm.group(&path.subscription, name).map(drop),
        None => Ok(()),
    }
}
