//! DBFS: the Databricks file system.
//!
//! Files of any size go up and come down in blocks of 1 MiB, in bounded memory: see
//! [`DbfsClient::upload`] and [`DbfsClient::download`].

mod client;
mod ops;
mod path;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, int_id};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

pub use self::{
    client::DbfsClient,
    path::{DbfsPath, ParseDbfsPathError},
};
use crate::wire::unsupported;

/// The most bytes that one call carries either way.
pub const MAX_BLOCK_SIZE: u64 = 1024 * 1024;

int_id! {
    /// Identifies a file that is being written. Valid for ten idle minutes.
    DbfsHandle
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Where it is.
    pub path: DbfsPath,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// The number of bytes. 0 for a folder.
    pub len: u64,
    /// When it was last written.
    pub modified_at: Option<OffsetDateTime>,
}

/// The file system of one Databricks workspace.
///
/// Implemented by [`DbfsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Dbfs>` is the type to store.
#[async_trait]
pub trait Dbfs: fmt::Debug + Send + Sync {
    /// Writes a file of at most [`MAX_BLOCK_SIZE`]. Makes the folders on the way.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when the file exists and
    /// `overwrite` is false.
    async fn put(&self, path: &DbfsPath, contents: Bytes, overwrite: bool) -> Result<()>;

    /// Begins to write a file block by block.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when the file exists and
    /// `overwrite` is false.
    async fn create(&self, path: &DbfsPath, overwrite: bool) -> Result<DbfsHandle>;

    /// Appends at most [`MAX_BLOCK_SIZE`]. Not repeated after a lost response: the
    /// block could be there twice.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the handle is no longer valid.
    async fn add_block(&self, handle: DbfsHandle, data: Bytes) -> Result<()>;

    /// Ends writing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the handle is no longer valid.
    async fn close(&self, handle: DbfsHandle) -> Result<()>;

    /// Reads at most `len` bytes from `offset` on, and at most [`MAX_BLOCK_SIZE`].
    /// Empty at the end of the file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such file.
    async fn read(&self, path: &DbfsPath, offset: u64, len: u64) -> Result<Bytes>;

    /// Describes a file or folder.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn get_status(&self, path: &DbfsPath) -> Result<FileInfo>;

    /// Lists what is in a folder, not what is in the folders in it.
    fn list(&self, path: &DbfsPath) -> BoxStream<'static, Result<FileInfo>>;

    /// Makes a folder and those on the way to it. Does nothing if it is there.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when a file is in the way.
    async fn mkdirs(&self, path: &DbfsPath) -> Result<()>;

    /// Removes a file or folder; one that is not empty only if `recursive`. Does
    /// nothing if it is not there. A large folder goes in parts, of which each is a
    /// call.
    ///
    /// # Errors
    ///
    /// Fails for a folder that is not empty, unless `recursive`.
    async fn delete(&self, path: &DbfsPath, recursive: bool) -> Result<()>;

    /// Moves a file or folder to where nothing is.
    ///
    /// Not repeated after a lost response: it would no longer find what it moved.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no `from`,
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when something is at `to`.
    async fn rename(&self, from: &DbfsPath, to: &DbfsPath) -> Result<()> {
        let _ = (from, to);
        Err(unsupported("databricks.dbfs.move"))
    }
}

const _: fn(&dyn Dbfs) = |_| ();
