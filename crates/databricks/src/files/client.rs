use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use azml_core::{BodySource, Endpoint, Error, ErrorKind, Result, stream_pages};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use time::OffsetDateTime;

use super::{DirectoryEntry, FileMetadata, FilePart, FilePath, Files, ops};

const DOWNLOAD: &str = "databricks.files.download";
/// What one call brings.
const BLOCK: u64 = 4 * 1024 * 1024;
/// How many calls are under way at the same time.
const PARALLEL: usize = 4;

/// Talks to the Files API of one Databricks workspace.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use azml_core::FileSource;
/// use azml_databricks::{
///     Databricks,
///     files::{FilePath, Files},
/// };
/// use futures_util::TryStreamExt;
///
/// # async fn demo(databricks: &Databricks) -> Result<(), Box<dyn std::error::Error>> {
/// let files = databricks.files();
/// let path: FilePath = "/Volumes/main/default/wine/red.csv".parse()?;
/// files.upload(&path, Arc::new(FileSource::open("red.csv").await?), true).await?;
///
/// let mut parts = files.download(&path);
/// while let Some(part) = parts.try_next().await? {
///     println!("{} bytes", part.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FilesClient {
    endpoint: Endpoint,
}

impl FilesClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Reads a file of any size, part after part, of which at most 16 MiB are in
    /// memory. A part that breaks off is asked for again.
    ///
    /// The stream ends in [`PreconditionFailed`](ErrorKind::PreconditionFailed) when
    /// the file is written meanwhile.
    pub fn download(&self, path: &FilePath) -> BoxStream<'static, Result<Bytes>> {
        self.download_from(path, 0)
    }

    /// As [`download`](Self::download), from `offset` on: goes on with what came to
    /// an end early. Is empty at the end of the file.
    pub fn download_from(&self, path: &FilePath, offset: u64) -> BoxStream<'static, Result<Bytes>> {
        let (client, path) = (self.clone(), path.clone());
        stream::once(async move {
            let first = client.read(&path, offset..offset.saturating_add(BLOCK), None).await?;
            let FileMetadata { len, modified_at } = first.file;
            let starts = (offset + first.bytes.len() as u64..len)
                .step_by(usize::try_from(BLOCK).unwrap_or(usize::MAX));
            let rest = stream::iter(starts).map(move |start| {
                let (client, path) = (client.clone(), path.clone());
                async move { client.block(&path, start..len.min(start + BLOCK), modified_at).await }
            });
            // An empty part would only be in the way.
            let first = stream::iter((!first.bytes.is_empty()).then_some(Ok(first.bytes)));
            Ok(first.chain(rest.buffered(PARALLEL)))
        })
        .try_flatten()
        .boxed()
    }

    /// A part that has to be there as a whole.
    async fn block(
        &self,
        path: &FilePath,
        range: Range<u64>,
        unmodified_since: Option<OffsetDateTime>,
    ) -> Result<Bytes> {
        let part = self.read(path, range.clone(), unmodified_since).await?;
        if part.bytes.len() as u64 != range.end - range.start {
            let reason = format!("{path} became shorter while it was read; read it again");
            return Err(Error::explained(DOWNLOAD, ErrorKind::PreconditionFailed, reason));
        }
        Ok(part.bytes)
    }

    /// Reads a whole file into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such file.
    pub async fn read_all(&self, path: &FilePath) -> Result<Bytes> {
        let mut parts = self.download(path);
        let Some(first) = parts.try_next().await? else { return Ok(Bytes::new()) };
        let Some(second) = parts.try_next().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        whole.extend_from_slice(&second);
        while let Some(part) = parts.try_next().await? {
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }
}

#[async_trait]
impl Files for FilesClient {
    async fn upload(
        &self,
        path: &FilePath,
        source: Arc<dyn BodySource>,
        overwrite: bool,
    ) -> Result<()> {
        self.endpoint.call(&ops::Upload { path, source, overwrite }).await
    }

    async fn read(
        &self,
        path: &FilePath,
        range: Range<u64>,
        unmodified_since: Option<OffsetDateTime>,
    ) -> Result<FilePart> {
        self.endpoint.call(&ops::Download { path, range, unmodified_since }).await
    }

    async fn get_metadata(&self, path: &FilePath) -> Result<FileMetadata> {
        self.endpoint.call(&ops::GetMetadata(path)).await
    }

    async fn delete(&self, path: &FilePath) -> Result<()> {
        self.endpoint.call(&ops::Delete(path)).await
    }

    async fn create_directory(&self, path: &FilePath) -> Result<()> {
        self.endpoint.call(&ops::CreateDirectory(path)).await
    }

    async fn directory_exists(&self, path: &FilePath) -> Result<bool> {
        self.endpoint.call(&ops::GetDirectoryMetadata(path)).await
    }

    async fn delete_directory(&self, path: &FilePath) -> Result<()> {
        self.endpoint.call(&ops::DeleteDirectory(path)).await
    }

    fn list_directory(&self, path: &FilePath) -> BoxStream<'static, Result<DirectoryEntry>> {
        let (endpoint, path) = (self.endpoint.clone(), path.clone());
        stream_pages(move |token| {
            let (endpoint, path) = (endpoint.clone(), path.clone());
            async move { endpoint.call(&ops::List { path: &path, token }).await }
        })
    }
}
