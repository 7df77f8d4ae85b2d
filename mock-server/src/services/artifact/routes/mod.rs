pub(super) mod of_runs;

use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    state::{Folder, decide_registration, find, paths},
    wire::{self, BatchBody},
};
use crate::{
    kernel::{Body, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, Site, on},
    services::azure::{
        AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("artifact", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// What the address of an artifact that is to be written allows.
const TO_WRITE: &str = "rwcl";
const TO_READ: &str = "r";

macro_rules! at {
    ($rest:literal) => {
        workspace_path!("/artifact/v2.0", $rest)
    };
}

// Bodies are not kept by the recorder, because addresses hold signatures.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::post("artifact.batch_metadata", at!("/artifacts/batch/metadata/{origin}/{container}"), |it| on(it, register)).without_bodies(),
    Route::get("artifact.list", at!("/artifacts/{origin}/{container}"), |it| on(it, list)),
    Route::get("artifact.metadata", at!("/artifacts/metadata/{origin}/{container}/{*name}"), |it| on(it, metadata)),
    Route::get("artifact.content_info", at!("/artifacts/contentinfo/{origin}/{container}/{*name}"), |it| on(it, content)).without_bodies(),
    Route::get("artifact.prefix_content_info", at!("/artifacts/prefix/contentinfo/{origin}/{container}/{*name}"), |it| on(it, contents)).without_bodies(),
    Route::get("artifact.prefix_content_info", at!("/artifacts/prefix/contentinfo/{origin}/{container}"), |it| on(it, contents)).without_bodies(),
    Route::absent(Method::GET, "artifact.content", at!("/artifacts/content/{origin}/{container}/{*name}")),
    Route::absent(Method::POST, "artifact.upload", at!("/artifacts/content/{origin}/{container}/{*name}")),
    Route::absent(Method::GET, "artifact.write_info", at!("/artifacts/write/{origin}/{container}/{*name}")),
    Route::get("artifact.list_in_path", at!("/artifacts/{origin}/{container}/{*name}"), |it| on(it, list_in_path)),
    Route::absent(Method::POST, "artifact.ingest", at!("/artifacts/batch/ingest/containersas/{origin}/{container}")),
    Route::absent(Method::DELETE, "artifact.delete_all", at!("/artifacts/batch/{origin}/{container}")),
    Route::absent(Method::POST, "artifact.create", at!("/artifacts/metadata")),
    Route::absent(Method::DELETE, "artifact.delete", at!("/artifacts/metadata/{origin}/{container}/{*name}")),
];

/// The named parts of all paths of this service.
#[derive(Deserialize)]
struct Path {
    origin: String,
    container: String,
    #[serde(default)]
    name: String,
}

type PathNames = Names<Path, Envelope>;

impl Path {
    fn folder<'a>(&'a self, at: &'a AtWorkspace) -> Folder<'a> {
        Folder { account: &at.account, origin: &self.origin, container: &self.container }
    }
}

async fn register(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
    Body(body, _): Body<BatchBody, Envelope>,
) -> Answer {
    registered(&kernel, path.folder(&at), body, &site)
}

/// Makes paths known and says where their bytes may be put.
fn registered(kernel: &Kernel, folder: Folder<'_>, body: BatchBody, site: &Site) -> Answer {
    let paths = body.into_paths();
    let since = kernel
        .commit::<_, Refused<Envelope>>(|_, ctx| decide_registration(folder, paths.clone(), ctx))?;
    let artifacts = paths.iter().map(|it| (it.clone(), wire::artifact_json(folder, it, since)));
    let artifacts: Map<String, Value> = artifacts.collect();
    let contents =
        paths.iter().map(|it| (it.clone(), wire::content_json(folder, it, TO_WRITE, site)));
    let contents: Map<String, Value> = contents.collect();
    Ok(Json(json!({
        "artifacts": artifacts, "artifactContentInformation": contents, "errors": {},
    })))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    path: String,
}

async fn list(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): PathNames,
    Params(query, _): Params<ListQuery, Envelope>,
) -> Answer {
    listed(&kernel, path.folder(&at), &query.path)
}

async fn list_in_path(Here(kernel): Here, at: AtWorkspace, Names(path, _): PathNames) -> Answer {
    listed(&kernel, path.folder(&at), &path.name)
}

/// All in one page.
fn listed(kernel: &Kernel, folder: Folder<'_>, prefix: &str) -> Answer {
    let found = find(kernel, folder, prefix)?;
    let found = found.iter().map(|(path, since)| wire::artifact_json(folder, path, *since));
    let found: Vec<Value> = found.collect();
    Ok(Json(json!({ "value": found, "continuationToken": null, "nextLink": null })))
}

fn missing(folder: Folder<'_>, path: &str) -> Refusal {
    Refusal::not_found(format!("Artifact {} was not found.", folder.blob(path)))
}

async fn metadata(Here(kernel): Here, at: AtWorkspace, Names(path, _): PathNames) -> Answer {
    described(&kernel, path.folder(&at), &path.name)
}

fn described(kernel: &Kernel, folder: Folder<'_>, path: &str) -> Answer {
    let found = find(kernel, folder, path)?;
    let since = found.get(path).ok_or_else(|| missing(folder, path))?;
    Ok(Json(wire::artifact_json(folder, path, *since)))
}

async fn content(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
) -> Answer {
    addressed(&kernel, path.folder(&at), &path.name, &site).map(Json).map_err(Into::into)
}

/// Where the bytes of an artifact are.
fn addressed(
    kernel: &Kernel,
    folder: Folder<'_>,
    path: &str,
    site: &Site,
) -> Result<Value, Refusal> {
    if !find(kernel, folder, path)?.contains_key(path) {
        return Err(missing(folder, path));
    }
    Ok(wire::content_json(folder, path, TO_READ, site))
}

async fn contents(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
) -> Answer {
    all_addressed(&kernel, path.folder(&at), &path.name, &site)
}

fn all_addressed(kernel: &Kernel, folder: Folder<'_>, prefix: &str, site: &Site) -> Answer {
    let found = paths(kernel, folder, prefix)?;
    let found = found.iter().map(|it| wire::content_json(folder, it, TO_READ, site));
    let found: Vec<Value> = found.collect();
    Ok(Json(json!({ "value": found, "continuationToken": null })))
}
