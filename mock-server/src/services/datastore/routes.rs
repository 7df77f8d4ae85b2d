use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    state::{How, decide_change, decide_default, decide_deletion, decide_registration},
    wire::{self, DatastoreBody, Shown},
};
use crate::{
    kernel::{Body, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, Site, on},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("datastore", data_plane_gate, ROUTES);

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/datastore/v1.0", $rest)
    };
}

// Bodies hold credentials, so the recorder does not keep them where they do.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("datastore.default", at!("/default"), |it| on(it, default)),
    Route::put("datastore.set_default", at!("/default/{name}"), |it| on(it, set_default)),
    Route::get("datastore.list", at!("/datastores"), |it| on(it, list)),
    Route::get("datastore.get", at!("/datastores/{name}"), |it| on(it, get)),
    Route::post("datastore.create", at!("/datastores"), |it| on(it, create)).without_bodies(),
    Route::put("datastore.update", at!("/datastores/{name}"), |it| on(it, update)).without_bodies(),
    Route::delete("datastore.delete", at!("/datastores/{name}"), |it| on(it, delete)).assumed(),
    Route::absent(Method::DELETE, "datastore.delete_all", at!("/datastores")),
];

#[derive(Deserialize)]
struct Path {
    name: String,
}

type Answer = Result<Json<Value>, Refused<Envelope>>;

fn found(kernel: &Kernel, at: &AtWorkspace, site: &Site, name: Option<&str>) -> Answer {
    kernel.read(|world, _| {
        let known = &world.datastores;
        let default = known.default_of(&at.workspace_id);
        let found = known.find((&at.workspace_id, &at.account), name.unwrap_or(default))?;
        Ok(Json(wire::datastore_json(&found, Shown { at, site, default, with_secrets: true })))
    })
}

async fn default(Here(kernel): Here, site: Site, at: AtWorkspace) -> Answer {
    found(&kernel, &at, &site, None)
}

async fn get(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    found(&kernel, &at, &site, Some(&path.name))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListQuery {
    /// Separated by commas. Empty for all.
    data_store_names: String,
    continuation_token: Option<usize>,
    count: Option<usize>,
    include_secret: bool,
}

async fn list(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let default = world.datastores.default_of(&at.workspace_id);
        let names: Vec<&str> =
            query.data_store_names.split(',').filter(|it| !it.is_empty()).collect();
        let is_wanted =
            |it: &str| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(it));
        let mut all = world.datastores.all(&at);
        all.retain(|it| is_wanted(&it.name));
        let start = query.continuation_token.unwrap_or_default().min(all.len());
        let count = query.count.filter(|it| 0 < *it).unwrap_or(all.len());
        let end = all.len().min(start.saturating_add(count));
        let shown = Shown { at: &at, site: &site, default, with_secrets: query.include_secret };
        let page: Vec<Value> =
            all[start..end].iter().map(|it| wire::datastore_json(it, shown)).collect();
        let next = (end < all.len()).then(|| end.to_string());
        Ok(Json(json!({ "value": page, "continuationToken": next })))
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HowQuery {
    create_if_not_exists: bool,
    skip_validation: bool,
}

impl From<HowQuery> for How {
    fn from(it: HowQuery) -> Self {
        Self { creates_container: it.create_if_not_exists, skips_validation: it.skip_validation }
    }
}

async fn create(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Params(query, _): Params<HowQuery, Envelope>,
    Body(body, _): Body<DatastoreBody, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| {
        let new = body.into_datastore(ctx.now, &site.storage_suffix())?;
        if new.name.is_empty() {
            return Err(Refusal::invalid("name is missing"));
        }
        decide_registration(world, &at, new, query.into(), ctx)
    })
}

async fn update(
    Here(kernel): Here,
    site: Site,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Params(query, _): Params<HowQuery, Envelope>,
    Body(body, _): Body<DatastoreBody, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, ctx| {
        let new = body.into_datastore(ctx.now, &site.storage_suffix())?;
        decide_change(world, &at, &path.name, new, query.into(), ctx)
    })
}

async fn delete(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, _| decide_deletion(world, &at, &path.name))
}

async fn set_default(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Result<(), Refused<Envelope>> {
    kernel.commit(|world, _| decide_default(world, &at, &path.name))
}
