mod jobs;
mod listing;
mod runs;

use std::convert::Infallible;

use axum::{Json, extract::FromRequestParts, http::request::Parts};
use serde_json::Value;

use crate::{
    kernel::{Refused, Route, Service, Site, on},
    services::databricks::{
        Envelope,
        gate::{finish, gate},
    },
};

/// One operation under all versions of the API.
macro_rules! all_versions {
    ($([$make:ident $operation:literal, $path:literal, $handler:expr])*) => {
        &[$(
            Route::$make($operation, concat!("/api/2.0/jobs/", $path), |it| on(it, $handler)),
            Route::$make($operation, concat!("/api/2.1/jobs/", $path), |it| on(it, $handler)),
            Route::$make($operation, concat!("/api/2.2/jobs/", $path), |it| on(it, $handler)),
        )*]
    };
}

static ROUTES: &[Route] = all_versions![
    [post "databricks.jobs.create", "create", jobs::create]
    [post "databricks.jobs.reset", "reset", jobs::reset]
    [post "databricks.jobs.update", "update", jobs::update]
    [get "databricks.jobs.get", "get", jobs::get]
    [get "databricks.jobs.list", "list", listing::jobs]
    [post "databricks.jobs.delete", "delete", jobs::delete]
    [post "databricks.jobs.run_now", "run-now", jobs::run_now]
    [post "databricks.jobs.runs.submit", "runs/submit", runs::submit]
    [get "databricks.jobs.runs.get", "runs/get", runs::get]
    [get "databricks.jobs.runs.get_output", "runs/get-output", runs::get_output]
    [get "databricks.jobs.runs.export", "runs/export", runs::export]
    [get "databricks.jobs.runs.list", "runs/list", listing::runs]
    [post "databricks.jobs.runs.cancel", "runs/cancel", runs::cancel]
    [post "databricks.jobs.runs.cancel_all", "runs/cancel-all", runs::cancel_all]
    [post "databricks.jobs.runs.repair", "runs/repair", runs::repair]
    [post "databricks.jobs.runs.delete", "runs/delete", runs::remove]
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.jobs", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// Whether the client speaks version 2.2 of the API.
#[derive(Clone, Copy, Debug)]
struct IsNewest(bool);

impl<S: Send + Sync> FromRequestParts<S> for IsNewest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.uri.path().contains("/api/2.2/")))
    }
}

/// Where the web pages of runs would be.
fn base(site: &Site, workspace: u64) -> String {
    let host = || site.databricks("adb-1234567890123456.7.azuredatabricks.net");
    format!("{}/?o={workspace}", site.origin().unwrap_or_else(host))
}
