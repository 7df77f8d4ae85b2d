use axum::{Json, http::request::Parts, routing::on};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire;
use crate::{
    kernel::{Caller, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, Site, World},
    services::azure::{ArmEnvelope as Envelope, arm_gate},
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("arm", gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

macro_rules! ml {
    ($rest:literal) => {
        concat!("/providers/Microsoft.MachineLearningServices/workspaces", $rest)
    };
}
macro_rules! dbx {
    ($rest:literal) => {
        concat!("/providers/Microsoft.Databricks/workspaces", $rest)
    };
}
macro_rules! subscription {
    ($($rest:tt)*) => {
        concat!("/subscriptions/{subscription}", $($rest)*)
    };
}
macro_rules! group {
    ($($rest:tt)*) => {
        concat!("/subscriptions/{subscription}/resourceGroups/{resource_group}", $($rest)*)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("arm.subscriptions.list", "/subscriptions", |it| on(it, subscriptions)),
    Route::get("arm.subscriptions.get", subscription!(""), |it| on(it, subscription)),
    Route::get("arm.tenants.list", "/tenants", |it| on(it, tenants)),
    Route::get("arm.workspaces.list", subscription!("/resources"), |it| on(it, resources)).partial("the filter is resourceType eq '…'"),
    Route::get("arm.resource_groups.get", group!(""), |it| on(it, resource_group)),
    Route::get("arm.workspaces.list_by_subscription", subscription!(ml!("")), |it| on(it, workspaces)),
    Route::get("arm.workspaces.list_by_resource_group", group!(ml!("")), |it| on(it, workspaces)),
    Route::get("arm.workspaces.get", group!(ml!("/{workspace}")), |it| on(it, workspace)),
    Route::get("arm.databricks.list_by_subscription", subscription!(dbx!("")), |it| on(it, all_databricks)),
    Route::get("arm.databricks.list_by_resource_group", group!(dbx!("")), |it| on(it, all_databricks)),
    Route::get("arm.databricks.get", group!(dbx!("/{workspace}")), |it| on(it, databricks)),
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
struct Path {
    #[serde(default)]
    subscription: String,
    resource_group: Option<String>,
    #[serde(default)]
    workspace: String,
}

impl Path {
    fn is_at(&self, subscription: &str, group: &str) -> bool {
        self.subscription.eq_ignore_ascii_case(subscription)
            && self.resource_group.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(group))
    }
}

type PathNames = Names<Path, Envelope>;

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

#[derive(Deserialize)]
struct ResourcesQuery {
    #[serde(default, rename = "$filter")]
    filter: String,
}

async fn resources(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Params(query, _): Params<ResourcesQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.arm.check_subscription(&path.subscription)?;
        let found = wire::resources_json(&world.arm, &path.subscription, &query.filter);
        found
            .map(Json)
            .map_err(|text| Refusal::invalid(text).with_code("InvalidFilterInQueryString"))
    })
}

/// A group exists as long as something is in it.
fn location_of_group<'a>(world: &'a World, path: &Path) -> Option<&'a str> {
    let ml = world.arm.workspaces().map(|it| (&it.subscription, &it.resource_group, &it.location));
    let dbx = world.arm.databricks().map(|it| (&it.subscription, &it.resource_group, &it.location));
    let found = ml.chain(dbx).find(|(subscription, group, _)| path.is_at(subscription, group));
    found.map(|(_, _, location)| location.as_str())
}

fn group_missing(path: &Path) -> Refusal {
    let name = path.resource_group.as_deref().unwrap_or_default();
    let text = format!("Resource group '{name}' could not be found.");
    Refusal::not_found(text).with_code("ResourceGroupNotFound")
}

async fn resource_group(Here(kernel): Here, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        let location = location_of_group(world, &path).ok_or_else(|| group_missing(&path))?;
        let name = path.resource_group.as_deref().unwrap_or_default();
        Ok(Json(wire::resource_group_json(&path.subscription, name, location)))
    })
}

/// Listings of what does not exist are refused, not empty.
fn check_listing(world: &World, path: &Path) -> Result<(), Refusal> {
    world.arm.check_subscription(&path.subscription)?;
    match path.resource_group {
        Some(_) => location_of_group(world, path).map(drop).ok_or_else(|| group_missing(path)),
        None => Ok(()),
    }
}

async fn workspaces(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        check_listing(world, &path)?;
        let all = world.arm.workspaces();
        let here = all.filter(|it| path.is_at(&it.subscription, &it.resource_group));
        let tenant = &world.arm.tenant_id;
        let here: Vec<Value> = here.map(|it| wire::workspace_json(it, tenant, &site)).collect();
        Ok(Json(json!({ "value": here })))
    })
}

async fn workspace(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    let group = path.resource_group.as_deref().unwrap_or_default();
    kernel.read(|world, _| {
        let found = world.arm.workspace(&path.subscription, group, &path.workspace)?;
        Ok(Json(wire::workspace_json(found, &world.arm.tenant_id, &site)))
    })
}

async fn all_databricks(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        check_listing(world, &path)?;
        let all = world.arm.databricks();
        let here = all.filter(|it| path.is_at(&it.subscription, &it.resource_group));
        let here: Vec<Value> = here.map(|it| wire::databricks_json(it, &site)).collect();
        Ok(Json(json!({ "value": here })))
    })
}

async fn databricks(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        let mut all = world.arm.databricks();
        let found = all.find(|it| {
            path.is_at(&it.subscription, &it.resource_group)
                && path.workspace.eq_ignore_ascii_case(&it.name)
        });
        let missing = || {
            let (name, group) = (&path.workspace, path.resource_group.as_deref().unwrap_or_default());
            let text = format!(
                "The Resource 'Microsoft.Databricks/workspaces/{name}' under resource group '{group}' was not found."
            );
            Refusal::not_found(text)
        };
        found.map(|it| Json(wire::databricks_json(it, &site))).ok_or_else(missing)
    })
}
