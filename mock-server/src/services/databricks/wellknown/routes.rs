use axum::Json;
use serde_json::Value;

use super::wire;
use crate::{
    kernel::{Here, Kernel, Refused, Route, Service, Site, on, routes::open_to_all},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish},
    },
};

static ROUTES: &[Route] =
    &[Route::get("databricks.wellknown.config", "/.well-known/databricks-config", |it| {
        on(it, config)
    })];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.wellknown", open_to_all, ROUTES).finished_by(finish);

/// The address by which the client knows the workspace. It goes on by the
/// scheme that it came with.
pub(crate) fn base_of(kernel: &Kernel, site: &Site, workspace: u64) -> String {
    let host = kernel.inspect(|world| {
        let named = world.arm.databricks().find(|it| it.workspace_id == workspace);
        named.map_or_else(String::new, |it| it.host.clone())
    });
    site.origin().unwrap_or_else(|| site.databricks(&host))
}

async fn config(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
) -> Result<Json<Value>, Refused<Envelope>> {
    Ok(Json(wire::describe(&base_of(&kernel, &site, workspace), workspace)))
}
