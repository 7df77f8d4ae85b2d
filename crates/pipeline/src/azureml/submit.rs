//! From a definition to a running pipeline.

use std::{collections::BTreeMap, path::Path};

use azml_core::{Endpoint, Error, ErrorKind};
use azml_workspace::{Datastores, DatastoresClient};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tracing::debug;
use uuid::Uuid;

use super::{AzureMlPipelines, history, ops, snapshots};
use crate::{
    Pipeline, PipelineError, PipelineRunDetails, Problem, ProblemKind, Result, StepName,
    SubmitOptions,
    plan::{Choices, Plan, PlannedModule},
    snapshot::Snapshot,
};

/// How many definitions are asked for or made at a time.
const AT_A_TIME: usize = 4;
/// The types of data that every port names.
const DATA_TYPES: [&str; 2] = ["AnyFile", "AnyDirectory"];

pub(super) async fn submit(
    pipelines: &AzureMlPipelines,
    pipeline: &Pipeline,
    options: &SubmitOptions,
) -> Result<PipelineRunDetails> {
    let (choices, experiment) = choices(pipeline, options)?;
    let snapshots = read_folders(pipeline).await?;

    let endpoint = pipelines.data_plane().await?;
    let workspace = &pipelines.scope();
    check_data_types(&endpoint, workspace).await?;
    let datastore = default_datastore(pipelines, pipeline).await?;
    let contents: Vec<_> =
        snapshots.iter().map(|it| it.as_ref().map(|it| it.content_hash.clone())).collect();
    let plan = Plan::new(pipeline, &datastore, &contents, node_id);

    let tracking = pipelines.tracking().await?;
    let experiment = history::experiment(&tracking, experiment).await?;
    let maker = Maker { endpoint: &endpoint, workspace, regenerate: choices.regenerate_outputs };
    let modules = plan.modules.iter().zip(&snapshots);
    let making: Vec<_> =
        modules.map(|(module, snapshot)| maker.module(module, snapshot.as_ref())).collect();
    let module_ids: Vec<String> = stream::iter(making).buffered(AT_A_TIME).try_collect().await?;
    let source_ids = maker.sources(&plan).await?;

    let body =
        plan.submission(pipeline.continue_on_step_failure, &choices, &module_ids, &source_ids);
    let create = ops::CreateRun { workspace, experiment: experiment.name.as_str(), body: &body };
    let run = endpoint.call(&create).await?;
    endpoint.call(&ops::SubmitRun { workspace, id: &run.id }).await?;
    if !options.tags.is_empty() {
        history::tag(&tracking, experiment, &run.id, &options.tags).await?;
    }
    Ok(run)
}

/// Checks definition and choices together, so that one error tells everything.
fn choices<'a>(pipeline: &'a Pipeline, options: &'a SubmitOptions) -> Result<(Choices, &'a str)> {
    let mut problems = pipeline.problems();
    let mut push = |field, kind, message: String, remedy: &str| {
        problems.push(Problem { step: None, field, kind, message, remedy: remedy.to_owned() });
    };
    let experiment = options.experiment.as_deref().unwrap_or(&pipeline.name);
    if !is_experiment_name(experiment) {
        push(
            "experiment",
            ProblemKind::Value,
            format!("`{experiment}` is no experiment name"),
            "begin with a letter or digit, go on with letters, digits, `_` and `-`, up to 255; \
             SubmitOptions::with_experiment sets a name other than the pipeline's",
        );
    }
    let mut assignments = BTreeMap::new();
    for (name, value) in &options.parameters {
        match pipeline.parameter(name) {
            None => push(
                "parameters",
                ProblemKind::Dangling,
                format!("the pipeline has no parameter `{name}`"),
                "declare it with Pipeline::with_parameter, or correct the name",
            ),
            Some(it) if it.default.type_name() != value.type_name() => push(
                "parameters",
                ProblemKind::Value,
                format!(
                    "`{name}` is of type {}, not {}",
                    it.default.type_name(),
                    value.type_name()
                ),
                "give a value of the default's type",
            ),
            Some(_) => {
                assignments.insert(name.to_string(), value.to_string());
            }
        }
    }
    if !problems.is_empty() {
        return Err(PipelineError::Invalid(problems));
    }
    let description = pipeline.description.clone().unwrap_or_else(|| experiment.to_owned());
    let regenerate_outputs = options.regenerate_outputs;
    Ok((Choices { description, assignments, regenerate_outputs }, experiment))
}

