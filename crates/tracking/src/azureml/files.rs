//! Moves the bytes of artifacts and models between blobs and this machine.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use azml_blob::{BlobUrl, DownloadOptions, UploadOptions};
use azml_core::{Error, ErrorKind, Result};
use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt, future::BoxFuture, stream};

use crate::{
    ArtifactPath, AzureMlTracking, TransferOptions, Upload, azureml::artifact::Announce,
    transfer::Meter,
};

/// Bytes of a part. Always the same, so that a part that has arrived is known again.
const PART: u64 = 4 * 1024 * 1024;
/// The most parts that a blob may have.
const MOST_PARTS: u64 = 50_000;
/// Files that are announced at once.
const MOST_FILES: usize = 100;

/// A file, and the address that the service handed out for its bytes.
#[derive(Debug)]
pub(super) struct Content {
    /// Origin, container and path: what the service calls the file.
    pub(super) id: String,
    /// Where it is within its container.
    pub(super) path: String,
    pub(super) url: BlobUrl,
}

/// Reads an address, without repeating it in the error: it holds a signature.
pub(super) fn blob_url(operation: &'static str, text: &str) -> Result<BlobUrl> {
    text.parse().map_err(|err| Error::local(operation, ErrorKind::Decode, err))
}

impl AzureMlTracking {
    /// Uploads files into a container of the artifact service.
    pub(super) async fn send_files(
        &self,
        origin: &str,
        container: &str,
        files: Vec<Upload>,
        options: &TransferOptions,
    ) -> Result<()> {
        let sizes = files.iter().map(|it| (it.path.to_string(), Some(it.body.len())));
        let meter = Meter::new(options, sizes);
        let (files_at_once, parts_at_once) = options.split(files.len());
        for (number, chunk) in files.chunks(MOST_FILES).enumerate() {
            let paths: Vec<&ArtifactPath> = chunk.iter().map(|it| &it.path).collect();
            let (workspace, paths) = (&*self.workspace, &paths[..]);
            let urls =
                self.endpoint.call(&Announce { workspace, origin, container, paths }).await?;
            let mut puts: Vec<BoxFuture<'static, Result<()>>> = Vec::with_capacity(chunk.len());
            for ((file, url), index) in chunk.iter().zip(urls).zip(number * MOST_FILES..) {
                let (blobs, meter, body) =
                    (self.blobs.clone(), meter.clone(), Arc::clone(&file.body));
                let options = UploadOptions::default()
                    .with_block_size(PART.max(body.len().div_ceil(MOST_PARTS)))
                    .with_parallel(parts_at_once)
                    .with_skip_same(true)
                    .with_progress(move |done, total| meter.report(index, done, total));
                puts.push(async move { blobs.put(&url, body, options).await.map(drop) }.boxed());
            }
            stream::iter(puts).buffer_unordered(files_at_once).try_collect::<()>().await?;
        }
        Ok(())
    }

    /// Downloads each file below `folder`, at the path that `name` gives it.
    pub(super) async fn save(
        &self,
        contents: Vec<Content>,
        folder: &Path,
        options: &TransferOptions,
        name: impl Fn(&Content) -> String,
    ) -> Result<Vec<PathBuf>> {
        let mut taken = BTreeSet::new();
        let mut places = Vec::with_capacity(contents.len());
        for content in &contents {
            // The service names the files: none of them may lead out of the folder.
            let path = ArtifactPath::parse(&name(content))?;
            if !taken.insert(path.clone()) {
                let reason = format!("{path}: two files of the service would become one");
                return Err(Error::explained("artifact.download", ErrorKind::Decode, reason));
            }
            places.push(path.below(folder));
        }
        let meter = Meter::new(options, contents.iter().map(|it| (it.path.clone(), None)));
        let (files_at_once, parts_at_once) = options.split(contents.len());
        let mut saves: Vec<BoxFuture<'static, Result<()>>> = Vec::with_capacity(contents.len());
        for (index, (content, place)) in contents.into_iter().zip(places.clone()).enumerate() {
            let (blobs, meter) = (self.blobs.clone(), meter.clone());
            let options = download(parts_at_once)
                .with_progress(move |done, total| meter.report(index, done, total));
            let save = async move { blobs.download_to(&content.url, place, options).await };
            saves.push(save.map_ok(drop).boxed());
        }
        stream::iter(saves).buffer_unordered(files_at_once).try_collect::<()>().await?;
        Ok(places)
    }
}

/// How one file is downloaded.
pub(super) fn download(parallel: usize) -> DownloadOptions {
    DownloadOptions::default().with_part_size(PART).with_parallel(parallel).with_resume(true)
}
