use std::{
    io,
    path::{Path, PathBuf},
};

use azml_core::{Error, ErrorKind, Operation, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncWriteExt},
};
use uuid::Uuid;

use crate::{BlobClient, BlobProperties, BlobUrl, DownloadOptions, ops};

const NAME: &str = ops::Get::NAME;
/// How much of a file is read at once to hash it.
const CHUNK: usize = 1024 * 1024;

impl BlobClient {
    /// Writes a blob into the file `path`, in parts, several at a time.
    ///
    /// The file appears when it is complete and its hash is right; folders on the
    /// way to it are made. With [`resume`](DownloadOptions::resume), a file that
    /// is complete already stays, and one that broke off is gone on with.
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
        let partial = partial(path, etag);
        if let Some(etag) = etag {
            forget_other_versions(path, etag).await;
        }
        let result = match self.fill(url, &properties, &partial, &options).await {
            Ok(()) => fs::rename(&partial, path).await.map_err(|err| about(path, &err)),
            Err(err) => Err(err),
        };
        // What does not fit the hash or the version never will.
        let is_useless = |kind| matches!(kind, ErrorKind::Decode | ErrorKind::PreconditionFailed);
        if result.as_ref().is_err_and(|err| etag.is_none() || is_useless(err.kind())) {
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
        let mut hash = Md5::new();
        let (mut file, start) = begin(partial, properties.len, options.resume, &mut hash)
            .await
            .map_err(|err| about(partial, &err))?;
        let received = self.receive(url, properties, start, &mut file, &mut hash, options).await;
        // Also after a failure: what the file holds is what the next try goes on from.
        let flushed = file.flush().await.map_err(|err| about(partial, &err));
        received?;
        flushed?;
        let hash: [u8; 16] = hash.finalize().into();
        match properties.content_md5 {
            Some(expected) if expected != hash => {
                let reason = "the bytes do not fit the MD5 that is stored with them";
                Err(Error::explained(NAME, ErrorKind::Decode, reason))
            }
            _ => Ok(()),
        }
    }

    /// Appends what comes after the byte `start` to `file`.
    async fn receive(
        &self,
        url: &BlobUrl,
        properties: &BlobProperties,
        start: u64,
        file: &mut File,
        hash: &mut Md5,
        options: &DownloadOptions,
    ) -> Result<()> {
        let (total, size) = (properties.len, options.part_size);
        let endpoint = self.endpoint(url);
        let (endpoint, etag) = (&endpoint, properties.etag.as_deref());
        // Parts come in any order and are written in theirs.
        let mut parts = stream::iter((0..(total - start).div_ceil(size)).map(|index| {
            let from = start + index * size;
            let range = from..total.min(from + size);
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
        let mut received = start;
        while let Some(part) = parts.try_next().await? {
            hash.update(&part);
            file.write_all(&part)
                .await
                .map_err(|err| Error::explained(NAME, ErrorKind::Other, err.to_string()))?;
            received += part.len() as u64;
            options.report(received, total);
        }
        Ok(())
    }
}

/// Opens the partial file, and tells how many bytes of it are there already.
async fn begin(path: &Path, total: u64, resume: bool, hash: &mut Md5) -> io::Result<(File, u64)> {
    if resume && let Ok(mut file) = File::options().read(true).append(true).open(path).await {
        let len = file.metadata().await?.len();
        if len <= total {
            add_file(&mut file, hash).await?;
            return Ok((file, len));
        }
    }
    Ok((File::create(path).await?, 0))
}

async fn add_file(file: &mut File, hash: &mut Md5) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let len = file.read(&mut chunk).await?;
        if len == 0 {
            return Ok(());
        }
        hash.update(&chunk[..len]);
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
    is_read && <[u8; 16]>::from(hash.finalize()) == expected
}

/// A name beside `path`: that of one version of the blob, or one that no other
/// download uses.
fn partial(path: &Path, etag: Option<&str>) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(match etag {
        Some(etag) => format!(".{name}.{}.part", plain(etag)),
        None => format!(".{name}.{}.partial", Uuid::new_v4().simple()),
    })
}

/// The letters and digits of a version's mark.
fn plain(etag: &str) -> String {
    etag.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Removes what an earlier download of another version has left.
async fn forget_other_versions(path: &Path, etag: &str) {
    let Some(parent) = path.parent() else { return };
    let start = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let Ok(mut entries) = fs::read_dir(parent).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(&start).and_then(|it| it.strip_suffix(".part"));
        let is_other = |it: &str| {
            it != plain(etag) && !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric())
        };
        if version.is_some_and(is_other) {
            // One file too many harms nobody.
            let _ = fs::remove_file(entry.path()).await;
        }
    }
}

fn about(path: &Path, err: &io::Error) -> Error {
    Error::explained(NAME, ErrorKind::Other, format!("{}: {err}", path.display()))
}
