mod experiments;
pub(super) mod logs;

use std::cmp::Ordering;

use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::Duration;

use super::{
    state::{self, ExperimentKey, decide_event, decide_upsert},
    wire::filter,
    wire::{self, BatchEventsBody, BatchRunsBody, ChildrenQuery, EventBody, QueryBody, RunBody},
};
use crate::{
    kernel::{
        Body, Caller, Here, Names, Params, Refusal, Refused, Route, Service, Site, World,
        auth::{self, Claims},
        clock, on,
    },
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, ML_AUDIENCE, data_plane_gate, workspace_path,
    },
    store::{Run, RunPatch, decide_patch},
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("history", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// How many runs a page has when the client does not say.
const PAGE: usize = 500;

/// How long a run's own token is good for.
const TOKEN_LIFE: Duration = Duration::hours(24);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/history/v1.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("history.experiments.get", at!("/experiments/{experiment}"), |it| on(it, experiments::get)),
    Route::post("history.experiments.create", at!("/experiments/{experiment}"), |it| on(it, experiments::create)),
    Route::get("history.experiments.get_by_id", at!("/experimentids/{experiment_id}"), |it| on(it, experiments::get)),
    Route::post("history.experiments.query", at!("/experiments:query"), |it| on(it, experiments::query)),
    Route::patch("history.experiments.update", at!("/experimentids/{experiment_id}"), |it| on(it, experiments::update)),
    Route::post("history.experiments.delete_tags", at!("/experimentids/{experiment_id}/tags:delete"), |it| on(it, experiments::delete_tags)),
    Route::absent(Method::DELETE, "history.experiments.delete", at!("/experimentids/{experiment_id}")),
    Route::get("history.experiments.run_counts", at!("/experiments/{experiment}/runcounts"), |it| on(it, experiments::run_counts)),
    Route::get("history.runs.get", at!("/experiments/{experiment}/runs/{run}"), |it| on(it, get_run)),
    Route::patch("history.runs.create", at!("/experiments/{experiment}/runs/{run}"), |it| on(it, patch_run)),
    Route::get("history.runs.get_by_experiment_id", at!("/experimentids/{experiment_id}/runs/{run}"), |it| on(it, get_run)),
    Route::patch("history.runs.patch", at!("/experimentids/{experiment_id}/runs/{run}"), |it| on(it, patch_run)),
    Route::get("history.runs.get_by_id", at!("/runs/{run}"), |it| on(it, get_run)),
    Route::post("history.events.post", at!("/experiments/{experiment}/runs/{run}/events"), |it| on(it, post_event)),
    Route::post("history.events.post_by_experiment_id", at!("/experimentids/{experiment_id}/runs/{run}/events"), |it| on(it, post_event)),
    Route::post("history.runs.query", at!("/experiments/{experiment}/runs:query"), |it| on(it, query_runs)),
    Route::post("history.runs.query_by_experiment_id", at!("/experimentids/{experiment_id}/runs:query"), |it| on(it, query_runs)),
    Route::get("history.runs.children", at!("/experiments/{experiment}/runs/{run}/children"), |it| on(it, children)),
    Route::get("history.runs.children_by_experiment_id", at!("/experimentids/{experiment_id}/runs/{run}/children"), |it| on(it, children)),
    Route::patch("history.runs.batch", at!("/experiments/{experiment}/batch/runs"), |it| on(it, batch_runs)),
    Route::post("history.events.batch", at!("/experiments/{experiment}/batch/events"), |it| on(it, batch_events)),
    Route::get("history.metrics_ingest.wait", at!("/experiments/{experiment}/runs/{run}/metricsingest/wait"), |it| on(it, ingest_wait)),
    Route::get("history.runs.details", at!("/experiments/{experiment}/runs/{run}/details"), |it| on(it, details)).without_bodies(),
    Route::get("history.runs.details_by_experiment_id", at!("/experimentids/{experiment_id}/runs/{run}/details"), |it| on(it, details)).without_bodies(),
    Route::delete("history.runs.delete_tags", at!("/experiments/{experiment}/runs/{run}/tags"), |it| on(it, delete_tags)),
    Route::get("history.runs.list_by_compute", at!("/computes/{compute}/runs"), |it| on(it, by_compute)),
    Route::absent(Method::POST, "history.run_metrics.post", at!("/experiments/{experiment}/runs/{run}/metrics")),
    Route::absent(Method::POST, "history.run_metrics.batch", at!("/experiments/{experiment}/runs/{run}/batch/metrics")),
    Route::absent(Method::POST, "history.run_metrics.query", at!("/experiments/{experiment}/metrics:query")),
    Route::get("history.runs.token_by_experiment_id", at!("/experimentids/{experiment_id}/runs/{run}/token"), |it| on(it, token)),
    Route::get("history.runs.token", at!("/experiments/{experiment}/runs/{run}/token"), |it| on(it, token)),
];

