use axum::{
    Json,
    extract::FromRequestParts,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::on,
};
use serde_json::{Value, json};

use super::{
    state::{
        self, Logged, decide_batch, decide_deletion, decide_experiment, decide_new_run,
        decide_untag, decide_update,
    },
    wire::{
        self, BatchBody, ExperimentBody, ExperimentQuery, HistoryQuery, MetricBody, PairBody,
        RunBody, RunKey, UpdateBody,
    },
};
use crate::{
    kernel::{
        self, Body, Caller, Here, Kernel, Kind, Params, Refusal, Refused, Route, Service, Site,
        routes::open_to_all,
    },
    services::azure::{AtWorkspace, data_plane_gate, workspace_path},
    store::{Place, Point, Run},
};

/// `{"error_code","message"}`.
pub(crate) struct Envelope;

impl kernel::Envelope for Envelope {
    fn render(refusal: &Refusal) -> Response {
        let code = refusal.code_or(match refusal.kind {
            Kind::Malformed | Kind::Invalid | Kind::TooLarge => "INVALID_PARAMETER_VALUE",
            Kind::Unauthenticated => "UNAUTHENTICATED",
            Kind::Denied => "PERMISSION_DENIED",
            Kind::NotFound => "RESOURCE_DOES_NOT_EXIST",
            Kind::NoSuchPath => "ENDPOINT_NOT_FOUND",
            Kind::Conflict | Kind::PreconditionFailed => "RESOURCE_CONFLICT",
            Kind::AlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Kind::Status(StatusCode::TOO_MANY_REQUESTS) => "REQUEST_LIMIT_EXCEEDED",
            Kind::NotEmulated => "NOT_IMPLEMENTED",
            Kind::Unrecorded => "TEMPORARILY_UNAVAILABLE",
            Kind::Status(_) => "INTERNAL_ERROR",
        });
        // "Already exists" is a 400 here, not a 409.
        let status = match refusal.kind {
            Kind::AlreadyExists => StatusCode::BAD_REQUEST,
            _ => refusal.status(),
        };
        let body = json!({ "error_code": code, "message": refusal.message });
        (status, Json(body)).into_response()
    }
}

/// `mlflow server`: nobody has to sign in.
pub(crate) static PLAIN: Service = Service::new::<Envelope>("mlflow", open_to_all, PLAIN_ROUTES);

