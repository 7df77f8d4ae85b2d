//! Makes what must exist before a graph can be run: definitions of steps, with their
//! folders, and records of data.

use std::{collections::BTreeMap, path::Path};

use azml_core::{Endpoint, Error, ErrorKind};
use azml_workspace::{Datastores, DatastoresClient};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tracing::debug;
use uuid::Uuid;

use super::{AzureMlPipelines, ops, snapshots};
use crate::{
    Pipeline, Result,
    plan::{Plan, PlannedModule, SourceBody},
    snapshot::Snapshot,
};

/// How many definitions are asked for or made at a time.
const AT_A_TIME: usize = 16;
/// The types of data that every port names.
const DATA_TYPES: [&str; 2] = ["AnyFile", "AnyDirectory"];

/// A plan, and the ids that the service has given to its parts.
pub(super) struct Prepared<'a> {
    pub(super) plan: Plan<'a>,
    pub(super) module_ids: Vec<String>,
    pub(super) source_ids: Vec<String>,
}

/// Prepares `pipeline`, which must be valid. With `regenerate`, definitions that are
/// there already are made anew.
pub(super) async fn prepare<'a>(
    pipelines: &AzureMlPipelines,
    pipeline: &'a Pipeline,
    datastore: &'a str,
    regenerate: bool,
) -> Result<Prepared<'a>> {
    let folders = read_folders(pipeline).await?;
    let endpoint = pipelines.data_plane().await?;
    let workspace = &pipelines.scope();
    check_data_types(&endpoint, workspace).await?;
    let contents: Vec<_> =
        folders.iter().map(|it| it.as_ref().map(|it| it.content_hash.clone())).collect();
    let plan = Plan::new(pipeline, datastore, &contents, node_id);
    let maker = Maker { pipelines, endpoint: &endpoint, workspace, regenerate };
    let modules = plan.modules.iter();
    let making: Vec<_> = modules
        .map(|module| {
            let folder = pipeline.steps[module.step].code.source_directory.as_deref();
            maker.module(module, folder.zip(folders[module.step].as_ref()))
        })
        .collect();
    let module_ids = stream::iter(making).buffered(AT_A_TIME).try_collect().await?;
    let source_ids = maker.sources(&plan).await?;
    Ok(Prepared { plan, module_ids, source_ids })
}

/// The folders of all steps, in the order of the steps. Those that several
/// steps share are read once for each: they may change in between.
async fn read_folders(pipeline: &Pipeline) -> Result<Vec<Option<Snapshot>>> {
    let mut snapshots = Vec::with_capacity(pipeline.steps.len());
    for step in &pipeline.steps {
        snapshots.push(match &step.code.source_directory {
            None => None,
            Some(folder) => Some(Snapshot::of_step(&step.name, folder).await?),
        });
    }
    Ok(snapshots)
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

/// Where data goes that names no datastore.
pub(super) async fn default_datastore(
    pipelines: &AzureMlPipelines,
    pipeline: &Pipeline,
) -> Result<String> {
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
    pipelines: &'a AzureMlPipelines,
    endpoint: &'a Endpoint,
    workspace: &'a str,
    regenerate: bool,
}

impl Maker<'_> {
    async fn module(
        &self,
        module: &PlannedModule<'_>,
        folder: Option<(&Path, &Snapshot)>,
    ) -> Result<String> {
        let Self { pipelines, endpoint, workspace, regenerate } = *self;
        let hash = &module.body.identifier_hash;
        if !regenerate {
            match endpoint.call(&ops::ModuleByHash { workspace, hash }).await {
                Ok(known) if known.is_complete() => {
                    debug!(step = %module.body.name, id = known.id, "module is known");
                    return Ok(known.id);
                }
                Ok(_) => (),
                Err(err) if err.kind() == ErrorKind::NotFound => (),
                Err(err) => return Err(err.into()),
            }
        }
        let mut body = module.body.clone();
        if let Some((folder, snapshot)) = folder {
            let uploads = snapshots::Uploads { endpoint, workspace, known: &pipelines.snapshots };
            body.storage_id = Some(uploads.upload(folder, snapshot).await?);
        }
        Ok(endpoint.call(&ops::CreateModule { workspace, body: &body }).await?.id)
    }

    /// The ids of all data; equal data has one.
    async fn sources(&self, plan: &Plan<'_>) -> Result<Vec<String>> {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        let mut ids = Vec::with_capacity(plan.sources.len());
        for source in &plan.sources {
            let key = source.body.key();
            if let Some(id) = known.get(&key) {
                ids.push(id.clone());
                continue;
            }
            let id = self.source(&source.body).await?;
            known.insert(key, id.clone());
            ids.push(id);
        }
        Ok(ids)
    }

    async fn source(&self, source: &SourceBody) -> Result<String> {
        let Self { pipelines, endpoint, workspace, .. } = *self;
        let body = match source {
            SourceBody::DataPath(_) => return Ok(String::new()),
            SourceBody::Dataset(dataset) => {
                let id = pipelines.workspace.id();
                let save = ops::SaveDataset { workspace, id, dataset };
                return Ok(endpoint.call(&save).await?);
            }
            SourceBody::DataSource(body) => body,
        };
        let hash = &body.identifier_hash;
        let found = endpoint.call(&ops::DataSourceByHash { workspace, hash }).await;
        let entity = match found {
            Err(err) if err.kind() == ErrorKind::NotFound => {
                endpoint.call(&ops::CreateDataSource { workspace, body }).await?
            }
            found => found?,
        };
        Ok(entity.id)
    }
}
