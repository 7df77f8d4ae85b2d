use std::{io, path::Path};

use azml_core::{Error, ErrorKind, Operation, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::Context as Md5;
use tokio::fs::{self, File};

use crate::{
    BlobClient, BlobProperties, BlobUrl, DownloadOptions, ops,
    partial::{Partial, add_file},
};

const NAME: &str = ops::Get::NAME;

impl BlobClient {
    /// Writes a blob into the file `path`, in parts, several at a time.
    ///
    /// The file appears when it is complete and its hash is right; folders on the
    /// way to it are made. With [`resume`](DownloadOptions::resume), a file that
    /// is complete already stays, and one that broke off is gone on with, unless
    /// another download is at it: then both bring the whole.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such blob,
    /// [`PreconditionFailed`](ErrorKind::PreconditionFailed) when it was replaced
    /// meanwhile, [`Decode`](ErrorKind::Decode) when the bytes do not fit the
    /// hash, [`Other`](ErrorKind::Other) when the file cannot be written.
    pub async fn download_to(
        &self,
        url: &BlobUrl,
        path: impl AsRef<Path>,
        options: DownloadOptions,
    ) -> Result<BlobProperties> {
        let path = path.as_ref();
        let properties = self.head(url).await?;
        if options.resume && is_complete(path, &properties).await {
            options.report(properties.len, properties.len);
            return Ok(properties);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.map_err(|err| about(parent, &err))?;
        }
        let etag = properties.etag.as_deref().filter(|_| options.resume);
        let mut partial =
            Partial::open(path, etag, properties.len).await.map_err(|err| about(path, &err))?;
        let filled = self.fill(url, &properties, &mut partial, &options).await;
        // Also after a failure: what the file holds is what the next try goes on from.
        let flushed = partial.flush().await.map_err(|err| about(partial.path(), &err));
        match filled.and(flushed) {
            Ok(()) => partial.finish(path).await.map_err(|err| about(path, &err))?,
            Err(err) => {
                // What does not fit the hash or the version never will.
                if matches!(err.kind(), ErrorKind::Decode | ErrorKind::PreconditionFailed) {
                    partial.forget();
                }
                return Err(err);
            }
        }
        Ok(properties)
    }

    /// Gets what `partial` does not have yet, and checks the whole.
    async fn fill(
        &self,
        url: &BlobUrl,
        properties: &BlobProperties,
        partial: &mut Partial,
        options: &DownloadOptions,
    ) -> Result<()> {
        let (start, total, size) = (partial.len(), properties.len, options.part_size);
        let endpoint = self.endpoint(url);
        let (endpoint, etag) = (&endpoint, properties.etag.as_deref());
        // Parts come in any order and are written in theirs.
        let mut parts = stream::iter((0..(total - start).div_ceil(size)).map(|index| {
            let from = start + index * size;
            let range = from..total.min(from.saturating_add(size));
            async move {
                let wanted = range.end - range.start;
                let get = ops::Get { url, range: Some(range), etag };
                let (_, part) = endpoint.call(&get).await?;
                if part.len() as u64 == wanted {
                    return Ok(part);
                }
                let reason = format!("got {} bytes instead of {wanted}", part.len());
                Err(Error::explained(NAME, ErrorKind::Decode, reason))
            }
        }))
        .buffered(options.parallel);
        while let Some(part) = parts.try_next().await? {
            partial.add(&part).await.map_err(|err| about(partial.path(), &err))?;
            options.report(partial.len(), total);
        }
        match properties.content_md5 {
            Some(expected) if expected != partial.md5() => {
                let reason = "the bytes do not fit the MD5 that is stored with them";
                Err(Error::explained(NAME, ErrorKind::Decode, reason))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the file is the blob, by length and hash. Without a hash nobody knows.
async fn is_complete(path: &Path, properties: &BlobProperties) -> bool {
    let Some(expected) = properties.content_md5 else { return false };
    let Ok(mut file) = File::open(path).await else { return false };
    if !file.metadata().await.is_ok_and(|it| it.is_file() && it.len() == properties.len) {
        return false;
    }
    let mut hash = Md5::new();
    let is_read = add_file(&mut file, &mut hash).await.is_ok();
    is_read && hash.finalize().0 == expected
}

fn about(path: &Path, err: &io::Error) -> Error {
    Error::explained(NAME, ErrorKind::Other, format!("{}: {err}", path.display()))
}
