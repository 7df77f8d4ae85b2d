use std::sync::Arc;

use async_trait::async_trait;
use azml_core::{BodySource, Endpoint, Error, ErrorKind, Result};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream, stream::BoxStream};

use super::{Dbfs, DbfsHandle, DbfsPath, FileInfo, MAX_BLOCK_SIZE, ops};
use crate::wire::stream_list;

const UPLOAD: &str = "databricks.dbfs.upload";
const READ: &str = "databricks.dbfs.read";
/// How many blocks are read at the same time.
const PARALLEL: usize = 4;

/// Talks to the DBFS API of one Databricks workspace.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use azml_core::FileSource;
/// use azml_databricks::{Databricks, dbfs::DbfsPath};
/// use futures_util::TryStreamExt;
///
/// # async fn demo(databricks: &Databricks) -> Result<(), Box<dyn std::error::Error>> {
/// let dbfs = databricks.dbfs();
/// let path: DbfsPath = "dbfs:/FileStore/large.bin".parse()?;
/// dbfs.upload(&path, Arc::new(FileSource::open("large.bin").await?)).await?;
///
/// let mut blocks = dbfs.download(&path);
/// while let Some(block) = blocks.try_next().await? {
///     println!("{} bytes", block.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DbfsClient {
    endpoint: Endpoint,
}

impl DbfsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Writes a file of any size and replaces one that is there: as a whole when it
    /// is small, else block by block, of which one is in memory at a time.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) when the source cannot be read. What was
    /// written until then is removed.
    pub async fn upload(&self, path: &DbfsPath, source: Arc<dyn BodySource>) -> Result<()> {
        if source.len() <= MAX_BLOCK_SIZE {
            let contents = read(&*source, 0, source.len()).await?;
            return self.put(path, contents, true).await;
        }
        let handle = self.create(path, true).await?;
        let result = self.add_blocks(handle, &*source).await;
        if result.is_err() {
            // The error above says more than what could go wrong here.
            let _ = self.close(handle).await;
            let _ = self.delete(path, false).await;
        }
        result
    }

    async fn add_blocks(&self, handle: DbfsHandle, source: &dyn BodySource) -> Result<()> {
        let mut offset = 0;
        while offset < source.len() {
            let end = source.len().min(offset + MAX_BLOCK_SIZE);
            self.add_block(handle, read(source, offset, end).await?).await?;
            offset = end;
        }
        self.close(handle).await
    }

    /// Reads a file of any size, block after block in order, of which a few are in
    /// memory. A block that breaks off is asked for again.
    ///
    /// The stream ends in [`PreconditionFailed`](ErrorKind::PreconditionFailed) when
    /// the file becomes shorter meanwhile.
    pub fn download(&self, path: &DbfsPath) -> BoxStream<'static, Result<Bytes>> {
        self.download_from(path, 0)
    }

    /// As [`download`](Self::download), from `offset` on: goes on with what came to
    /// an end early. Is empty at the end of the file.
    pub fn download_from(&self, path: &DbfsPath, offset: u64) -> BoxStream<'static, Result<Bytes>> {
        let (client, path) = (self.clone(), path.clone());
        stream::once(async move {
            let len = client.get_status(&path).await?.len;
            let step = usize::try_from(MAX_BLOCK_SIZE).unwrap_or(usize::MAX);
            let blocks = stream::iter((offset..len).step_by(step)).map(move |start| {
                let (client, path) = (client.clone(), path.clone());
                async move { client.block(&path, start, len.min(start + MAX_BLOCK_SIZE)).await }
            });
            Ok(blocks.buffered(PARALLEL))
        })
        .try_flatten()
        .boxed()
    }

    /// A block that has to be there as a whole.
    async fn block(&self, path: &DbfsPath, start: u64, end: u64) -> Result<Bytes> {
        let block = Dbfs::read(self, path, start, end - start).await?;
        if block.len() as u64 != end - start {
            let reason = format!("{path} became shorter while it was read; read it again");
            return Err(Error::explained(READ, ErrorKind::PreconditionFailed, reason));
        }
        Ok(block)
    }

    /// Reads a whole file into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such file.
    pub async fn read_all(&self, path: &DbfsPath) -> Result<Bytes> {
        let mut blocks = self.download(path);
        let mut contents = BytesMut::new();
        while let Some(block) = blocks.try_next().await? {
            contents.extend_from_slice(&block);
        }
        Ok(contents.freeze())
    }

    /// Whether there is a file or folder.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot tell.
    pub async fn exists(&self, path: &DbfsPath) -> Result<bool> {
        match self.get_status(path).await {
            Ok(_) => Ok(true),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
            Err(err) => Err(err),
        }
    }
}

