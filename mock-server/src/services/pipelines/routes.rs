use axum::{
    Json,
    http::{Method, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::on,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    state::{
        self, PipelineRun, StatusCode, Step, Workspace, decide_cancel, decide_entity, decide_submit,
    },
    wire::{self, CreationBody},
};
use crate::{
    kernel::{
        self, Body, Caller, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, World,
        parse,
    },
    services::{
        azure::{AtWorkspace, PipelinesEnvelope as Envelope, data_plane_gate, workspace_path},
        databricks::jobs,
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
    Route::get("pipelines.data_types.list", at!("/DataTypes"), |it| on(it, data_types)),
    Route::get("pipelines.modules.by_hash", at!("/Modules/Hash/{hash}"), |it| on(it, module_by_hash)),
    Route::post("pipelines.modules.create", at!("/Modules"), |it| on(it, create_module)),
    Route::get("pipelines.modules.get", at!("/Modules/{id}"), |it| on(it, module)),
    Route::get("pipelines.data_sources.by_hash", at!("/DataSources/Hash/{hash}"), |it| on(it, data_source_by_hash)),
    Route::post("pipelines.data_sources.create", at!("/DataSources"), |it| on(it, create_data_source)),
    Route::get("pipelines.data_sources.get", at!("/DataSources/{id}"), |it| on(it, data_source)),
    Route::get("pipelines.graphs.get", at!("/Graphs/{id}"), |it| on(it, graph)),
    Route::get("pipelines.graphs.interface", at!("/Graphs/{id}/Interface"), |it| on(it, graph_interface)),
    Route::post("pipelines.runs.create", at!("/PipelineRuns/Unsubmitted/CreationInfoWithGraph"), |it| on(it, create_run)),
    Route::post("pipelines.runs.submit", at!("/PipelineRuns/Submit/{id}"), |it| on(it, submit)),
    Route::get("pipelines.runs.get", at!("/PipelineRuns/{id}"), |it| on(it, run)),
    Route::delete("pipelines.runs.cancel", at!("/PipelineRuns/{id}/Execution"), |it| on(it, cancel)),
    Route::post("pipelines.runs.node_status", at!("/PipelineRuns/{id}/Graph/Node/StatusCode"), |it| on(it, node_status)),
    Route::post("pipelines.runs.stdout", at!("/PipelineRuns/{id}/Graph/Shareable/STDOUT"), |it| on(it, stdout)),
    Route::post("pipelines.runs.stderr", at!("/PipelineRuns/{id}/Graph/Shareable/STDERR"), |it| on(it, stderr)),
    Route::post("pipelines.runs.job_log", at!("/PipelineRuns/{id}/Graph/Shareable/JobLog"), |it| on(it, job_log)),
    Route::post("pipelines.runs.outputs", at!("/PipelineRuns/{id}/Outputs"), |it| on(it, outputs)),
    Route::absent(Method::POST, "pipelines.published.create", at!("/Pipelines/Create")),
    Route::absent(Method::GET, "pipelines.published.list", at!("/Pipelines")),
    Route::absent(Method::GET, "pipelines.published.get", at!("/Pipelines/{id}")),
    Route::absent(Method::PUT, "pipelines.published.set_status", at!("/Pipelines/{id}/status")),
    Route::absent(Method::POST, "pipelines.published.submit", at!("/PipelineRuns/PipelineSubmit/{id}")),
    Route::absent(Method::GET, "pipelines.published.runs", at!("/PipelineRuns/Pipeline/{id}")),
];

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Hash {
    hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationQuery {
    experiment_name: Option<String>,
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

async fn data_types(_: In) -> Answer {
    Ok(Json(wire::data_types_json()))
}

async fn module_by_hash(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Hash, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world.pipelines.module_by_hash(&path.hash).map(|it| Json(wire::module_json(it)))
    })
}

async fn module(Here(kernel): Here, _: In, Names(path, _): Names<Id, Envelope>) -> Answer {
    kernel.read(|world, _| world.pipelines.module(&path.id).map(|it| Json(wire::module_json(it))))
}

async fn create_module(Here(kernel): Here, _: In, Body(body, _): Body<Value, Envelope>) -> Answer {
    create(&kernel, body, true)
}

fn create(kernel: &Kernel, body: Value, is_module: bool) -> Answer {
    let hash = body["IdentifierHash"].as_str().unwrap_or_default().to_owned();
    kernel.commit(|_, ctx| {
        let (events, body) = decide_entity(body, &hash, is_module, ctx)?;
        Ok((events, Json(body)))
    })
}

async fn data_source_by_hash(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Hash, Envelope>,
) -> Answer {
    kernel.read(|world, _| world.pipelines.data_source_by_hash(&path.hash).cloned().map(Json))
}

async fn data_source(Here(kernel): Here, _: In, Names(path, _): Names<Id, Envelope>) -> Answer {
    kernel.read(|world, _| world.pipelines.data_source(&path.id).cloned().map(Json))
}

async fn create_data_source(
    Here(kernel): Here,
    In(scope): In,
    Body(body, _): Body<Value, Envelope>,
) -> Answer {
    let container = Workspace::from(&scope).container();
    create(&kernel, wire::with_location(body, &scope.account, &container), false)
}

async fn graph(Here(kernel): Here, _: In, Names(path, _): Names<Id, Envelope>) -> Answer {
    kernel.read(|world, _| world.pipelines.graph(&path.id).map(|it| Json(it.body.clone())))
}

async fn graph_interface(Here(kernel): Here, _: In, Names(path, _): Names<Id, Envelope>) -> Answer {
    kernel.read(|world, _| world.pipelines.graph(&path.id).map(|it| Json(it.interface.clone())))
}

async fn create_run(
    Here(kernel): Here,
    In(scope): In,
    caller: Caller,
    Params(query, _): Params<CreationQuery, Envelope>,
    Body(sent, _): Body<Value, Envelope>,
) -> Answer {
    let experiment = query.experiment_name.filter(|it| !it.is_empty());
    let experiment = experiment.ok_or_else(|| Refusal::invalid("experimentName is missing"))?;
    let body: CreationBody = parse(sent.to_string().as_bytes())?;
    let description = body.creation_info.description.clone().unwrap_or_default();
    let continues_on_failure = body.creation_info.continue_experiment_on_node_failure;
    let assigned = body.creation_info.parameter_assignments.clone();
    let graph = body.into_graph(&sent);
    kernel.commit(|world, ctx| {
        graph.check()?;
        for node in &graph.nodes {
            world.pipelines.module(&node.module_id)?;
        }
        let mut parameters = graph.defaults.clone();
        for (name, value) in assigned {
            if !parameters.contains_key(&name) {
                let text = format!("'{name}' is no parameter of the pipeline");
                return Err(Refusal::invalid(text));
            }
            parameters.insert(name, wire::text(&value));
        }
        let run = PipelineRun {
            id: ctx.draw_uuid().to_string(),
            workspace: Workspace::from(&scope),
            experiment,
            description,
            graph_id: ctx.draw_uuid().to_string(),
            parameters,
            continues_on_failure,
            status: StatusCode::NotStarted,
            user: caller.name,
            tenant_id: caller.tenant_id,
            created_at: ctx.now,
            submitted_at: None,
            ended_at: None,
            is_cancel_requested: false,
            steps: Vec::new(),
        };
        let answer = Json(wire::run_json(&run));
        let created = state::Event::RunCreated { run: Box::new(run), graph: Box::new(graph) };
        Ok((vec![kernel::Event::Pipelines(created)], answer))
    })
}

async fn submit(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| decide_submit(world, &path.id, ctx))
}

async fn run(Here(kernel): Here, _: In, Names(path, _): Names<Id, Envelope>) -> Answer {
    kernel.read(|world, _| world.pipelines.run(&path.id).map(|it| Json(wire::run_json(it))))
}

async fn cancel(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| decide_cancel(world, &path.id, ctx))
}

