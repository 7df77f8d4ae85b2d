use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state,
    wire::{self, AssetBody, ListQuery, ModelBody, PatchStep},
};
use crate::{
    kernel::{Body, Caller, Here, Names, Params, Refusal, Refused, Route, Service, Site, on},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
    store::{decide_asset, decide_model, decide_model_deletion, decide_model_patch},
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("models", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// How many models a page has when the client does not say.
const PAGE: usize = 255;

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/modelmanagement/v1.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::post("models.assets.create", at!("/assets"), |it| on(it, create_asset)),
    Route::get("models.assets.get", at!("/assets/{id}"), |it| on(it, get_asset)),
    Route::absent(Method::GET, "models.assets.list", at!("/assets")),
    Route::absent(Method::PATCH, "models.assets.update", at!("/assets/{id}")),
    Route::absent(Method::DELETE, "models.assets.delete", at!("/assets/{id}")),
    Route::absent(Method::POST, "models.query", at!("/models/list")),
    Route::post("models.register", at!("/models"), |it| on(it, register)),
    Route::get("models.list", at!("/models"), |it| on(it, list)),
    Route::get("models.get", at!("/models/{id}"), |it| on(it, get)),
    Route::patch("models.update", at!("/models/{id}"), |it| on(it, update)),
    Route::delete("models.delete", at!("/models/{id}"), |it| on(it, delete)),
];

#[derive(Deserialize)]
struct Path {
    id: String,
}

async fn create_asset(
    Here(kernel): Here,
    scope: AtWorkspace,
    Body(body, _): Body<AssetBody, Envelope>,
) -> Answer {
    let prefixes = body.prefixes();
    let asset = kernel.commit::<_, Refused<Envelope>>(|_, ctx| {
        decide_asset(&scope.place, body.name, prefixes, body.runid, ctx)
    })?;
    Ok(Json(wire::asset_json(&asset)))
}

async fn get_asset(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let asset = world.stores.at(&scope.place).asset(&path.id);
        let missing = || Refusal::not_found(format!("Asset {} was not found", path.id));
        asset.map(|it| Json(wire::asset_json(it))).ok_or_else(missing)
    })
}

async fn register(
    Here(kernel): Here,
    scope: AtWorkspace,
    caller: Caller,
    Body(body, _): Body<ModelBody, Envelope>,
) -> Answer {
    let new = body.into_new(caller.name);
    let model = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_model(world.stores.at(&scope.place), &scope.place, new, ctx)
    })?;
    Ok(Json(wire::model_json(&model)))
}

async fn list(
    Here(kernel): Here,
    scope: AtWorkspace,
    site: Site,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    let (count, start) = (query.count.unwrap_or(PAGE).max(1), query.skip_token.unwrap_or(0));
    kernel.read(|world, _| {
        let models = state::list(world.stores.at(&scope.place), &query.wanted());
        let end = models.len().min(start.saturating_add(count));
        let page: Vec<Value> = models
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .map(|it| wire::model_json(it))
            .collect();
        let next = (end < models.len()).then(|| {
            let origin = site.data_plane(&scope.region);
            let path = scope.resource_id();
            format!("{origin}/modelmanagement/v1.0{path}/models?count={count}&$skipToken={end}")
        });
        Ok(Json(json!({ "value": page, "nextLink": next })))
    })
}

async fn get(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let model = state::find(world.stores.at(&scope.place), &path.id)?;
        Ok(Json(wire::model_json(model)))
    })
}

async fn update(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(steps, _): Body<Vec<PatchStep>, Envelope>,
) -> Answer {
    let changes = wire::patch(steps)?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let store = world.stores.at(&scope.place);
        let model = state::find(store, &path.id)?;
        decide_model_patch(store, &scope.place, &model.name, model.version, changes, ctx)
    })?;
    get(Here(kernel), scope, Names(path, std::marker::PhantomData)).await
}

async fn delete(
    Here(kernel): Here,
    scope: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| {
        let store = world.stores.at(&scope.place);
        let model = state::find(store, &path.id)?;
        decide_model_deletion(store, &scope.place, &model.name, model.version, ctx)
    })
}
