use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse, Response},
};

use crate::{
    kernel::{Kernel, Refusal, Site, files::Folder},
    services::{
        azure::AtWorkspace,
        blob::ARTIFACTS,
        databricks::AtDatabricks,
        mlflow::{state, wire::RunView},
    },
    store::{Experiment, LoggedModel, Model, Place, Run, Store},
};

/// Where Databricks itself keeps artifacts. Clients reach what is here by the Files API.
const TRACKING: &str = "dbfs:/databricks/mlflow-tracking/";

/// Whose runs the path speaks of, and where their artifacts are.
#[derive(Clone, Debug)]
pub(in super::super) struct Root {
    pub(in super::super) place: Place,
    /// What stands in front of an Azure ML workspace's artifacts.
    azure: Option<Azure>,
}

#[derive(Clone, Debug)]
struct Azure {
    prefix: String,
    account: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Root {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let path = parts.uri.path();
        let azure = path.strip_prefix("/mlflow/v1.0/").or(path.strip_prefix("/mlflow/v2.0/"));
        if azure.is_none() && path.starts_with("/mlflow/") {
            return Ok(Self { place: Place::Plain, azure: None });
        }
        if azure.is_none() {
            let at = AtDatabricks::from_request_parts(parts, state).await;
            let AtDatabricks(workspace) = at.map_err(IntoResponse::into_response)?;
            return Ok(Self { place: Place::Databricks(workspace), azure: None });
        }
        let scope = AtWorkspace::from_request_parts(parts, state).await;
        let scope = scope.map_err(IntoResponse::into_response)?;
        let Ok(site) = Site::from_request_parts(parts, state).await;
        let origin = site.data_plane(&scope.region);
        let host = origin.split_once("://").map_or("", |(_, it)| it);
        let prefix = format!("azureml://{host}/mlflow/v2.0{}", scope.resource_id());
        Ok(Self { place: scope.place, azure: Some(Azure { prefix, account: scope.account }) })
    }
}

/// Files below one name of a folder.
pub(in super::super) struct Tree {
    pub(in super::super) folder: Folder,
    /// Empty, or ends with a slash.
    pub(in super::super) prefix: String,
}

impl Root {
    /// Where the artifacts of an experiment are.
    pub(in super::super) fn location(&self, it: &Experiment) -> String {
        if !it.artifact_location.is_empty() {
            return it.artifact_location.clone();
        }
        match self.place {
            Place::AzureMl(_) => String::new(),
            // Databricks knows no other names. This mock does, so that plain MLflow
            // can be tried with a token; it then serves their artifacts itself.
            Place::Databricks(_) if it.name.starts_with('/') => {
                format!("{TRACKING}{}", it.id)
            }
            Place::Plain | Place::Databricks(_) => format!("mlflow-artifacts:/{}", it.id),
        }
    }

    /// A location as a plain server keeps it: a relative path begins where the
    /// server was started.
    pub(in super::super) fn absolute(&self, location: &str) -> String {
        let is_relative = !location.is_empty()
            && !location.starts_with('/')
            && state::scheme(location).is_empty();
        match std::path::absolute(location) {
            Ok(path) if is_relative && self.place == Place::Plain => path.display().to_string(),
            _ => location.to_owned(),
        }
    }

    /// The folder of this machine that `uri` names, if it is below the one that
    /// whoever started the server gave to MLflow.
    fn local(&self, kernel: &Kernel, uri: &str) -> Option<Folder> {
        let local = |uri: &str| state::local_path(uri).ok().flatten();
        let root = kernel.tracking().artifact_root.as_deref().and_then(local)?;
        let path = local(uri).filter(|it| self.place == Place::Plain && it.starts_with(root))?;
        Some(Folder::local(path))
    }

    fn below(&self, store: &Store, experiment_id: &str, rest: &str) -> String {
        let location = store.experiment(experiment_id).map(|it| self.location(it));
        let location = location.unwrap_or_default();
        format!("{}/{rest}", location.trim_end_matches('/'))
    }

    pub(in super::super) fn artifact_uri(&self, store: &Store, run: &Run) -> String {
        let (experiment, id) = (&run.experiment_id, &run.id);
        match &self.azure {
            Some(Azure { prefix, .. }) => {
                format!("{prefix}/experiments/{experiment}/runs/{id}/artifacts")
            }
            None => self.below(store, experiment, &format!("{id}/artifacts")),
        }
    }

    /// Where the files of a logged model are. Azure ML keeps them at the run.
    pub(in super::super) fn model_uri(&self, store: &Store, it: &LoggedModel) -> String {
        if let Some(Azure { prefix, .. }) = &self.azure {
            let (experiment, run, id) = (&it.experiment_id, &it.source_run_id, &it.id);
            return format!("{prefix}/experiments/{experiment}/runs/{run}/artifacts/models/{id}");
        }
        let experiment = store.experiment(&it.experiment_id);
        let is_managed = experiment.is_some_and(|it| self.location(it).starts_with(TRACKING));
        // Below this root, clients tell runs and models by this name.
        let folder = if is_managed { "logged_models" } else { "models" };
        self.below(store, &it.experiment_id, &format!("{folder}/{}/artifacts", it.id))
    }

    /// Where the files of a version are, as clients find out, too.
    pub(in super::super) fn version_uri(
        &self,
        store: &Store,
        it: &Model,
    ) -> Result<String, Refusal> {
        let uri = state::download_uri(it);
        let of_run = uri.strip_prefix("runs:/").and_then(|it| it.split_once('/'));
        Ok(match of_run {
            Some((id, path)) => {
                format!("{}/{path}", self.artifact_uri(store, state::run(store, id)?))
            }
            None => uri.to_owned(),
        })
    }

    pub(in super::super) fn view<'a>(&self, store: &Store, run: &'a Run) -> RunView<'a> {
        RunView { run, artifact_uri: self.artifact_uri(store, run) }
    }

    /// The folder that this root serves itself.
    pub(in super::super) fn folder(&self, kernel: &Kernel) -> Folder {
        kernel.files.mlflow(&self.place.to_string())
    }

    /// The files behind a URI of an artifact, if this cloud has them.
    pub(in super::super) fn tree(&self, kernel: &Kernel, uri: &str) -> Option<Tree> {
        if let Some(folder) = self.local(kernel, uri) {
            return Some(Tree { folder, prefix: String::new() });
        }
        let (scheme, rest) = uri.split_once(':')?;
        let (folder, name) = match (scheme, &self.place, &self.azure) {
            ("mlflow-artifacts", ..) => (self.folder(kernel), path_of(rest).to_owned()),
            ("dbfs", Place::Databricks(workspace), _) => {
                (kernel.files.dbfs(*workspace), path_of(rest).to_owned())
            }
            ("azureml", _, Some(azure)) => {
                let (_, run) = rest.split_once("/runs/")?;
                let (run, path) = run.split_once("/artifacts")?;
                let folder = kernel.files.container(&azure.account, ARTIFACTS);
                let path = path.trim_matches('/');
                (folder, format!("ExperimentRun/dcid.{run}/{path}"))
            }
            _ => return None,
        };
        let name = name.trim_matches('/');
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        Some(Tree { folder, prefix })
    }
}

/// The path of a URI without its scheme, with or without an authority.
fn path_of(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
        None => rest.trim_start_matches('/'),
    }
}
