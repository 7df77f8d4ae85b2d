use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt, stream};

use super::ops::{self, VersionText};
use crate::{
    MlflowTracking, ModelName, ModelQuery, ModelSource, ModelStage, ModelUpdate, ModelVersion,
    ModelVersionNumber, NewModel, RegisteredModel, RegisteredModels, RunId, RunRef,
    TransferOptions,
    mlflow::{artifacts::Root, ops::GetRun, wire},
};

const REGISTER: &str = "mlflow.model_versions.create";
const SEARCH: &str = "mlflow.model_versions.search";
/// Versions in one page of a search, as the official client asks for them.
const PAGE: u32 = 10_000;

#[async_trait]
impl RegisteredModels for MlflowTracking {
    async fn register(&self, run: Option<&RunRef>, model: &NewModel) -> Result<ModelVersion> {
        check(model)?;
        let (Some(run), ModelSource::Artifact(path)) = (run, &model.source) else {
            let reason = "MLflow registers artifacts of a run: log the files as artifacts first, \
                          and register them with the run";
            return Err(Error::invalid(REGISTER, reason));
        };
        let info = self.endpoint.call(&GetRun(&run.id)).await?;
        let uri = info.data_container.unwrap_or_default();
        // Where the server keeps the files for its clients, one can look.
        if let Ok(root) = Root::parse(&uri)
            && self.within(&root, path, Path::new("")).await?.is_empty()
        {
            let reason = format!(
                "run {} has no artifact \"{path}\"; upload it first, or list the artifacts to see \
                 their paths",
                run.id
            );
            return Err(Error::explained(REGISTER, ErrorKind::NotFound, reason));
        }
        match self.endpoint.call(&ops::CreateModel { name: model.name.as_str() }).await {
            Err(err) if err.kind() != ErrorKind::Conflict => return Err(err),
            _ => (),
        }
        let create = ops::CreateVersion {
            name: model.name.as_str(),
            source: &format!("{}/{path}", uri.trim_end_matches('/')),
            run_id: Some(run.id.as_str()),
            tags: &wire::pairs(&model.tags),
            description: model.description.as_deref(),
        };
        self.endpoint.call(&create).await
    }

    fn list(&self, query: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        let filter = match filter(query) {
            Ok(filter) => filter,
            Err(err) => return stream::iter([Err(err)]).boxed(),
        };
        let all = self.search_versions(filter);
        if !query.is_latest_only {
            return all;
        }
        let latest = |all: Vec<ModelVersion>| {
            let mut latest: BTreeMap<ModelName, ModelVersion> = BTreeMap::new();
            for it in all {
                let known = latest.get(&it.name).is_some_and(|known| known.version >= it.version);
                if !known {
                    latest.insert(it.name.clone(), it);
                }
            }
            stream::iter(latest.into_values().map(Ok))
        };
        all.try_collect::<Vec<_>>().map_ok(latest).try_flatten_stream().boxed()
    }

    async fn get(
        &self,
        name: &ModelName,
        version: Option<ModelVersionNumber>,
    ) -> Result<ModelVersion> {
        if let Some(version) = version {
            let get = ops::GetVersion { name: name.as_str(), version: VersionText(version) };
            return self.endpoint.call(&get).await;
        }
        let search = ops::SearchVersions {
            filter: &filter(&ModelQuery::new().with_name(name.clone()))?,
            most: 1,
            order_by: Some("version_number DESC"),
            token: None,
        };
        let page = self.endpoint.call(&search).await?;
        page.items.into_iter().next().ok_or_else(|| {
            let reason = format!("there is no version of a model \"{name}\"");
            Error::explained(SEARCH, ErrorKind::NotFound, reason)
        })
    }

    async fn download(
        &self,
        model: &ModelVersion,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let mut source = model.url.clone();
        if let Some(rest) = source.strip_prefix("runs:/") {
            let (run, path) = rest.split_once('/').unwrap_or((rest, ""));
            let info = self.endpoint.call(&GetRun(&RunId::new(run))).await?;
            let uri = info.data_container.unwrap_or_default();
            source = format!("{}/{path}", uri.trim_end_matches('/'));
        }
        let missing = || {
            let reason = format!("the files of {} version {} are gone", model.name, model.version);
            Error::explained("mlflow.artifacts.download", ErrorKind::NotFound, reason)
        };
        let (root, path) = Root::parse(&source)?.split().ok_or_else(missing)?;
        let pairs = self.within(&root, &path, folder).await?;
        if pairs.is_empty() {
            return Err(missing());
        }
        self.save_all(&root, pairs, options).await
    }

    async fn update(&self, model: &ModelVersion, update: &ModelUpdate) -> Result<ModelVersion> {
        no_properties("mlflow.model_versions.update", &update.properties)?;
        let (name, version) = (model.name.as_str(), VersionText(model.version));
        if let Some(description) = &update.description {
            let update = ops::UpdateVersion { name, version, description };
            self.endpoint.call(&update).await?;
        }
        for (key, value) in &update.tags {
            if let Some(value) = value {
                let set = ops::SetVersionTag { name, version, key, value };
                self.endpoint.call(&set).await?;
            } else {
                let delete = ops::DeleteVersionTag { name, version, key };
                self.endpoint.call(&delete).await?;
            }
        }
        self.endpoint.call(&ops::GetVersion { name, version }).await
    }

