//! Each root has the same rows and the same handlers; [`root::Root`] tells them
//! whose runs are meant.

mod artifacts;
mod attachment;
mod databricks;
mod dbfs;
mod experiments;
mod genai;
mod graphql;
mod logging;
mod metrics;
mod models;
mod promptlab;
mod proxy;
mod registry;
pub(super) mod root;
mod runs;
mod server;
mod versions;

use axum::{Json, http::Method};
use serde_json::{Value, json};

use super::wire::Envelope;
use crate::{
    kernel::{Refused, Route, Service, on, routes::open_to_all},
    services::{
        azure::{data_plane_gate, workspace_path},
        databricks as workspace,
    },
};

pub(crate) use self::genai::GENAI;

/// `mlflow server`: nobody has to sign in.
pub(crate) static PLAIN: Service = Service::new::<Envelope>("mlflow", open_to_all, PLAIN_ROUTES);

/// What a plain server has besides.
pub(crate) static SERVER: Service =
    Service::new::<Envelope>("mlflow.server", open_to_all, SERVER_ROUTES);

/// The artifacts that a plain server keeps for its clients.
pub(crate) static PROXY: Service =
    Service::new::<Envelope>("mlflow.artifacts", open_to_all, PROXY_ROUTES);

/// The MLflow prefixes of an Azure ML workspace.
pub(crate) static AZURE_ML: Service =
    Service::new::<Envelope>("mlflow.azureml", data_plane_gate, AZURE_ML_ROUTES);

/// MLflow of a Databricks workspace.
pub(crate) static DATABRICKS: Service =
    Service::new::<Envelope>("mlflow.databricks", workspace::gate, DATABRICKS_ROUTES)
        .finished_by(workspace::finish);

