use std::path::{Path, PathBuf};

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;
use uuid::Uuid;

use super::{super::artifact::PrefixContentInfo, ops, wire};
use crate::{
    ArtifactPath, AzureMlTracking, ModelName, ModelQuery, ModelSource, ModelUpdate, ModelVersion,
    ModelVersionNumber, NewModel, RegisteredModels, RunRef, TransferOptions, models::check_name,
    transfer::model_files,
};

const ASSET: &str = "aml://asset/";
/// Where the files are that come from somebody's machine.
const LOCAL: &str = "LocalUpload";

#[async_trait]
impl RegisteredModels for AzureMlTracking {
    async fn register(&self, run: Option<&RunRef>, model: &NewModel) -> Result<ModelVersion> {
        check_name("models.register", &model.name)?;
        let prefix = match (&model.source, run) {
            (ModelSource::Artifact(path), Some(run)) => self.artifact_of(run, path).await?,
            (ModelSource::Artifact(path), None) => {
                let reason = format!(
                    "model {}: \"{path}\" is the artifact of a run; register it with that run, or \
                     a file of this machine with NewModel::local",
                    model.name
                );
                return Err(Error::invalid("models.register", reason));
            }
            (ModelSource::Local(path), _) => self.upload_model(path).await?,
        };
        let workspace = &*self.workspace;
        let create = ops::CreateAsset { workspace, run, name: &model.name, prefix: &prefix };
        let asset = self.endpoint.call(&create).await?;
        self.endpoint.call(&ops::Register { workspace, run, model, asset: &asset }).await
    }

    fn list(&self, query: &ModelQuery) -> BoxStream<'static, Result<ModelVersion>> {
        let (this, query) = (self.clone(), query.clone());
        stream_pages(move |token: Option<PageToken>| {
            let (this, query) = (this.clone(), query.clone());
            async move {
                let (workspace, token) = (&*this.workspace, token.as_ref());
                let list = ops::List { workspace, query: &query, count: None, token };
                this.endpoint.call(&list).await
            }
        })
    }

    async fn get(
        &self,
        name: &ModelName,
        version: Option<ModelVersionNumber>,
    ) -> Result<ModelVersion> {
        check_name("models.get", name)?;
        let workspace = &*self.workspace;
        if let Some(version) = version {
            return self.endpoint.call(&ops::Get { workspace, name, version }).await;
        }
        // The newest comes first.
        let query = ModelQuery::new().with_name(name.clone());
        let list = ops::List { workspace, query: &query, count: Some(1), token: None };
        let page = self.endpoint.call(&list).await?;
        page.items.into_iter().next().ok_or_else(|| {
            let reason = format!("there is no registered model \"{name}\"");
            Error::explained("models.get", ErrorKind::NotFound, reason)
        })
    }

    async fn download(
        &self,
        model: &ModelVersion,
        folder: &Path,
        options: &TransferOptions,
    ) -> Result<Vec<PathBuf>> {
        let Some(id) = model.url.strip_prefix(ASSET) else {
            let reason = format!(
                "model {}:{} is at {}, which is no asset of the workspace",
                model.name, model.version, model.url
            );
            return Err(Error::invalid("models.assets.get", reason));
        };
        let asset = ops::GetAsset { workspace: &self.workspace, id };
        let mut files = Vec::new();
        for prefix in self.endpoint.call(&asset).await? {
            let mut contents = self.contents(&prefix).await?;
            contents.retain(|it| is_within(&prefix, &it.id));
            files.extend(
                self.save(contents, folder, options, |it| relative(&prefix, &it.id)).await?,
            );
        }
        if files.is_empty() {
            let reason = format!("model {}:{} has no files any more", model.name, model.version);
            return Err(Error::explained("models.assets.get", ErrorKind::NotFound, reason));
        }
        Ok(files)
    }

    async fn update(&self, model: &ModelVersion, update: &ModelUpdate) -> Result<ModelVersion> {
        let ModelUpdate { description, tags, properties } = update;
        let mut steps = Vec::new();
        if !tags.is_empty() || !properties.is_empty() {
            // The service sets all tags at once: those of others must not get lost.
            let now = RegisteredModels::get(self, &model.name, Some(model.version)).await?;
            if !tags.is_empty() {
                let mut all = now.tags;
                for (key, value) in tags {
                    match value {
                        Some(value) => all.insert(key.clone(), value.clone()),
                        None => all.remove(key),
                    };
                }
                let value = wire::Field::Texts(all);
                steps.push(wire::Step { op: "replace", path: "/kvTags", value });
            }
            if !properties.is_empty() {
                let mut all = now.properties;
                all.extend(properties.clone());
                let value = wire::Field::Texts(all);
                steps.push(wire::Step { op: "add", path: "/properties", value });
            }
        }
        if let Some(description) = description {
            let value = wire::Field::Text(description);
            steps.push(wire::Step { op: "replace", path: "/description", value });
        }
        if steps.is_empty() {
            return Err(Error::invalid("models.update", "there is nothing to change"));
        }
        self.endpoint.call(&ops::Update { workspace: &self.workspace, model, steps }).await
    }

    async fn delete(&self, model: &ModelVersion) -> Result<()> {
        let delete = ops::Delete { workspace: &self.workspace, model };
        match self.endpoint.call(&delete).await {
            // An earlier try removed it and its answer was lost.
            Err(err) if err.kind() == ErrorKind::NotFound && err.attempts() > 1 => Ok(()),
            result => result,
        }
    }
}

