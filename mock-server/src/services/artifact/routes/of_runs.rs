//! The artifacts of a run as run history shows them: the same ones, found by
//! the run and not by the name of its container.

use axum::Json;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Envelope, addressed, all_addressed, described, listed, registered};
use crate::{
    kernel::{Body, Here, Kernel, Names, Params, Refusal, Refused, Route, Service, Site, on},
    services::{
        artifact::{state::Folder, wire::BatchBody},
        azure::{AtWorkspace, data_plane_gate, workspace_path},
    },
};

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("history.artifacts", data_plane_gate, ROUTES);

macro_rules! by_name {
    ($rest:literal) => {
        workspace_path!("/history/v1.0", $rest)
    };
}

// Bodies are not kept by the recorder, because addresses hold signatures.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::post("history.artifacts.batch_metadata", by_name!("/experiments/{experiment}/runs/{run}/artifacts/batch/metadata"), |it| on(it, register)).without_bodies(),
    Route::post("history.artifacts.batch_metadata", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/batch/metadata"), |it| on(it, register)).without_bodies(),
    Route::get("history.artifacts.list", by_name!("/experiments/{experiment}/runs/{run}/artifacts"), |it| on(it, list)),
    Route::get("history.artifacts.list", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts"), |it| on(it, list)),
    Route::get("history.artifacts.list_in_path", by_name!("/experiments/{experiment}/runs/{run}/artifacts/path"), |it| on(it, list)),
    Route::get("history.artifacts.list_in_path", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/path"), |it| on(it, list)),
    Route::get("history.artifacts.metadata", by_name!("/experiments/{experiment}/runs/{run}/artifacts/metadata"), |it| on(it, metadata)),
    Route::get("history.artifacts.metadata", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/metadata"), |it| on(it, metadata)),
    Route::get("history.artifacts.content_info", by_name!("/experiments/{experiment}/runs/{run}/artifacts/contentinfo"), |it| on(it, content)).without_bodies(),
    Route::get("history.artifacts.content_info", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/contentinfo"), |it| on(it, content)).without_bodies(),
    Route::get("history.artifacts.uri", by_name!("/experiments/{experiment}/runs/{run}/artifacts/artifacturi"), |it| on(it, uri)).without_bodies(),
    Route::get("history.artifacts.uri", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/artifacturi"), |it| on(it, uri)).without_bodies(),
    Route::get("history.artifacts.prefix_content_info", by_name!("/experiments/{experiment}/runs/{run}/artifacts/prefix/contentinfo"), |it| on(it, contents)).without_bodies(),
    Route::get("history.artifacts.prefix_content_info", by_name!("/experimentids/{experiment_id}/runs/{run}/artifacts/prefix/contentinfo"), |it| on(it, contents)).without_bodies(),
];

/// The named parts of all paths of this service. The experiment may be named or
/// numbered: clients put an id where the path says name.
#[derive(Deserialize)]
struct Path {
    experiment: Option<String>,
    experiment_id: Option<String>,
    run: String,
}

type PathNames = Names<Path, Envelope>;

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    path: String,
}

type Asked = Params<Query, Envelope>;

impl Path {
    /// The container of the run, which has to be one of the experiment.
    fn container(&self, kernel: &Kernel, at: &AtWorkspace) -> Result<String, Refusal> {
        kernel.read(|world, _| {
            let store = world.stores.at(&at.place);
            let run = store.run(&self.run)?;
            let asked = self.experiment.as_deref().or(self.experiment_id.as_deref());
            let is_meant = asked.is_some_and(|asked| {
                run.experiment_id == asked
                    || store.experiment_named(asked).is_some_and(|it| it.id == run.experiment_id)
            });
            let missing =
                || Refusal::not_found(format!("Run {} is not in that experiment", run.id));
            is_meant.then(|| run.data_container_id()).ok_or_else(missing)
        })
    }
}

fn folder<'a>(at: &'a AtWorkspace, container: &'a str) -> Folder<'a> {
    Folder { account: &at.account, origin: "ExperimentRun", container }
}

async fn register(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
    Body(body, _): Body<BatchBody, Envelope>,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    registered(&kernel, folder(&at, &container), body, &site)
}

async fn list(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): PathNames,
    Params(query, _): Asked,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    listed(&kernel, folder(&at, &container), &query.path)
}

async fn metadata(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): PathNames,
    Params(query, _): Asked,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    described(&kernel, folder(&at, &container), &query.path)
}

async fn content(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
    Params(query, _): Asked,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    Ok(Json(addressed(&kernel, folder(&at, &container), &query.path, &site)?))
}

/// The address alone, as a JSON text.
async fn uri(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
    Params(query, _): Asked,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    let found = addressed(&kernel, folder(&at, &container), &query.path, &site)?;
    let uri = found.get("contentUri").cloned().unwrap_or(Value::Null);
    Ok::<_, Refused<Envelope>>(Json(uri))
}

async fn contents(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): PathNames,
    Params(query, _): Asked,
) -> Answer {
    let container = path.container(&kernel, &at)?;
    all_addressed(&kernel, folder(&at, &container), &query.path, &site)
}