async fn read(source: &dyn BodySource, start: u64, end: u64) -> Result<Bytes> {
    let data = source.read(start..end).await;
    data.map_err(|err| Error::local(UPLOAD, ErrorKind::Other, err))
}

#[async_trait]
impl Dbfs for DbfsClient {
    async fn put(&self, path: &DbfsPath, contents: Bytes, overwrite: bool) -> Result<()> {
        self.endpoint.call(&ops::Put { path, contents, overwrite }).await
    }

    async fn create(&self, path: &DbfsPath, overwrite: bool) -> Result<DbfsHandle> {
        self.endpoint.call(&ops::Create { path, overwrite }).await
    }

    async fn add_block(&self, handle: DbfsHandle, data: Bytes) -> Result<()> {
        self.endpoint.call(&ops::AddBlock(handle, data)).await
    }

    async fn close(&self, handle: DbfsHandle) -> Result<()> {
        self.endpoint.call(&ops::Close(handle)).await
    }

    async fn read(&self, path: &DbfsPath, offset: u64, len: u64) -> Result<Bytes> {
        self.endpoint.call(&ops::Read { path, offset, len }).await
    }

    async fn get_status(&self, path: &DbfsPath) -> Result<FileInfo> {
        self.endpoint.call(&ops::GetStatus(path)).await
    }

    fn list(&self, path: &DbfsPath) -> BoxStream<'static, Result<FileInfo>> {
        let (endpoint, path) = (self.endpoint.clone(), path.clone());
        stream_list(async move { endpoint.call(&ops::List(&path)).await })
    }

    async fn mkdirs(&self, path: &DbfsPath) -> Result<()> {
        self.endpoint.call(&ops::Mkdirs(path)).await
    }

    async fn delete(&self, path: &DbfsPath, recursive: bool) -> Result<()> {
        // Each repeat has less to do, so that this comes to an end.
        while let ops::Deleted::Partly(pause) =
            self.endpoint.call(&ops::Delete { path, recursive }).await?
        {
            self.endpoint.clock().sleep(pause).await;
        }
        Ok(())
    }

    async fn rename(&self, from: &DbfsPath, to: &DbfsPath) -> Result<()> {
        self.endpoint.call(&ops::Move { from, to }).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::{Databricks, testing::Scripted};

    fn path() -> DbfsPath {
        "dbfs:/a".parse().unwrap()
    }

    #[tokio::test]
    async fn a_small_file_goes_at_once_and_a_large_one_in_blocks() {
        let script = Scripted::new([(200, r#"{"handle":7}"#)]);
        let dbfs = Databricks::new("https://adb-1.test", script.clone()).dbfs();
        dbfs.upload(&path(), Arc::new(Bytes::from(vec![1; 1024 * 1024]))).await.unwrap();
        dbfs.upload(&path(), Arc::new(Bytes::from(vec![1; 2 * 1024 * 1024 + 1]))).await.unwrap();
        let expected = ["put", "create", "add-block", "add-block", "add-block", "close"];
        assert_eq!(script.paths(), expected.map(|it| format!("/api/2.0/dbfs/{it}")));
    }

    #[tokio::test]
    async fn a_broken_upload_leaves_no_file() {
        let script = Scripted::new([(200, r#"{"handle":7}"#), (0, ""), (200, "{}")]);
        let dbfs = Databricks::new("https://adb-1.test", script.clone()).dbfs();
        let source = Arc::new(Bytes::from(vec![1; 2 * 1024 * 1024]));
        let err = dbfs.upload(&path(), source).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        let expected = ["create", "add-block", "close", "delete"];
        assert_eq!(script.paths(), expected.map(|it| format!("/api/2.0/dbfs/{it}")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_goes_in_parts_is_deleted_to_the_end() {
        let part =
            r#"{"error_code":"PARTIAL_DELETE","message":"deleted 100 files, more are left"}"#;
        let parts = (0..20).map(|_| (503, part)).chain([(200, "{}")]);
        let script = Scripted::new(parts);
        let dbfs = Databricks::new("https://adb-1.test", script.clone()).dbfs();
        let start = Instant::now();
        dbfs.delete(&path(), true).await.unwrap();
        assert_eq!((script.paths().len(), start.elapsed().as_secs()), (21, 20));
    }

    #[tokio::test]
    async fn an_empty_folder_lists_as_nothing() {
        let dbfs = Databricks::new("https://adb-1.test", Scripted::new([(200, "{}")])).dbfs();
        let found: Vec<FileInfo> = dbfs.list(&path()).try_collect().await.unwrap();
        assert_eq!(found, []);
    }
}