impl AzureMlTracking {
    /// The id of an artifact that is there.
    async fn artifact_of(&self, run: &RunRef, path: &ArtifactPath) -> Result<String> {
        let container = self.container(run).await?;
        let prefix = PrefixContentInfo::id(&container, path.as_str());
        // The service would take a name without a file, and nobody could download it.
        if !self.contents(&prefix).await?.iter().any(|it| is_within(&prefix, &it.id)) {
            let reason = format!(
                "run {} has no artifact \"{path}\"; upload it first, or list the artifacts to see their paths",
                run.id
            );
            return Err(Error::explained("models.register", ErrorKind::NotFound, reason));
        }
        Ok(prefix)
    }

    /// Uploads a file or folder of this machine into a container of its own.
    async fn upload_model(&self, path: &Path) -> Result<String> {
        let (name, files) = model_files("models.register", path).await?;
        let now = self.endpoint.clock().now();
        let (year, month, day) = (now.year() % 100, u8::from(now.month()), now.day());
        let (hour, minute, second) = now.to_hms();
        let now = format!("{year:02}{month:02}{day:02}T{hour:02}{minute:02}{second:02}");
        let random = Uuid::new_v4().simple().to_string();
        let container = format!("{now}-{}", random.get(..8).unwrap_or_default());
        self.send_files(LOCAL, &container, files, &TransferOptions::default()).await?;
        Ok(format!("{LOCAL}/{container}/{name}"))
    }
}

/// Whether the file `id` is `prefix` or lies in it. To the service a prefix is
/// only the beginning of a text: `model.json` also begins `model.json.bak`.
fn is_within(prefix: &str, id: &str) -> bool {
    let rest = id.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
}

/// The path of the file `id` seen from the folder that holds `prefix`: a
/// registered folder keeps its own name.
fn relative(prefix: &str, id: &str) -> String {
    let parent = prefix.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
    id.strip_prefix(parent).unwrap_or(id).trim_start_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_and_a_file_loses_its_folders() {
        let cases = [
            ("E/c/outputs/model.pkl", "E/c/outputs/model.pkl", "model.pkl"),
            ("E/c/outputs/mdir", "E/c/outputs/mdir/sub/a", "mdir/sub/a"),
            ("E/c/outputs/mdir/", "E/c/outputs/mdir/a", "mdir/a"),
        ];
        for (prefix, id, expected) in cases {
            assert_eq!(relative(prefix, id), expected);
            assert!(is_within(prefix, id));
        }
        for id in ["E/c/outputs/mdir.bak", "E/c/outputs/mdir2/a", "E/c/outputs", ""] {
            assert!(!is_within("E/c/outputs/mdir", id), "{id}");
        }
    }
}
