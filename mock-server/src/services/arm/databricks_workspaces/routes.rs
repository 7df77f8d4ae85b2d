use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    state::{self, At},
    wire::{TagsBody, WorkspaceBody, databricks_json},
};
use crate::{
    kernel::{Body, Here, Names, Refused, Route, Service, Site, on},
    services::{
        arm::{
            routes::{Answer, Path, PathNames, check_listing, gate, operations},
            wire::DATABRICKS_PROVIDER,
        },
        azure::ArmEnvelope as Envelope,
    },
};

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("arm.databricks_workspaces", gate, ROUTES);

macro_rules! group {
    ($rest:literal) => {
        concat!(
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Databricks/workspaces",
            $rest
        )
    };
}
macro_rules! location {
    ($rest:literal) => {
        concat!(
            "/subscriptions/{subscription}/providers/Microsoft.Databricks/locations/{location}",
            $rest
        )
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("arm.databricks_workspaces.list", "/subscriptions/{subscription}/providers/Microsoft.Databricks/workspaces", |it| on(it, list)),
    Route::get("arm.databricks_workspaces.list", group!(""), |it| on(it, list)),
    Route::get("arm.databricks_workspaces.get", group!("/{workspace}"), |it| on(it, get)),
    Route::put("arm.databricks_workspaces.create_or_update", group!("/{workspace}"), |it| on(it, put)),
    Route::patch("arm.databricks_workspaces.update", group!("/{workspace}"), |it| on(it, patch)),
    Route::delete("arm.databricks_workspaces.delete", group!("/{workspace}"), |it| on(it, delete)),
    Route::get("arm.operations.get", location!("/operationStatuses/{operation}"), |it| on(it, operations::status)).assumed(),
    Route::get("arm.operations.result", location!("/operationResults/{operation}"), |it| on(it, operations::result)).assumed(),
];

fn at(path: &Path) -> At<'_> {
    At {
        subscription: &path.subscription,
        resource_group: path.resource_group.as_deref().unwrap_or_default(),
        name: &path.workspace,
    }
}

async fn list(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| {
        check_listing(world, &path)?;
        let all = world.arm.databricks();
        let here = all.filter(|it| path.is_at(&it.subscription, &it.resource_group));
        let here: Vec<Value> = here.map(|it| databricks_json(it, &site)).collect();
        Ok(Json(json!({ "value": here })))
    })
}

async fn get(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    let At { subscription, resource_group, name } = at(&path);
    kernel.read(|world, _| {
        let found = world.arm.databricks_workspace(subscription, resource_group, name)?;
        Ok(Json(databricks_json(found, &site)))
    })
}

async fn put(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Body(body, _): Body<WorkspaceBody, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let (location, described) = body.into_described()?;
    let (workspace, operation, is_new) = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        state::decide_put(&world.arm, &at(&path), &location, described, ctx)
    })?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let (subscription, location) = (&workspace.subscription, &workspace.location);
    let headers =
        operations::headers(&operation.run, DATABRICKS_PROVIDER, subscription, location, &site);
    Ok((status, headers, Json(databricks_json(&workspace, &site))).into_response())
}

async fn patch(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Body(body, _): Body<TagsBody, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let (workspace, operation) = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        state::decide_patch(&world.arm, &at(&path), body.tags, ctx)
    })?;
    let (subscription, location) = (&workspace.subscription, &workspace.location);
    let headers =
        operations::headers(&operation.run, DATABRICKS_PROVIDER, subscription, location, &site);
    Ok((headers, Json(databricks_json(&workspace, &site))).into_response())
}

async fn delete(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
) -> Result<Response, Refused<Envelope>> {
    let begun = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        state::decide_delete(&world.arm, &at(&path), ctx)
    })?;
    let Some((operation, location)) = begun else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let subscription = &path.subscription;
    let headers =
        operations::headers(&operation.run, DATABRICKS_PROVIDER, subscription, &location, &site);
    Ok((StatusCode::ACCEPTED, headers).into_response())
}