/// The artifacts that a Databricks workspace keeps for clients of plain MLflow.
pub(crate) static DATABRICKS_PROXY: Service =
    Service::new::<Envelope>("mlflow.databricks.artifacts", workspace::gate, DATABRICKS_FILES)
        .finished_by(workspace::finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// What most calls that change something answer.
fn done() -> Json<Value> {
    Json(json!({}))
}

/// The rows below one root.
macro_rules! rows {
    ($($root:ident)+) => {
        &[$(
            Route::post("mlflow.experiments.create", $root!("/experiments/create"), |it| on(it, experiments::create)),
            Route::get("mlflow.experiments.get", $root!("/experiments/get"), |it| on(it, experiments::get)),
            Route::get("mlflow.experiments.get_by_name", $root!("/experiments/get-by-name"), |it| on(it, experiments::get_by_name)),
            Route::get("mlflow.experiments.search", $root!("/experiments/search"), |it| on(it, experiments::search)),
            Route::post("mlflow.experiments.search", $root!("/experiments/search"), |it| on(it, experiments::search)),
            Route::get("mlflow.experiments.list", $root!("/experiments/list"), |it| on(it, experiments::search)),
            Route::post("mlflow.experiments.delete", $root!("/experiments/delete"), |it| on(it, experiments::delete)),
            Route::post("mlflow.experiments.restore", $root!("/experiments/restore"), |it| on(it, experiments::restore)),
            Route::post("mlflow.experiments.update", $root!("/experiments/update"), |it| on(it, experiments::update)),
            Route::post("mlflow.experiments.set_tag", $root!("/experiments/set-experiment-tag"), |it| on(it, experiments::set_tag)),
            Route::post("mlflow.experiments.delete_tag", $root!("/experiments/delete-experiment-tag"), |it| on(it, experiments::delete_tag)),
            Route::post("mlflow.datasets.search", $root!("/experiments/search-datasets"), |it| on(it, experiments::search_datasets)),
            Route::post("mlflow.runs.create", $root!("/runs/create"), |it| on(it, runs::create)),
            Route::get("mlflow.runs.get", $root!("/runs/get"), |it| on(it, runs::get)),
            Route::post("mlflow.runs.update", $root!("/runs/update"), |it| on(it, runs::update)),
            Route::post("mlflow.runs.delete", $root!("/runs/delete"), |it| on(it, runs::delete)),
            Route::post("mlflow.runs.restore", $root!("/runs/restore"), |it| on(it, runs::restore)),
            Route::post("mlflow.runs.search", $root!("/runs/search"), |it| on(it, runs::search)),
            Route::post("mlflow.runs.delete_tag", $root!("/runs/delete-tag"), |it| on(it, runs::delete_tag)),
            Route::post("mlflow.runs.log_metric", $root!("/runs/log-metric"), |it| on(it, logging::log_metric)).without_bodies(),
            Route::post("mlflow.runs.log_parameter", $root!("/runs/log-parameter"), |it| on(it, logging::log_parameter)),
            Route::post("mlflow.runs.set_tag", $root!("/runs/set-tag"), |it| on(it, logging::set_tag)),
            Route::post("mlflow.runs.log_batch", $root!("/runs/log-batch"), |it| on(it, logging::log_batch)).without_bodies(),
            Route::post("mlflow.runs.log_model", $root!("/runs/log-model"), |it| on(it, logging::log_model)),
            Route::post("mlflow.runs.log_inputs", $root!("/runs/log-inputs"), |it| on(it, logging::log_inputs)),
            Route::post("mlflow.runs.outputs", $root!("/runs/outputs"), |it| on(it, logging::log_outputs)),
            Route::get("mlflow.metrics.get_history", $root!("/metrics/get-history"), |it| on(it, metrics::get_history)),
            Route::get("mlflow.metrics.get_history_bulk", $root!("/metrics/get-history-bulk"), |it| on(it, metrics::get_history_bulk)),
            Route::get("mlflow.metrics.get_history_bulk_interval", $root!("/metrics/get-history-bulk-interval"), |it| on(it, metrics::get_history_bulk_interval)),
            Route::get("mlflow.artifacts.list", $root!("/artifacts/list"), |it| on(it, artifacts::list)),
            Route::absent(Method::POST, "mlflow.artifacts.presigned_upload_url", $root!("/artifacts/presigned-upload-url")),
            Route::absent(Method::POST, "mlflow.artifacts.presigned_download_url", $root!("/artifacts/presigned-download-url")),
            Route::post("mlflow.logged_models.create", $root!("/logged-models"), |it| on(it, models::create)),
            Route::post("mlflow.logged_models.search", $root!("/logged-models/search"), |it| on(it, models::search)),
            Route::get("mlflow.logged_models.get", $root!("/logged-models/{model_id}"), |it| on(it, models::get)),
            Route::patch("mlflow.logged_models.finalize", $root!("/logged-models/{model_id}"), |it| on(it, models::finalize)),
            Route::delete("mlflow.logged_models.delete", $root!("/logged-models/{model_id}"), |it| on(it, models::delete)),
            Route::patch("mlflow.logged_models.set_tags", $root!("/logged-models/{model_id}/tags"), |it| on(it, models::set_tags)),
            Route::delete("mlflow.logged_models.delete_tag", $root!("/logged-models/{model_id}/tags/{tag_key}"), |it| on(it, models::delete_tag)),
            Route::post("mlflow.logged_models.log_params", $root!("/logged-models/{model_id}/params"), |it| on(it, models::log_params)),
            Route::get("mlflow.logged_models.list_artifacts", $root!("/logged-models/{model_id}/artifacts/directories"), |it| on(it, models::list_artifacts)),
            Route::post("mlflow.registered_models.create", $root!("/registered-models/create"), |it| on(it, registry::create)),
            Route::get("mlflow.registered_models.get", $root!("/registered-models/get"), |it| on(it, registry::get)),
            Route::get("mlflow.registered_models.search", $root!("/registered-models/search"), |it| on(it, registry::search)),
            Route::post("mlflow.registered_models.search", $root!("/registered-models/search"), |it| on(it, registry::search)),
            Route::get("mlflow.registered_models.list", $root!("/registered-models/list"), |it| on(it, registry::search)),
            Route::patch("mlflow.registered_models.update", $root!("/registered-models/update"), |it| on(it, registry::update)),
            Route::post("mlflow.registered_models.rename", $root!("/registered-models/rename"), |it| on(it, registry::rename)),
            Route::delete("mlflow.registered_models.delete", $root!("/registered-models/delete"), |it| on(it, registry::delete)),
            Route::get("mlflow.registered_models.get_latest_versions", $root!("/registered-models/get-latest-versions"), |it| on(it, registry::get_latest_versions)),
            Route::post("mlflow.registered_models.get_latest_versions", $root!("/registered-models/get-latest-versions"), |it| on(it, registry::get_latest_versions)),
            Route::post("mlflow.registered_models.set_tag", $root!("/registered-models/set-tag"), |it| on(it, registry::set_tag)),
            Route::delete("mlflow.registered_models.delete_tag", $root!("/registered-models/delete-tag"), |it| on(it, registry::delete_tag)),
            Route::post("mlflow.registered_models.set_alias", $root!("/registered-models/alias"), |it| on(it, registry::set_alias)),
            Route::delete("mlflow.registered_models.delete_alias", $root!("/registered-models/alias"), |it| on(it, registry::delete_alias)),
            Route::get("mlflow.registered_models.get_by_alias", $root!("/registered-models/alias"), |it| on(it, registry::get_by_alias)),
            Route::post("mlflow.model_versions.create", $root!("/model-versions/create"), |it| on(it, versions::create)),
            Route::get("mlflow.model_versions.get", $root!("/model-versions/get"), |it| on(it, versions::get)),
            Route::get("mlflow.model_versions.search", $root!("/model-versions/search"), |it| on(it, versions::search)),
            Route::post("mlflow.model_versions.search", $root!("/model-versions/search"), |it| on(it, versions::search)),
            Route::get("mlflow.model_versions.get_download_uri", $root!("/model-versions/get-download-uri"), |it| on(it, versions::get_download_uri)),
            Route::patch("mlflow.model_versions.update", $root!("/model-versions/update"), |it| on(it, versions::update)),
            Route::post("mlflow.model_versions.transition_stage", $root!("/model-versions/transition-stage"), |it| on(it, versions::transition_stage)),
            Route::delete("mlflow.model_versions.delete", $root!("/model-versions/delete"), |it| on(it, versions::delete)),
            Route::post("mlflow.model_versions.set_tag", $root!("/model-versions/set-tag"), |it| on(it, versions::set_tag)),
            Route::delete("mlflow.model_versions.delete_tag", $root!("/model-versions/delete-tag"), |it| on(it, versions::delete_tag)),
        )+]
    };
}

/// The rows of the files below one root.
macro_rules! files {
    ($($root:ident)+) => {
        &[$(
            Route::get("mlflow.artifacts.download", $root!("/artifacts/{*path}"), |it| on(it, proxy::download)).without_bodies(),
            Route::put("mlflow.artifacts.upload", $root!("/artifacts/{*path}"), |it| on(it, proxy::upload)).without_bodies(),
            Route::delete("mlflow.artifacts.delete", $root!("/artifacts/{*path}"), |it| on(it, proxy::delete)),
            Route::get("mlflow.artifacts.list_proxied", $root!("/artifacts"), |it| on(it, proxy::list)),
            Route::post("mlflow.artifacts.create_multipart", $root!("/mpu/create/{*path}"), |it| on(it, proxy::multipart::create)),
            Route::put("mlflow.artifacts.upload_part", $root!("/mpu/part/{upload_id}/{number}"), |it| on(it, proxy::multipart::upload_part)).without_bodies(),
            Route::post("mlflow.artifacts.complete_multipart", $root!("/mpu/complete/{*path}"), |it| on(it, proxy::multipart::complete)),
            Route::post("mlflow.artifacts.abort_multipart", $root!("/mpu/abort/{*path}"), |it| on(it, proxy::multipart::abort)),
            Route::absent(Method::GET, "mlflow.artifacts.presigned", $root!("/presigned/{*path}")),
        )+]
    };
}

macro_rules! api {
    ($rest:literal) => {
        concat!("/mlflow/api/2.0/mlflow", $rest)
    };
}
macro_rules! ajax {
    ($rest:literal) => {
        concat!("/mlflow/ajax-api/2.0/mlflow", $rest)
    };
}
macro_rules! databricks_api {
    ($rest:literal) => {
        concat!("/api/2.0/mlflow", $rest)
    };
}
macro_rules! databricks_ajax {
    ($rest:literal) => {
        concat!("/ajax-api/2.0/mlflow", $rest)
    };
}
macro_rules! version_1 {
    ($rest:literal) => {
        workspace_path!("/mlflow/v1.0", $rest)
    };
}
macro_rules! azure_1 {
    ($rest:literal) => {
        concat!(version_1!("/api/2.0/mlflow"), $rest)
    };
}
macro_rules! version_2 {
    ($rest:literal) => {
        workspace_path!("/mlflow/v2.0", $rest)
    };
}
macro_rules! azure_2 {
    ($rest:literal) => {
        concat!(version_2!("/api/2.0/mlflow"), $rest)
    };
}
macro_rules! api_files {
    ($rest:literal) => {
        concat!("/mlflow/api/2.0/mlflow-artifacts", $rest)
    };
}
macro_rules! ajax_files {
    ($rest:literal) => {
        concat!("/mlflow/ajax-api/2.0/mlflow-artifacts", $rest)
    };
}
macro_rules! databricks_files {
    ($rest:literal) => {
        concat!("/api/2.0/mlflow-artifacts", $rest)
    };
}

#[rustfmt::skip]
const PLAIN_ROUTES: &[Route] = rows!(api ajax);

#[rustfmt::skip]
const DATABRICKS_ROUTES: &[Route] = rows!(databricks_api databricks_ajax);

#[rustfmt::skip]
const AZURE_ML_ROUTES: &[Route] = rows!(azure_1 azure_2);

#[rustfmt::skip]
const PROXY_ROUTES: &[Route] = files!(api_files ajax_files);

/// What only MLflow of a Databricks workspace has.
pub(crate) static DATABRICKS_ONLY: Service =
    Service::new::<Envelope>("mlflow.databricks.only", workspace::gate, DATABRICKS_ONLY_ROUTES)
        .finished_by(workspace::finish);

/// Addresses that carry their own right to be read.
pub(crate) static SIGNED: Service =
    Service::new::<Envelope>("mlflow.databricks.signed", open_to_all, SIGNED_ROUTES);

#[rustfmt::skip]
const DATABRICKS_ONLY_ROUTES: &[Route] = &[
    Route::get("mlflow.model_versions.list_artifacts", databricks_api!("/model-versions/list-artifacts"), |it| on(it, databricks::list_version_artifacts)),
    Route::get("mlflow.model_versions.get_signed_download_uri", databricks_api!("/model-versions/get-signed-download-uri"), |it| on(it, databricks::signed_download_uri)).without_bodies(),
    Route::get("mlflow.databricks.registered_models.get", databricks_api!("/databricks/registered-models/get"), |it| on(it, databricks::get_registered)),
    Route::post("mlflow.databricks.model_versions.transition_stage", databricks_api!("/databricks/model-versions/transition-stage"), |it| on(it, databricks::transition_stage)).partial("the comment is not kept"),
    Route::post("mlflow.databricks.runs.delete", databricks_api!("/databricks/runs/delete-runs"), |it| on(it, databricks::delete_runs)),
    Route::post("mlflow.databricks.runs.restore", databricks_api!("/databricks/runs/restore-runs"), |it| on(it, databricks::restore_runs)),
];

#[rustfmt::skip]
const SIGNED_ROUTES: &[Route] = &[
    Route::get("mlflow.model_versions.download_signed", "/__signed/mlflow", |it| on(it, databricks::download_signed)).without_bodies(),
];

#[rustfmt::skip]
const DATABRICKS_FILES: &[Route] = files!(databricks_files);

#[rustfmt::skip]
const SERVER_ROUTES: &[Route] = &[
    Route::get("mlflow.server.health", "/mlflow/health", |it| on(it, server::health)),
    Route::get("mlflow.server.version", "/mlflow/version", |it| on(it, server::version)),
    Route::get("mlflow.server.info", "/mlflow/api/3.0/mlflow/server-info", |it| on(it, server::info)),
    Route::get("mlflow.server.info", "/mlflow/ajax-api/3.0/mlflow/server-info", |it| on(it, server::info)),
    Route::get("mlflow.server.info", "/api/3.0/mlflow/server-info", |it| on(it, server::info)),
    Route::get("mlflow.artifacts.get", "/mlflow/get-artifact", |it| on(it, artifacts::get)).without_bodies(),
    Route::get("mlflow.model_versions.get_artifact", "/mlflow/model-versions/get-artifact", |it| on(it, artifacts::get_of_version)).without_bodies(),
    Route::get("mlflow.logged_models.get_artifact", "/mlflow/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", |it| on(it, artifacts::get_of_model)).without_bodies(),
    Route::post("mlflow.runs.create_promptlab", "/mlflow/ajax-api/2.0/mlflow/runs/create-promptlab-run", |it| on(it, promptlab::create)).partial("the table of results is kept, no model"),
    Route::post("mlflow.artifacts.upload_small", "/mlflow/ajax-api/2.0/mlflow/upload-artifact", |it| on(it, artifacts::upload)).without_bodies(),
    Route::post("mlflow.runs.log_batch_async", "/mlflow/api/2.0/preview/mlflow/runs/log-batch-async", |it| on(it, logging::log_batch_async)).without_bodies(),
    Route::get("mlflow.runs.get_run_data_status", "/mlflow/api/2.0/preview/mlflow/runs/get-run-data-status", |it| on(it, logging::run_data_status)),
    Route::post("mlflow.graphql", "/mlflow/graphql", |it| on(it, graphql::execute)),
    Route::absent(Method::POST, "mlflow.traces.export", "/mlflow/v1/traces"),
    Route::absent(Method::GET, "mlflow.traces.get_artifact", "/mlflow/ajax-api/2.0/mlflow/get-trace-artifact"),
    Route::absent(Method::GET, "mlflow.gateway.proxy", "/mlflow/ajax-api/2.0/mlflow/gateway-proxy"),
    Route::absent(Method::POST, "mlflow.gateway.proxy", "/mlflow/ajax-api/2.0/mlflow/gateway-proxy"),
    Route::absent(Method::GET, "mlflow.telemetry", "/mlflow/ajax-api/3.0/mlflow/ui-telemetry"),
];

/// DBFS as MLflow's client reaches it.
pub(crate) static DBFS: Service =
    Service::new::<Envelope>("mlflow.dbfs", workspace::gate, DBFS_ROUTES)
        .finished_by(workspace::finish);

#[rustfmt::skip]
const DBFS_ROUTES: &[Route] = &[
    Route::get("mlflow.dbfs.download", "/dbfs/{*path}", |it| on(it, dbfs::download)).without_bodies(),
    Route::post("mlflow.dbfs.upload", "/dbfs/{*path}", |it| on(it, dbfs::upload)).without_bodies(),
    Route::put("mlflow.dbfs.upload", "/dbfs/{*path}", |it| on(it, dbfs::upload)).without_bodies(),
];

/// What only the MLflow prefixes of an Azure ML workspace have.
pub(crate) static AZURE_ML_PREVIEW: Service =
    Service::new::<Envelope>("mlflow.azureml.preview", data_plane_gate, PREVIEW_ROUTES);

#[rustfmt::skip]
const PREVIEW_ROUTES: &[Route] = &[
    Route::post("mlflow.runs.log_batch_async", version_1!("/api/2.0/preview/mlflow/runs/log-batch-async"), |it| on(it, logging::log_batch_async)).without_bodies(),
    Route::get("mlflow.runs.get_run_data_status", version_1!("/api/2.0/preview/mlflow/runs/get-run-data-status"), |it| on(it, logging::run_data_status)),
    Route::post("mlflow.runs.log_batch_async", version_2!("/api/2.0/preview/mlflow/runs/log-batch-async"), |it| on(it, logging::log_batch_async)).without_bodies(),
    Route::get("mlflow.runs.get_run_data_status", version_2!("/api/2.0/preview/mlflow/runs/get-run-data-status"), |it| on(it, logging::run_data_status)),
];