/// The MLflow prefixes of an Azure ML workspace.
pub(crate) static AZURE_ML: Service =
    Service::new::<Envelope>("mlflow.azureml", data_plane_gate, AZURE_ML_ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// The rows below one root. Each root has the same handlers.
macro_rules! rows {
    ($($root:ident)+) => {
        &[$(
            Route::post("mlflow.experiments.create", $root!("/experiments/create"), |it| on(it, create_experiment)),
            Route::get("mlflow.experiments.get", $root!("/experiments/get"), |it| on(it, get_experiment)),
            Route::get("mlflow.experiments.get_by_name", $root!("/experiments/get-by-name"), |it| on(it, get_experiment)),
            Route::post("mlflow.runs.create", $root!("/runs/create"), |it| on(it, create_run)),
            Route::get("mlflow.runs.get", $root!("/runs/get"), |it| on(it, get_run)),
            Route::post("mlflow.runs.update", $root!("/runs/update"), |it| on(it, update_run)),
            Route::post("mlflow.runs.delete", $root!("/runs/delete"), |it| on(it, delete_run)),
            Route::post("mlflow.runs.restore", $root!("/runs/restore"), |it| on(it, restore_run)),
            Route::post("mlflow.runs.log_metric", $root!("/runs/log-metric"), |it| on(it, log_metric)).without_bodies(),
            Route::post("mlflow.runs.log_parameter", $root!("/runs/log-parameter"), |it| on(it, log_parameter)),
            Route::post("mlflow.runs.set_tag", $root!("/runs/set-tag"), |it| on(it, set_tag)),
            Route::post("mlflow.runs.delete_tag", $root!("/runs/delete-tag"), |it| on(it, delete_tag)),
            Route::post("mlflow.runs.log_batch", $root!("/runs/log-batch"), |it| on(it, log_batch)).without_bodies(),
            Route::absent(Method::POST, "mlflow.runs.search", $root!("/runs/search")),
            Route::get("mlflow.metrics.get_history", $root!("/metrics/get-history"), |it| on(it, get_history)),
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

#[rustfmt::skip]
const PLAIN_ROUTES: &[Route] = rows!(api ajax);

#[rustfmt::skip]
const AZURE_ML_ROUTES: &[Route] = rows!(azure_1 azure_2);

/// Whose runs the path speaks of.
struct Root {
    place: Place,
    /// Where the artifacts of a run are: a prefix and what stands behind the run's id.
    artifacts: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Root {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = parts.uri.path();
        if path.starts_with("/mlflow/api/") || path.starts_with("/mlflow/ajax-api/") {
            return Ok(Self { place: Place::Plain, artifacts: "mlflow-artifacts:".to_owned() });
        }
        let scope = AtWorkspace::from_request_parts(parts, state).await;
        let scope = scope.map_err(IntoResponse::into_response)?;
        let Ok(site) = Site::from_request_parts(parts, state).await;
        let origin = site.data_plane(&scope.region);
        let host = origin.split_once("://").map_or("", |(_, it)| it);
        let artifacts = format!("azureml://{host}/mlflow/v2.0{}", scope.resource_id());
        Ok(Self { place: scope.place, artifacts })
    }
}

impl Root {
    fn artifact_uri(&self, run: &Run) -> String {
        let (root, experiment, id) = (&self.artifacts, &run.experiment_id, &run.id);
        match self.place {
            Place::AzureMl(_) => format!("{root}/experiments/{experiment}/runs/{id}/artifacts"),
            Place::Plain | Place::Databricks(_) => format!("{root}/{experiment}/{id}/artifacts"),
        }
    }

    fn location(&self, asked: &str) -> String {
        if asked.is_empty() { format!("{}/", self.artifacts) } else { asked.to_owned() }
    }
}

fn run_id(key: &RunKey) -> Result<String, Refusal> {
    key.id().map(str::to_owned).map_err(Refusal::invalid)
}

async fn create_experiment(
    Here(kernel): Here,
    root: Root,
    Body(mut body, _): Body<ExperimentBody, Envelope>,
) -> Answer {
    let name = body.name.take().filter(|it| !it.is_empty());
    let name = name.ok_or_else(|| Refusal::invalid(wire::missing("name")))?;
    let (location, tags) = (root.location(&body.artifact_location), body.tags());
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_experiment(world, &root.place, &name, location, tags, ctx)
    })?;
    Ok(Json(json!({ "experiment_id": id })))
}

async fn get_experiment(
    Here(kernel): Here,
    root: Root,
    Params(query, _): Params<ExperimentQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let found = match (&query.experiment_id, &query.experiment_name) {
            (Some(id), _) => state::experiment(store, id)?,
            (None, Some(name)) => store.experiment_named(name).ok_or_else(|| {
                Refusal::not_found(format!("Could not find experiment with name '{name}'"))
            })?,
            (None, None) => return Err(Refusal::invalid(wire::missing("experiment_id"))),
        };
        Ok(Json(wire::experiment_json(found)))
    })
}

async fn create_run(
    Here(kernel): Here,
    root: Root,
    caller: Caller,
    Body(body, _): Body<RunBody, Envelope>,
) -> Answer {
    let new = body.into_new();
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_new_run(world, &root.place, new, &caller.name, ctx)
    })?;
    show(&kernel, &root, &id)
}

fn show(kernel: &Kernel, root: &Root, id: &str) -> Answer {
    kernel.read(|world, _| {
        let run = state::run(world.stores.at(&root.place), id)?;
        Ok(Json(wire::run_json(run, &root.artifact_uri(run))))
    })
}

async fn get_run(
    Here(kernel): Here,
    root: Root,
    Params(key, _): Params<RunKey, Envelope>,
) -> Answer {
    show(&kernel, &root, &run_id(&key)?)
}

async fn update_run(
    Here(kernel): Here,
    root: Root,
    Body(body, _): Body<UpdateBody, Envelope>,
) -> Answer {
    let (id, status) = (run_id(&body.run)?, body.status().map_err(Refusal::invalid)?);
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let (ended_at, name) = (body.ended_at(), body.run_name);
        decide_update(world, &root.place, &id, status, ended_at, name, ctx)
    })?;
    kernel.read(|world, _| {
        let run = state::run(world.stores.at(&root.place), &id)?;
        Ok(Json(json!({ "run_info": wire::info_json(run, &root.artifact_uri(run)) })))
    })
}