    async fn delete(&self, model: &ModelVersion) -> Result<()> {
        let (name, version) = (model.name.as_str(), VersionText(model.version));
        self.endpoint.call(&ops::DeleteVersion { name, version }).await
    }

    fn list_models(&self) -> BoxStream<'static, Result<RegisteredModel>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token: Option<PageToken>| {
            let endpoint = endpoint.clone();
            async move {
                let search = ops::SearchModels { filter: None, token: token.as_ref() };
                endpoint.call(&search).await
            }
        })
    }

    async fn get_model(&self, name: &ModelName) -> Result<RegisteredModel> {
        self.endpoint.call(&ops::GetModel(name.as_str())).await
    }

    async fn update_model(&self, name: &ModelName, update: &ModelUpdate) -> Result<()> {
        no_properties("mlflow.registered_models.update", &update.properties)?;
        let name = name.as_str();
        if let Some(description) = &update.description {
            self.endpoint.call(&ops::UpdateModel { name, description }).await?;
        }
        for (key, value) in &update.tags {
            match value {
                Some(value) => {
                    self.endpoint.call(&ops::SetModelTag { name, key, value }).await?;
                }
                None => self.endpoint.call(&ops::DeleteModelTag { name, key }).await?,
            }
        }
        Ok(())
    }

    async fn delete_model(&self, name: &ModelName) -> Result<()> {
        self.endpoint.call(&ops::DeleteModel { name: name.as_str() }).await
    }

    async fn set_alias(
        &self,
        name: &ModelName,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<()> {
        let (name, version) = (name.as_str(), VersionText(version));
        self.endpoint.call(&ops::SetAlias { name, alias, version }).await
    }

    async fn remove_alias(&self, name: &ModelName, alias: &str) -> Result<()> {
        self.endpoint.call(&ops::DeleteAlias { name: name.as_str(), alias }).await
    }

    async fn get_by_alias(&self, name: &ModelName, alias: &str) -> Result<ModelVersion> {
        let get = ops::GetByAlias { name: name.as_str(), alias };
        // A server says that the alias is bad input; for the caller there is no version.
        self.endpoint
            .call(&get)
            .map(|it| match it {
                Err(err) if err.kind() == ErrorKind::InvalidArgument => {
                    let reason = format!("model \"{name}\" has no alias \"{alias}\"");
                    let missing = ErrorKind::NotFound;
                    Err(Error::explained("mlflow.registered_models.get_by_alias", missing, reason)
                        .with_source(err))
                }
                other => other,
            })
            .await
    }

    async fn set_stage(
        &self,
        model: &ModelVersion,
        stage: &ModelStage,
        archives_others: bool,
    ) -> Result<ModelVersion> {
        let transition = ops::TransitionStage {
            name: model.name.as_str(),
            version: VersionText(model.version),
            stage: stage.word(),
            archive_existing_versions: archives_others,
        };
        self.endpoint.call(&transition).await
    }
}

impl MlflowTracking {
    fn search_versions(&self, filter: String) -> BoxStream<'static, Result<ModelVersion>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token: Option<PageToken>| {
            let (endpoint, filter) = (endpoint.clone(), filter.clone());
            async move {
                let token = token.as_ref();
                let search =
                    ops::SearchVersions { filter: &filter, most: PAGE, order_by: None, token };
                endpoint.call(&search).await
            }
        })
    }
}

/// Refuses what MLflow has no counterpart of, and names that it does not take.
fn check(model: &NewModel) -> Result<()> {
    no_properties(REGISTER, &model.properties)?;
    if model.framework.is_some() {
        return Err(Error::invalid(REGISTER, "framework: MLflow has none; use a tag"));
    }
    let name = model.name.as_str();
    if name.trim().is_empty() || name.contains(['/', ':']) {
        let reason = format!("model name \"{name}\": give it a name without \"/\" and \":\"");
        return Err(Error::invalid(REGISTER, reason));
    }
    Ok(())
}

fn no_properties(operation: &'static str, properties: &BTreeMap<String, String>) -> Result<()> {
    match properties.keys().next() {
        Some(key) => {
            let reason = format!("property \"{key}\": MLflow has no properties; use tags");
            Err(Error::invalid(operation, reason))
        }
        None => Ok(()),
    }
}

/// The server's filter for `query`. Its strings know no escapes.
fn filter(query: &ModelQuery) -> Result<String> {
    no_properties(SEARCH, &query.properties)?;
    if query.framework.is_some() {
        return Err(Error::invalid(SEARCH, "framework: MLflow has none; filter on a tag"));
    }
    let quoted = |text: &str| {
        if text.contains('\'') {
            let reason = format!("filter: {text:?} has a quote; filter on another tag");
            return Err(Error::invalid(SEARCH, reason));
        }
        Ok(format!("'{text}'"))
    };
    let mut conditions = Vec::new();
    if let Some(name) = &query.name {
        conditions.push(format!("name={}", quoted(name.as_str())?));
    }
    if let Some(run) = &query.run_id {
        conditions.push(format!("run_id={}", quoted(run.as_str())?));
    }
    for (key, value) in &query.tags {
        if key.contains('`') {
            return Err(Error::invalid(SEARCH, format!("filter: {key:?} has a quote")));
        }
        conditions.push(format!("tags.`{key}`={}", quoted(value)?));
    }
    Ok(conditions.join(" AND "))
}
