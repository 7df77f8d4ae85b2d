use std::sync::Arc;

use async_trait::async_trait;
use azml_core::{BodySource, Endpoint, Error, ErrorKind, Result};
use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;

use super::{Dbfs, DbfsHandle, DbfsPath, FileInfo, MAX_BLOCK_SIZE, ops};
use crate::wire::stream_list;

const UPLOAD: &str = "databricks.dbfs.upload";

/// Talks to the DBFS API of one Databricks workspace.
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

    /// Reads a whole file into memory.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such file.
    pub async fn read_all(&self, path: &DbfsPath) -> Result<Bytes> {
        let mut contents = BytesMut::new();
        loop {
            let part = self.read(path, contents.len() as u64, MAX_BLOCK_SIZE).await?;
            contents.extend_from_slice(&part);
            // A part that is not full is the last one.
            if (part.len() as u64) < MAX_BLOCK_SIZE {
                return Ok(contents.freeze());
            }
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
        self.endpoint.call(&ops::Delete { path, recursive }).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

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

    #[tokio::test]
    async fn an_empty_folder_lists_as_nothing() {
        let dbfs = Databricks::new("https://adb-1.test", Scripted::new([(200, "{}")])).dbfs();
        let found: Vec<FileInfo> = dbfs.list(&path()).try_collect().await.unwrap();
        assert_eq!(found, []);
    }
}