async fn delete_run(here: Here, root: Root, body: Body<RunKey, Envelope>) -> Answer {
    set_deleted(&here, &root, &body.0, true)
}

async fn restore_run(here: Here, root: Root, body: Body<RunKey, Envelope>) -> Answer {
    set_deleted(&here, &root, &body.0, false)
}

fn set_deleted(Here(kernel): &Here, root: &Root, key: &RunKey, is_deleted: bool) -> Answer {
    let id = run_id(key)?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_deletion(world, &root.place, &id, is_deleted, ctx)
    })?;
    Ok(Json(json!({})))
}

/// Logs as one step and answers `{}`.
fn log(kernel: &Kernel, root: &Root, run: &RunKey, logged: Result<Logged, String>) -> Answer {
    let (id, logged) = (run_id(run)?, logged.map_err(Refusal::invalid)?);
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_batch(world, &root.place, &id, logged, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn log_metric(
    Here(kernel): Here,
    root: Root,
    Body(mut body, _): Body<MetricBody, Envelope>,
) -> Answer {
    let run = std::mem::replace(&mut body.run, RunKey::none());
    log(&kernel, &root, &run, body.into_logged())
}

async fn log_batch(
    Here(kernel): Here,
    root: Root,
    Body(mut body, _): Body<BatchBody, Envelope>,
) -> Answer {
    let run = std::mem::replace(&mut body.run, RunKey::none());
    log(&kernel, &root, &run, body.into_logged())
}

fn pair(body: &PairBody) -> Result<(String, String), String> {
    let key = body.key.clone().filter(|it| !it.is_empty()).ok_or_else(|| wire::missing("key"))?;
    Ok((key, body.value.clone()))
}

async fn log_parameter(
    Here(kernel): Here,
    root: Root,
    Body(body, _): Body<PairBody, Envelope>,
) -> Answer {
    let logged = pair(&body).map(|it| Logged { params: vec![it], ..Logged::default() });
    log(&kernel, &root, &body.run, logged)
}

async fn set_tag(
    Here(kernel): Here,
    root: Root,
    Body(body, _): Body<PairBody, Envelope>,
) -> Answer {
    let logged = pair(&body).map(|it| Logged { tags: vec![it], ..Logged::default() });
    log(&kernel, &root, &body.run, logged)
}

async fn delete_tag(
    Here(kernel): Here,
    root: Root,
    Body(body, _): Body<PairBody, Envelope>,
) -> Answer {
    let (id, (key, _)) = (run_id(&body.run)?, pair(&body).map_err(Refusal::invalid)?);
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_untag(world, &root.place, &id, &key, ctx)
    })?;
    Ok(Json(json!({})))
}

async fn get_history(
    Here(kernel): Here,
    root: Root,
    Params(query, _): Params<HistoryQuery, Envelope>,
) -> Answer {
    let id = run_id(&query.run)?;
    let number = |it: &Option<String>| it.as_deref().map(str::parse::<usize>).transpose();
    let bad = |_| Refusal::invalid("max_results and page_token must be whole numbers");
    let count = number(&query.max_results).map_err(bad)?.unwrap_or(usize::MAX);
    let start = number(&query.page_token).map_err(bad)?.unwrap_or(0);
    kernel.read(|world, _| {
        let run = state::run(world.stores.at(&root.place), &id)?;
        let key = query.metric_key.as_deref().unwrap_or_default();
        let mut points: Vec<Point> =
            run.metrics.get(key).map(|it| it.points.0.clone()).unwrap_or_default();
        points.sort_by_key(|it| (it.at, it.step));
        let end = points.len().min(start.saturating_add(count));
        let page = points.get(start..end).unwrap_or_default();
        let metrics: Vec<Value> = page.iter().map(|it| wire::point_json(key, *it)).collect();
        let mut answer = json!({ "metrics": metrics });
        if let (true, Some(fields)) = (end < points.len(), answer.as_object_mut()) {
            fields.insert("next_page_token".to_owned(), end.to_string().into());
        }
        Ok(Json(answer))
    })
}
