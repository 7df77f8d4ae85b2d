use axum::{
    Json,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    state::{self, At},
    wire::{self, WorkspaceBody, workspace_json},
};
use crate::{
    kernel::{Body, Here, Names, Params, Refused, Route, Service, Site, on},
    services::{
        arm::{
            routes::{Answer, PageQuery, Path, PathNames, check_listing, gate, operations},
            wire::{ML_PROVIDER, page},
        },
        azure::{ArmEnvelope as Envelope, workspace_path},
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("arm.workspaces", gate, ROUTES);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("arm.workspaces.list_by_subscription", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/workspaces", |it| on(it, list)),
    Route::get("arm.workspaces.list_by_resource_group", "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.MachineLearningServices/workspaces", |it| on(it, list)),
    Route::get("arm.workspaces.get", at!(""), |it| on(it, get)),
    Route::put("arm.workspaces.create_or_update", at!(""), |it| on(it, put)).partial("private endpoints, encryption, identities of the user"),
    Route::patch("arm.workspaces.update", at!(""), |it| on(it, patch)).partial("identity, service-managed resources"),
    Route::delete("arm.workspaces.delete", at!(""), |it| on(it, delete)),
    Route::post("arm.workspaces.list_keys", at!("/listKeys"), |it| on(it, keys)).partial("the storage key only; a registry and notebooks have none"),
    Route::get("arm.operations.get", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/workspaceOperationsStatus/{operation}", |it| on(it, operations::status)),
    Route::get("arm.operations.result", "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/workspaceOperationResults/{operation}", |it| on(it, operations::result)).assumed(),
];

fn at(path: &Path) -> At<'_> {
    At {
        subscription: &path.subscription,
        resource_group: path.resource_group.as_deref().unwrap_or_default(),
        name: &path.workspace,
    }
}

async fn list(
    Here(kernel): Here,
    site: Site,
    uri: Uri,
    Names(path, _): PathNames,
    Params(query, _): Params<PageQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        check_listing(world, &path)?;
        let all = world.arm.workspaces();
        let here = all.filter(|it| path.is_at(&it.subscription, &it.resource_group));
        let tenant = &world.arm.tenant_id;
        let here: Vec<Value> = here.map(|it| workspace_json(it, tenant, &site)).collect();
        Ok(Json(page(here, &query.range()?, &site, &uri)))
    })
}

async fn get(Here(kernel): Here, site: Site, Names(path, _): PathNames) -> Answer {
    let at = at(&path);
    kernel.read(|world, _| {
        let found = world.arm.workspace(at.subscription, at.resource_group, at.name)?;
        Ok(Json(workspace_json(found, &world.arm.tenant_id, &site)))
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
    let headers = operations::headers(
        &operation.run,
        ML_PROVIDER,
        &workspace.subscription,
        &workspace.location,
        &site,
    );
    let shown = kernel.inspect(|world| workspace_json(&workspace, &world.arm.tenant_id, &site));
    Ok((status, headers, Json(shown)).into_response())
}

async fn patch(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Body(body, _): Body<WorkspaceBody, Envelope>,
) -> Answer {
    let changes = body.into_changes();
    let workspace = kernel.commit::<_, Refused<Envelope>>(|world, _| {
        state::decide_patch(&world.arm, &at(&path), changes)
    })?;
    Ok(Json(kernel.inspect(|world| workspace_json(&workspace, &world.arm.tenant_id, &site))))
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
    let headers =
        operations::headers(&operation.run, ML_PROVIDER, &path.subscription, &location, &site);
    Ok((StatusCode::ACCEPTED, headers).into_response())
}

async fn keys(Here(kernel): Here, Names(path, _): PathNames) -> Answer {
    let at = at(&path);
    kernel.read(|world, _| {
        let found = world.arm.workspace(at.subscription, at.resource_group, at.name)?;
        Ok(Json(wire::keys_json(found)))
    })
}
