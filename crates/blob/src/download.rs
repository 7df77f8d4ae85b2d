use std::{
    io,
    path::{Path, PathBuf},
};

use azml_core::{Error, ErrorKind, Operation, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};
use uuid::Uuid;

use crate::{BlobClient, BlobProperties, BlobUrl, DownloadOptions, ops};

const NAME: &str = ops::Get::NAME;

impl BlobClient {
    /// Writes a blob into the file `path`, in parts, several at a time.
    ///
    /// The file appears when it is complete and its hash is right; folders on the
    /// way to it are made.
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
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await.map_err(|err| about(parent, &err))?;
        }
        let partial = partial(path);
        let result = match self.fill(url, &properties, &partial, &options).await {
            Ok(()) => fs::rename(&partial, path).await.map_err(|err| about(path, &err)),
            Err(err) => Err(err),
        };
        if result.is_err() {
            // What matters is the error above.
            let _ = fs::remove_file(&partial).await;
        }
        result.map(|()| properties)
    }

    async fn fill(
        &self,
        url: &BlobUrl,
        properties: &BlobProperties,
        partial: &Path,
        options: &DownloadOptions,
    ) -> Result<()> {
        let (total, size) = (properties.len, options.part_size);
        let mut file = File::create(partial).await.map_err(|err| about(partial, &err))?;
        let endpoint = self.endpoint(url);
        let (endpoint, etag) = (&endpoint, properties.etag.as_deref());
        // Parts come in any order and are written in theirs.
        let mut parts = stream::iter((0..total.div_ceil(size)).map(|index| {
            let range = index * size..total.min((index + 1) * size);
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
        let (mut hash, mut received) = (Md5::new(), 0);
        while let Some(part) = parts.try_next().await? {
            hash.update(&part);
            file.write_all(&part).await.map_err(|err| about(partial, &err))?;
            received += part.len() as u64;
            options.report(received, total);
        }
        file.flush().await.map_err(|err| about(partial, &err))?;
        let hash: [u8; 16] = hash.finalize().into();
        match properties.content_md5 {
            Some(expected) if expected != hash => {
                let reason = "the bytes do not fit the MD5 that is stored with them";
                Err(Error::explained(NAME, ErrorKind::Decode, reason))
            }
            _ => Ok(()),
        }
    }
}

/// A name beside `path` that no other download uses.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", Uuid::new_v4().simple()))
}

fn about(path: &Path, err: &io::Error) -> Error {
    Error::explained(NAME, ErrorKind::Other, format!("{}: {err}", path.display()))
}