/// `[a-zA-Z0-9][\w-]{0,254}`
fn is_experiment_name(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_alphanumeric())
        && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'))
        && name.chars().count() <= 255
}

/// The folders of all steps, in the order of the steps. Those that several
/// steps share are read once for each: they may change in between.
async fn read_folders(pipeline: &Pipeline) -> Result<Vec<Option<Snapshot>>> {
    let mut snapshots = Vec::with_capacity(pipeline.steps.len());
    for step in &pipeline.steps {
        snapshots.push(match &step.code.source_directory {
            None => None,
            Some(folder) => Some(read_folder(&step.name, folder).await?),
        });
    }
    Ok(snapshots)
}

async fn read_folder(step: &StepName, folder: &Path) -> Result<Snapshot> {
    let path = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || Snapshot::read(&path)).await;
    let outcome = match read {
        Ok(outcome) => outcome,
        Err(err) => return Err(Error::local(snapshots::NAME, ErrorKind::Canceled, err).into()),
    };
    outcome.map_err(|err| {
        PipelineError::Invalid(vec![Problem {
            step: Some(step.clone()),
            field: "source_directory",
            kind: ProblemKind::NoSuchFile,
            message: err.to_string(),
            remedy: "make the folder readable, or exclude the file in .amlignore".to_owned(),
        }])
    })
}

async fn check_data_types(endpoint: &Endpoint, workspace: &str) -> Result<()> {
    let known = endpoint.call(&ops::ListDataTypes { workspace }).await?;
    for needed in DATA_TYPES {
        if !known.iter().any(|it| it == needed) {
            let reason = format!(
                "the workspace lacks the data type {needed}; submitting any pipeline with the \
                 official SDK once creates it"
            );
            return Err(Error::explained(
                "pipelines.data_types.list",
                ErrorKind::PreconditionFailed,
                reason,
            )
            .into());
        }
    }
    Ok(())
}

async fn default_datastore(pipelines: &AzureMlPipelines, pipeline: &Pipeline) -> Result<String> {
    if let Some(name) = &pipeline.default_datastore {
        return Ok(name.clone());
    }
    let datastores = DatastoresClient::new(&pipelines.workspace);
    Ok(datastores.default().await?.name.to_string())
}

/// Eight hexadecimal digits, as the official SDK names nodes.
fn node_id() -> String {
    let mut id = Uuid::new_v4().simple().to_string();
    id.truncate(8);
    id
}

/// Finds definitions by their hash, and makes those that are missing.
struct Maker<'a> {
    endpoint: &'a Endpoint,
    workspace: &'a str,
    regenerate: bool,
}

impl Maker<'_> {
    async fn module(&self, module: &PlannedModule, snapshot: Option<&Snapshot>) -> Result<String> {
        let Self { endpoint, workspace, regenerate } = *self;
        let hash = &module.body.identifier_hash;
        if !regenerate {
            match endpoint.call(&ops::ModuleByHash { workspace, hash }).await {
                Ok(known) if known.is_complete() => {
                    debug!(step = module.body.name, id = known.id, "module is known");
                    return Ok(known.id);
                }
                Ok(_) => (),
                Err(err) if err.kind() == ErrorKind::NotFound => (),
                Err(err) => return Err(err.into()),
            }
        }
        let mut body = module.body.clone();
        if let Some(snapshot) = snapshot {
            body.storage_id = Some(snapshots::upload(endpoint, workspace, snapshot).await?);
        }
        let made = endpoint.call(&ops::CreateModule { workspace, body: &body }).await?;
        let module = endpoint.call(&ops::GetModule { workspace, id: &made.id }).await?;
        Ok(module.id)
    }

    /// The ids of all data sources; equal ones are one.
    async fn sources(&self, plan: &Plan) -> Result<Vec<String>> {
        let Self { endpoint, workspace, .. } = *self;
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        let mut ids = Vec::with_capacity(plan.sources.len());
        for source in &plan.sources {
            let hash = source.body.identifier_hash.as_str();
            if let Some(id) = known.get(hash) {
                ids.push(id.clone());
                continue;
            }
            let found = endpoint.call(&ops::DataSourceByHash { workspace, hash }).await;
            let entity = match found {
                Err(err) if err.kind() == ErrorKind::NotFound => {
                    let create = ops::CreateDataSource { workspace, body: &source.body };
                    endpoint.call(&create).await?
                }
                found => found?,
            };
            known.insert(hash, entity.id.clone());
            ids.push(entity.id);
        }
        Ok(ids)
    }
}