/// The step of the first node in the body, which is a list of node ids.
fn step_of<'a>(
    world: &'a World,
    run_id: &str,
    nodes: &[String],
) -> Result<(&'a PipelineRun, &'a Step), Refusal> {
    let run = world.pipelines.run(run_id)?;
    let node = nodes.first().ok_or_else(|| Refusal::invalid("the body names no node"))?;
    let step = run.step(node);
    step.map(|it| (run, it))
        .ok_or_else(|| Refusal::not_found(format!("the run has no node {node}")))
}

async fn node_status(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &path.id, &nodes)?;
        Ok(Json(step.status.as_str().into()))
    })
}

async fn stdout(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<impl IntoResponse, Refused<Envelope>> {
    let job_run: Result<Option<(u64, i64)>, Refused<Envelope>> =
        kernel.read(|world, _| step_of(world, &path.id, &nodes).map(|(_, step)| step.job_run));
    let log = job_run?.map(|(workspace, id)| jobs::log_of(kernel, workspace, id).whole());
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], log.unwrap_or_default()))
}

/// Both streams of a task are one log here; what went wrong is told apart.
async fn stderr(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<String, Refused<Envelope>> {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &path.id, &nodes)?;
        let view = step.job_run.and_then(|(workspace, id)| jobs::run_state(world, workspace, id));
        let trace = view.and_then(|it| it.error_trace.or(it.error).map(str::to_owned));
        Ok(trace.unwrap_or_default())
    })
}

async fn job_log(
    Here(kernel): Here,
    _: In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<String, Refused<Envelope>> {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &path.id, &nodes)?;
        let view = step.job_run.and_then(|(workspace, id)| jobs::run_state(world, workspace, id));
        Ok(wire::job_log(step, view.as_ref()))
    })
}

async fn outputs(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let (run, step) = step_of(world, &path.id, &nodes)?;
        let graph = world.pipelines.graph(&run.graph_id)?;
        let node = graph.nodes.iter().find(|it| it.id == step.node_id);
        let names = node.map(|it| it.outputs.as_slice()).unwrap_or_default();
        let container = Workspace::from(&scope).container();
        Ok(Json(wire::outputs_json(step, names, &scope.account, &container)))
    })
}