/// The named parts of all paths of this service.
#[derive(Deserialize)]
struct Path {
    experiment: Option<String>,
    experiment_id: Option<String>,
    run: Option<String>,
    compute: Option<String>,
}

impl Path {
    /// `None` on the paths that name no experiment.
    fn experiment(&self) -> Option<ExperimentKey> {
        let name = self.experiment.clone().map(ExperimentKey::Name);
        name.or_else(|| self.experiment_id.clone().map(ExperimentKey::Id))
    }

    fn run(&self) -> &str {
        self.run.as_deref().unwrap_or_default()
    }

    fn find_experiment<'a>(
        &self,
        world: &'a World,
        scope: &AtWorkspace,
    ) -> Result<&'a crate::store::Experiment, Refusal> {
        let key = self.experiment().ok_or_else(|| Refusal::not_found("no experiment is named"))?;
        state::experiment(world.stores.at(&scope.place), &key)
    }

    fn find_run<'a>(&self, world: &'a World, scope: &AtWorkspace) -> Result<&'a Run, Refusal> {
        let store = world.stores.at(&scope.place);
        match self.experiment() {
            Some(key) => state::run_of(store, &key, self.run()),
            None => store.run(self.run()),
        }
    }
}

type PathNames = Names<Path, Envelope>;

async fn get_run(Here(kernel): Here, scope: AtWorkspace, Names(path, _): PathNames) -> Answer {
    kernel.read(|world, _| path.find_run(world, &scope).map(|it| Json(wire::run_json(it))))
}

async fn patch_run(
    Here(kernel): Here,
    scope: AtWorkspace,
    caller: Caller,
    Names(path, _): PathNames,
    Body(body, _): Body<RunBody, Envelope>,
) -> Answer {
    let key = path.experiment().ok_or_else(|| Refusal::not_found("no experiment is named"))?;
    let status = body.status().map_err(Refusal::invalid)?;
    let run = vec![(path.run().to_owned(), status, body.into_patch())];
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_upsert(world, &scope, &key, run, &caller.name, ctx)
    })?;
    kernel.read(|world, _| path.find_run(world, &scope).map(|it| Json(wire::run_json(it))))
}

async fn batch_runs(
    Here(kernel): Here,
    scope: AtWorkspace,
    caller: Caller,
    Names(path, _): PathNames,
    Body(body, _): Body<BatchRunsBody, Envelope>,
) -> Answer {
    let key = path.experiment().ok_or_else(|| Refusal::not_found("no experiment is named"))?;
    let mut runs = Vec::new();
    for run in body.runs {
        let id = run.run_id.clone().ok_or_else(|| Refusal::invalid("each run needs a runId"))?;
        runs.push((id, run.status().map_err(Refusal::invalid)?, run.into_patch()));
    }
    let ids: Vec<String> = runs.iter().map(|(id, ..)| id.clone()).collect();
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_upsert(world, &scope, &key, runs, &caller.name, ctx)
    })?;
    kernel.read(|world, _| {
        let store = world.stores.at(&scope.place);
        let runs = ids.into_iter().map(|id| Ok((id.clone(), wire::run_json(store.run(&id)?))));
        let runs: Map<String, Value> = runs.collect::<Result<_, Refusal>>()?;
        Ok(Json(json!({ "runs": runs, "errors": {} })))
    })
}

/// Tags that are not there do not matter.
async fn delete_tags(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(untagged, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let run = path.find_run(world, &scope)?;
        let change = RunPatch { untagged, ..RunPatch::default() };
        decide_patch(world.stores.at(&scope.place), &scope.place, &run.id, change, ctx)
    })?;
    Ok(Json(json!({ "errors": {} })))
}

/// The runs of all experiments that went to a compute target.
async fn by_compute(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Params(query, _): Params<ChildrenQuery, Envelope>,
) -> Answer {
    let filter = filter::parse(query.filter.as_deref().unwrap_or_default())?;
    kernel.read(|world, _| {
        let runs = world.stores.at(&scope.place).runs();
        let mut runs: Vec<&Run> = runs
            .filter(|it| it.target.is_some() && it.target == path.compute)
            .filter(|it| filter.holds(&|name: &str| filter::field_of(it, name)))
            .collect();
        order(&mut runs, query.order_by.as_deref());
        let runs: Vec<Value> = runs.into_iter().map(wire::run_json).collect();
        page(&runs, query.continuation_token.as_deref(), query.top)
    })
}

async fn post_event(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(body, _): Body<EventBody, Envelope>,
) -> Result<(), Refused<Envelope>> {
    let (_, posted) = body.into_posted();
    kernel.commit(|world, ctx| {
        path.find_run(world, &scope)?;
        decide_event(world, &scope.place, path.run(), &posted, ctx)
    })
}

