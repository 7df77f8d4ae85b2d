//! Uploads the folder of a local script.

use std::{collections::HashMap, sync::Arc};

use azml_blob::{BlobClient, BlobUrl, UploadOptions};
use azml_core::{Endpoint, Error, ErrorKind, FileSource};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;

use super::ops;
use crate::{
    Result,
    snapshot::{Snapshot, SnapshotFile},
};

/// How many files go up at a time.
const AT_A_TIME: usize = 4;
pub(super) const NAME: &str = "content.snapshots.upload";

/// Uploads all files and returns the id of the snapshot.
pub(super) async fn upload(
    endpoint: &Endpoint,
    workspace: &str,
    snapshot: &Snapshot,
) -> Result<String> {
    let names: Vec<_> = snapshot.files.iter().map(|it| it.name.as_str()).collect();
    let nodes = endpoint.call(&ops::GetBlobs { workspace, names }).await?;
    let uris: HashMap<_, _> = nodes.into_iter().map(|it| (it.full_name, it.blob_uri)).collect();
    let mut files = Vec::with_capacity(snapshot.files.len());
    for file in &snapshot.files {
        let Some(uri) = uris.get(&file.name) else {
            let reason = format!("the service gave no place for {}", file.name);
            return Err(Error::explained(NAME, ErrorKind::Decode, reason).into());
        };
        files.push((file, uri.as_str()));
    }
    let blobs = BlobClient::from_endpoint(endpoint.without_credential());
    let uploads: Vec<_> = files.iter().map(|(file, uri)| put(&blobs, file, uri)).collect();
    stream::iter(uploads).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    let id = Uuid::new_v4().to_string();
    let files = files.iter().map(|(file, uri)| (file.name.as_str(), *uri, file.size)).collect();
    let create = ops::CreateSnapshot { workspace, id: &id, tree: &snapshot.tree, files };
    endpoint.call(&create).await?;
    Ok(id)
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
