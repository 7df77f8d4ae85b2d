use axum::{Json, http::header::CONTENT_TYPE, response::IntoResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state,
    wire::{self, BatchBody, FullBody},
};
use crate::{
    kernel::{Body, Here, Names, Refusal, Refused, Route, Service, lenient, on},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
    store::decide_log,
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("metric", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// How many values a page of one metric has.
const PAGE: usize = 10_000;

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/metric/v2.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::post("metric.batch", at!("/runs/{run}/batch"), |it| on(it, batch)).without_bodies(),
    Route::post("metric.list", at!("/runs/{run}/list"), |it| on(it, list)),
    Route::post("metric.full", at!("/runs/{run}/full"), |it| on(it, full)),
];

#[derive(Deserialize)]
struct Path {
    run: String,
}

async fn batch(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<BatchBody, Envelope>,
) -> Answer {
    let now = kernel.clock.now();
    let (mut batches, mut errors) = (Vec::new(), Vec::new());
    for mut metric in body.values {
        let (name, shown_as) = (metric.name.clone(), metric.shown_as());
        let columns = std::mem::take(&mut metric.columns);
        match state::batch(name.clone(), columns, shown_as, metric.into_rows(now)) {
            Ok(it) => batches.push(it),
            Err(refusal) => errors.push((name, refusal.message)),
        }
    }
    let refused = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_log(world.stores.at(&scope.place), &scope.place, &path.run, batches, ctx)
    })?;
    errors.extend(refused);
    let errors: Vec<Value> = errors
        .into_iter()
        .map(|(metric, message)| {
            let error = json!({ "error": { "code": "UserError", "message": message } });
            json!({ "metric": metric, "errorResponse": error })
        })
        .collect();
    Ok(Json(json!({ "errors": errors })))
}

async fn list(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let run = world.stores.at(&scope.place).run(&path.run)?;
        let names: Vec<Value> =
            run.metrics.iter().map(|(name, it)| wire::name_json(name, it)).collect();
        Ok(Json(json!({ "value": names, "continuationToken": null })))
    })
}

async fn full(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<FullBody, Envelope>,
) -> Result<impl IntoResponse, Refused<Envelope>> {
    let token = body.continuation_token.as_deref().filter(|it| !it.is_empty());
    let after: Option<state::Mark> = token.map(str::parse).transpose()?;
    let value: Result<Value, Refused<Envelope>> = kernel.read(|world, _| {
        let run = world.stores.at(&scope.place).run(&path.run)?;
        let name = &body.metric_name;
        let series = run
            .metrics
            .get(name.as_str())
            .ok_or_else(|| Refusal::not_found(format!("Run {} has no metric {name}", path.run)))?;
        let (rows, has_more) = state::page(name, series, after, PAGE);
        let next = rows.last().filter(|_| has_more).map(|(mark, _)| mark.to_string());
        Ok(wire::full_json(name, series, &rows, next.as_deref()))
    });
    let text = value?.to_string();
    Ok(([(CONTENT_TYPE, "application/json")], lenient::unquoted(&text).into_owned()))
}