async fn batch_events(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(body, _): Body<BatchEventsBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        path.find_experiment(world, &scope)?;
        let mut events = Vec::new();
        for event in body.events {
            let (run_id, posted) = event.into_posted();
            let run_id = run_id.ok_or_else(|| Refusal::invalid("each event needs data.RunId"))?;
            events.extend(decide_event(world, &scope.place, &run_id, &posted, ctx)?.0);
        }
        Ok((events, ()))
    })?;
    Ok(Json(json!({ "errors": [] })))
}

async fn query_runs(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(query, _): Body<QueryBody, Envelope>,
) -> Answer {
    let filter = filter::parse(query.filter.as_deref().unwrap_or_default())?;
    kernel.read(|world, _| {
        let experiment = path.find_experiment(world, &scope)?;
        let runs = world.stores.at(&scope.place).runs();
        let mut runs: Vec<&Run> = runs
            .filter(|it| it.experiment_id == experiment.id)
            .filter(|it| filter.holds(&|name: &str| filter::field_of(it, name)))
            .collect();
        order(&mut runs, query.order_by.as_deref());
        let runs: Vec<Value> = runs.into_iter().map(wire::run_json).collect();
        page(&runs, query.continuation_token.as_deref(), query.top)
    })
}

async fn children(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Params(query, _): Params<ChildrenQuery, Envelope>,
) -> Answer {
    let filter = filter::parse(query.filter.as_deref().unwrap_or_default())?;
    kernel.read(|world, _| {
        let run = path.find_run(world, &scope)?;
        let children = world.stores.at(&scope.place).children(&run.id);
        let mut children: Vec<&Run> =
            children.filter(|it| filter.holds(&|name: &str| filter::field_of(it, name))).collect();
        order(&mut children, query.order_by.as_deref());
        let children: Vec<Value> = children.into_iter().map(wire::run_json).collect();
        page(&children, query.continuation_token.as_deref(), query.top)
    })
}

fn page(items: &[Value], token: Option<&str>, top: Option<usize>) -> Result<Json<Value>, Refusal> {
    let page = wire::page_json(items, token, top.unwrap_or(PAGE));
    page.map(Json).map_err(Refusal::invalid)
}

/// Sorts by `Field [asc|desc]`. Runs that have no such field come last.
fn order(runs: &mut [&Run], by: Option<&str>) {
    let Some(by) = by.filter(|it| !it.trim().is_empty()) else { return };
    let mut words = by.split_whitespace();
    let field = words.next().unwrap_or_default();
    let descending = words.next().is_some_and(|it| it.eq_ignore_ascii_case("desc"));
    let key = |run: &Run| match filter::field_of(run, field) {
        filter::Value::Text(text) => Some(text),
        filter::Value::Number(number) => Some(format!("{number:>24.6}")),
        filter::Value::Null => None,
    };
    runs.sort_by(|one, other| match (key(one), key(other)) {
        (Some(one), Some(other)) if descending => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()).then(Ordering::Equal),
    });
}

/// Metrics are there as soon as they are acknowledged.
async fn ingest_wait(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
) -> Result<(), Refused<Envelope>> {
    kernel.read(|world, _| path.find_run(world, &scope).map(drop))
}

async fn details(
    Here(kernel): Here,
    scope: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
) -> Answer {
    let root: Result<String, Refused<Envelope>> =
        kernel.read(|world, _| path.find_run(world, &scope).map(wire::artifact_root));
    let root = root?;
    let logs = logs::files(&kernel, &site, &scope.account, &root)?;
    kernel.read(|world, _| {
        path.find_run(world, &scope).map(|run| Json(wire::details_json(run, &logs)))
    })
}

async fn token(
    Here(kernel): Here,
    scope: AtWorkspace,
    caller: Caller,
    Names(path, _): PathNames,
) -> Answer {
    let run_id: Result<String, Refused<Envelope>> =
        kernel.read(|world, _| path.find_run(world, &scope).map(|it| it.id.clone()));
    let (token, expires_at) = run_token(&run_id?, &caller.tenant_id, &caller.name);
    Ok(Json(wire::token_json(&token, expires_at, &scope)))
}

/// Makes the token with which the code of a run talks to the data plane.
pub(crate) fn run_token(run_id: &str, tenant: &str, user: &str) -> (String, time::OffsetDateTime) {
    let now = clock::wall();
    let expires_at = now + TOKEN_LIFE;
    let claims = Claims {
        aud: ML_AUDIENCE.to_owned(),
        iss: format!("https://sts.windows.net/{tenant}/"),
        tid: tenant.to_owned(),
        oid: user.to_owned(),
        sub: run_id.to_owned(),
        appid: user.to_owned(),
        runid: run_id.to_owned(),
        iat: now.unix_timestamp(),
        nbf: now.unix_timestamp(),
        exp: expires_at.unix_timestamp(),
        ver: "1.0".to_owned(),
        ..Claims::default()
    };
    (auth::mint(&claims), expires_at)
}
