use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Value, json};

use super::{Answer, Envelope, PathNames, page};
use crate::{
    kernel::{Body, Here, Names, Refusal, Refused},
    services::{
        azure::AtWorkspace,
        history::{
            state::{decide_experiment_named, decide_experiment_patch},
            wire::{self, ExperimentBody, ExperimentsBody, TagsBody, filter},
        },
    },
    store::{ExperimentPatch, Status},
};

pub(super) async fn get(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
) -> Answer {
    kernel.read(|world, _| {
        path.find_experiment(world, &scope).map(|it| Json(wire::experiment_json(it)))
    })
}

pub(super) async fn create(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
) -> Answer {
    let name = path.experiment.as_deref().unwrap_or_default();
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_experiment_named(world, &scope.place, name, ctx)
    })?;
    kernel.read(|world, _| {
        path.find_experiment(world, &scope).map(|it| Json(wire::experiment_json(it)))
    })
}

pub(super) async fn query(
    Here(kernel): Here,
    scope: AtWorkspace,
    Body(query, _): Body<ExperimentsBody, Envelope>,
) -> Answer {
    let filter = filter::parse(query.filter.as_deref().unwrap_or_default())?;
    let shown = query.shown().map_err(Refusal::invalid)?;
    kernel.read(|world, _| {
        let all = world.stores.at(&scope.place).experiments();
        let mut all: Vec<_> = all
            .filter(|it| shown.is_none_or(|archived| archived == it.is_deleted))
            .filter(|it| filter.holds(&|name: &str| filter::field_of_experiment(it, name)))
            .collect();
        all.sort_by_key(|it| it.created_at);
        if query.is_newest_first() {
            all.reverse();
        }
        let all: Vec<Value> = all.into_iter().map(wire::experiment_json).collect();
        page(&all, query.continuation_token.as_deref(), query.top)
    })
}

/// Archiving hides an experiment and its runs.
pub(super) async fn update(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(body, _): Body<ExperimentBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let id = &path.find_experiment(world, &scope)?.id;
        decide_experiment_patch(world, &scope.place, id, body.into_patch(), ctx)
    })?;
    get(Here(kernel), scope, Names(path, std::marker::PhantomData)).await
}

/// Tags that are not there do not matter.
pub(super) async fn delete_tags(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
    Body(body, _): Body<TagsBody, Envelope>,
) -> Answer {
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let id = &path.find_experiment(world, &scope)?.id;
        let change = ExperimentPatch { untagged: body.tags, ..ExperimentPatch::default() };
        decide_experiment_patch(world, &scope.place, id, change, ctx)
    })?;
    Ok(Json(json!({ "errors": {} })))
}

/// How many runs are in which state.
pub(super) async fn run_counts(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): PathNames,
) -> Answer {
    kernel.read(|world, _| {
        let experiment = path.find_experiment(world, &scope)?;
        let runs = world.stores.at(&scope.place).runs();
        let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
        for run in runs.filter(|it| it.experiment_id == experiment.id) {
            *counts.entry(run.status).or_default() += 1;
        }
        Ok(Json(wire::run_counts_json(&counts)))
    })
}
