mod entities;
mod nodes;
mod published;
mod runs;

use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    kernel::{Refused, Route, Service, on},
    services::azure::{
        AtWorkspace, PipelinesEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("pipelines", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/pipelines/v1.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("pipelines.data_types.list", at!("/DataTypes"), |it| on(it, entities::data_types)),
    Route::post("pipelines.data_types.create", at!("/DataTypes"), |it| on(it, entities::create_data_type)),
    Route::absent(Method::PUT, "pipelines.data_types.update", at!("/DataTypes/{id}")),
    Route::get("pipelines.modules.by_hash", at!("/Modules/Hash/{hash}"), |it| on(it, entities::module_by_hash)),
    Route::post("pipelines.modules.create", at!("/Modules"), |it| on(it, entities::create_module)),
    Route::get("pipelines.modules.get", at!("/Modules/{id}"), |it| on(it, entities::module)),
    Route::put("pipelines.modules.update", at!("/Modules/{id}"), |it| on(it, entities::update_module)),
    Route::get("pipelines.data_sources.by_hash", at!("/DataSources/Hash/{hash}"), |it| on(it, entities::data_source_by_hash)),
    Route::post("pipelines.data_sources.create", at!("/DataSources"), |it| on(it, entities::create_data_source)),
    Route::get("pipelines.data_sources.get", at!("/DataSources/{id}"), |it| on(it, entities::data_source)),
    Route::put("pipelines.data_sources.update", at!("/DataSources/{id}"), |it| on(it, entities::update_data_source)),
    Route::get("pipelines.graphs.get", at!("/Graphs/{id}"), |it| on(it, entities::graph)),
    Route::get("pipelines.graphs.interface", at!("/Graphs/{id}/Interface"), |it| on(it, entities::graph_interface)),
    Route::post("pipelines.runs.create", at!("/PipelineRuns/Unsubmitted/CreationInfoWithGraph"), |it| on(it, runs::create)),
    Route::post("pipelines.runs.submit", at!("/PipelineRuns/Submit/{id}"), |it| on(it, runs::submit)),
    Route::get("pipelines.runs.get", at!("/PipelineRuns/{id}"), |it| on(it, runs::get)),
    Route::absent(Method::PUT, "pipelines.runs.update", at!("/PipelineRuns/{id}")),
    Route::delete("pipelines.runs.cancel", at!("/PipelineRuns/{id}/Execution"), |it| on(it, runs::cancel)),
    Route::post("pipelines.runs.node_status", at!("/PipelineRuns/{id}/Graph/Node/StatusCode"), |it| on(it, nodes::status_code)),
    Route::post("pipelines.runs.node_details", at!("/PipelineRuns/{id}/Graph/Node/Status"), |it| on(it, nodes::status)),
    Route::post("pipelines.runs.all_nodes_status", at!("/PipelineRuns/{id}/Graph/AllNodes/StatusCode"), |it| on(it, nodes::all_status_codes)),
    Route::post("pipelines.runs.all_nodes_details", at!("/PipelineRuns/{id}/Graph/AllNodes/Status"), |it| on(it, nodes::all_statuses)),
    Route::post("pipelines.runs.stdout", at!("/PipelineRuns/{id}/Graph/Shareable/STDOUT"), |it| on(it, nodes::stdout)),
    Route::post("pipelines.runs.stderr", at!("/PipelineRuns/{id}/Graph/Shareable/STDERR"), |it| on(it, nodes::stderr)),
    Route::post("pipelines.runs.job_log", at!("/PipelineRuns/{id}/Graph/Shareable/JobLog"), |it| on(it, nodes::job_log)),
    Route::post("pipelines.runs.outputs", at!("/PipelineRuns/{id}/Outputs"), |it| on(it, nodes::outputs)),
    Route::absent(Method::GET, "pipelines.runs.pipeline_output", at!("/PipelineRuns/{id}/PipelineRunOutputs/{name}")),
    Route::post("pipelines.published.create", at!("/Pipelines/Create"), |it| on(it, published::create)),
    Route::get("pipelines.published.list", at!("/Pipelines"), |it| on(it, published::list)),
    Route::get("pipelines.published.get", at!("/Pipelines/{id}"), |it| on(it, published::get)),
    Route::put("pipelines.published.set_status", at!("/Pipelines/{id}/status"), |it| on(it, published::set_status)),
    Route::post("pipelines.published.submit", at!("/PipelineRuns/PipelineSubmit/{id}"), |it| on(it, published::submit)),
    Route::get("pipelines.published.runs", at!("/PipelineRuns/Pipeline/{id}"), |it| on(it, published::runs)),
    Route::absent(Method::GET, "pipelines.schedules.list", at!("/Schedules")),
    Route::absent(Method::POST, "pipelines.schedules.create", at!("/Schedules/Create")),
    Route::absent(Method::GET, "pipelines.schedules.get", at!("/Schedules/{id}")),
    Route::absent(Method::PUT, "pipelines.schedules.update", at!("/Schedules/{id}")),
    Route::absent(Method::GET, "pipelines.schedules.of_pipeline", at!("/Schedules/Pipeline/{id}")),
    Route::absent(Method::GET, "pipelines.schedules.of_endpoint", at!("/Schedules/PipelineEndpoint/{id}")),
    Route::absent(Method::GET, "pipelines.schedules.runs", at!("/PipelineRuns/Schedule/{id}")),
    Route::absent(Method::GET, "pipelines.schedules.last_run", at!("/PipelineRuns/Schedule/{id}/Last")),
    Route::absent(Method::GET, "pipelines.endpoints.list", at!("/PipelineEndpoints")),
    Route::absent(Method::POST, "pipelines.endpoints.create", at!("/PipelineEndpoints/Create")),
    Route::absent(Method::GET, "pipelines.endpoints.by_name", at!("/PipelineEndpoints/Name")),
    Route::absent(Method::GET, "pipelines.endpoints.get", at!("/PipelineEndpoints/Id/{id}")),
    Route::absent(Method::PUT, "pipelines.endpoints.update", at!("/PipelineEndpoints/{id}")),
    Route::absent(Method::GET, "pipelines.endpoints.pipelines", at!("/PipelineEndpoints/{id}/pipelines")),
    Route::absent(Method::POST, "pipelines.endpoints.submit", at!("/PipelineRuns/PipelineEndpointSubmit/Id/{id}")),
    Route::absent(Method::GET, "pipelines.drafts.list", at!("/PipelineDrafts")),
    Route::absent(Method::POST, "pipelines.drafts.create", at!("/PipelineDrafts/Create")),
    Route::absent(Method::GET, "pipelines.drafts.get", at!("/PipelineDrafts/{id}")),
    Route::absent(Method::PUT, "pipelines.drafts.update", at!("/PipelineDrafts/{id}")),
    Route::absent(Method::DELETE, "pipelines.drafts.delete", at!("/PipelineDrafts/{id}")),
    Route::absent(Method::POST, "pipelines.drafts.submit", at!("/PipelineRuns/PipelineDraftSubmit")),
];

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The scope, refused in the words of this service.
struct In(AtWorkspace);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for In {
    type Rejection = Refused<Envelope>;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        let scope = AtWorkspace::from_request_parts(parts, state).await;
        scope.map(Self).map_err(|refused| refused.0.into())
    }
}
