//! Uploads the folder of a local script, and remembers what is up already.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use azml_blob::{BlobClient, BlobUrl, UploadOptions};
use azml_core::{Endpoint, Error, ErrorKind, FileSource};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tracing::debug;
use uuid::Uuid;

use super::ops;
use crate::{
    Result, plan,
    snapshot::{Snapshot, SnapshotFile},
};

/// How many files go up at a time.
const AT_A_TIME: usize = 4;
pub(super) const NAME: &str = "content.snapshots.upload";

/// What has been uploaded: the latest snapshot of each folder, by this client or, with
/// a folder to keep it in, by an earlier one.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownSnapshots {
    memory: Arc<Mutex<HashMap<PathBuf, Known>>>,
    kept_in: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    id: String,
    tree_hash: String,
    /// Hash of each file, by its path below the folder.
    files: BTreeMap<String, String>,
    /// Whether this client has made it, so that it is certainly there.
    #[serde(skip)]
    is_own: bool,
}

impl KnownSnapshots {
    pub(super) fn kept_in(folder: PathBuf) -> Self {
        Self { memory: Arc::default(), kept_in: Some(folder) }
    }

    fn of(&self, workspace: &str, folder: &Path) -> Option<Known> {
        let known = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(folder) {
            return Some(known.clone());
        }
        // What cannot be read is as good as nothing: all files go up again.
        let text = fs::read_to_string(self.file(workspace, folder)?).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn remember(&self, workspace: &str, folder: &Path, id: &str, snapshot: &Snapshot) {
        let tree_hash = snapshot.tree.hash.clone();
        let files = snapshot.hashes();
        let known = Known { id: id.to_owned(), tree_hash, files, is_own: true };
        if let Some(file) = self.file(workspace, folder)
            && let Err(err) = keep(&file, &known)
        {
            debug!(file = %file.display(), %err, "the snapshot is not remembered");
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.insert(folder.to_owned(), known);
    }

    fn file(&self, workspace: &str, folder: &Path) -> Option<PathBuf> {
        let folder = folder.canonicalize().ok()?;
        let key = plan::sha256(&format!("{workspace} {}", folder.display()));
        Some(self.kept_in.as_ref()?.join(format!("{key}.json")))
    }
}

/// Written whole or not at all.
fn keep(file: &Path, known: &Known) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = file.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    fs::write(&new, serde_json::to_vec(known)?)?;
    fs::rename(&new, file)
}

/// Where to upload to.
pub(super) struct Uploads<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) workspace: &'a str,
    pub(super) known: &'a KnownSnapshots,
}

impl Uploads<'_> {
    /// Uploads the files that have changed since the latest snapshot of `folder`, and
    /// returns the id of a snapshot with all files.
    pub(super) async fn upload(&self, folder: &Path, snapshot: &Snapshot) -> Result<String> {
        let known = self.known.of(self.workspace, folder);
        if let Some(known) = &known
            && known.is_own
            && known.tree_hash == snapshot.tree.hash
        {
            return Ok(known.id.clone());
        }
        let id = match self.send(snapshot, known.as_ref()).await {
            // The service has forgotten the parent.
            Err(err) if known.is_some() && is_refusal(err.kind()) => {
                self.send(snapshot, None).await?
            }
            sent => sent?,
        };
        self.known.remember(self.workspace, folder, &id, snapshot);
        Ok(id)
    }

    async fn send(&self, snapshot: &Snapshot, parent: Option<&Known>) -> Result<String> {
        let Self { endpoint, workspace, .. } = *self;
        let changed: Vec<_> = snapshot.changed(parent.map(|it| &it.files)).collect();
        let files = if changed.is_empty() { Vec::new() } else { self.put_all(&changed).await? };
        let id = Uuid::new_v4().to_string();
        let create = ops::CreateSnapshot {
            workspace,
            id: &id,
            parent: parent.map(|it| it.id.as_str()),
            tree: &snapshot.tree,
            files: files
                .iter()
                .map(|(file, uri)| (file.name.as_str(), &**uri, file.size))
                .collect(),
        };
        endpoint.call(&create).await?;
        Ok(id)
    }

    async fn put_all<'a>(
        &self,
        files: &[&'a SnapshotFile],
    ) -> Result<Vec<(&'a SnapshotFile, String)>> {
        let names: Vec<_> = files.iter().map(|it| it.name.as_str()).collect();
        let places = ops::GetBlobs { workspace: self.workspace, names };
        let nodes = self.endpoint.call(&places).await?;
        let mut uris: HashMap<_, _> =
            nodes.into_iter().map(|it| (it.full_name, it.blob_uri)).collect();
        let mut addressed = Vec::with_capacity(files.len());
        for &file in files {
            let Some(uri) = uris.remove(&file.name) else {
                let reason = format!("the service gave no place for {}", file.name);
                return Err(Error::explained(NAME, ErrorKind::Decode, reason).into());
            };
            addressed.push((file, uri));
        }
        let blobs = BlobClient::from_endpoint(self.endpoint.without_credential());
        let uploads: Vec<_> = addressed.iter().map(|(file, uri)| put(&blobs, file, uri)).collect();
        stream::iter(uploads).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
        Ok(addressed)
    }
}

fn is_refusal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::InvalidArgument | ErrorKind::Conflict)
}

async fn put(blobs: &BlobClient, file: &SnapshotFile, uri: &str) -> Result<()> {
    let local = |reason: String| Error::explained(NAME, ErrorKind::InvalidArgument, reason);
    let url: BlobUrl = uri
        .parse()
        .map_err(|err| local(format!("the place for {} is unusable: {err}", file.name)))?;
    let source = FileSource::open(&file.path)
        .await
        .map_err(|err| local(format!("cannot read {}: {err}", file.path.display())))?;
    blobs.put(&url, Arc::new(source), UploadOptions::default()).await?;
    Ok(())
}
