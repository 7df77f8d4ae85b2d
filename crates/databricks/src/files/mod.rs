//! Files: Unity Catalog volumes, by the Files API.
//!
//! Files of any size go up and come down in bounded memory: see
//! [`FilesClient::download`] and [`Files::upload`].

mod client;
mod ops;
mod path;
mod wire;

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use azml_core::{BodySource, Result};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

pub use self::{
    client::FilesClient,
    path::{FilePath, ParseFilePathError},
};

/// The largest file that one upload takes: 5 GiB.
pub const MAX_UPLOAD_SIZE: u64 = 5 * 1024 * 1024 * 1024;

/// What the service tells of a file without showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMetadata {
    /// The number of bytes.
    pub len: u64,
    /// When it was last written, to the second.
    pub modified_at: Option<OffsetDateTime>,
}

/// A part of a file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilePart {
    /// Its bytes: fewer than were asked for only at the end of the file.
    pub bytes: Bytes,
    /// The whole file.
    pub file: FileMetadata,
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("len", &self.bytes.len())
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectoryEntry {
    /// Where it is.
    pub path: FilePath,
    /// The last part of the path.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// The number of bytes. 0 for a folder.
    pub len: u64,
    /// When it was last written.
    pub modified_at: Option<OffsetDateTime>,
}

/// The files in the volumes of one Databricks workspace.
///
/// Implemented by [`FilesClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Files>` is the type to store.
#[async_trait]
pub trait Files: fmt::Debug + Send + Sync {
    /// Writes a file of at most [`MAX_UPLOAD_SIZE`] and makes the folders on the
    /// way. The source is read while it is sent, and read anew when the call is
    /// repeated.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when the file exists and
    /// `overwrite` is false, [`NotFound`](azml_core::ErrorKind::NotFound) when the
    /// volume does not exist.
    async fn upload(
        &self,
        path: &FilePath,
        source: Arc<dyn BodySource>,
        overwrite: bool,
    ) -> Result<()>;

    /// Reads the bytes of `range`, or as many of them as there are. Is empty
    /// beyond the end of the file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such file,
    /// [`PreconditionFailed`](azml_core::ErrorKind::PreconditionFailed) when it was
    /// written after `unmodified_since`.
    async fn read(
        &self,
        path: &FilePath,
        range: Range<u64>,
        unmodified_since: Option<OffsetDateTime>,
    ) -> Result<FilePart>;

    /// Describes a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none, or it is a
    /// folder.
    async fn get_metadata(&self, path: &FilePath) -> Result<FileMetadata>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn delete(&self, path: &FilePath) -> Result<()>;

    /// Makes a folder and those on the way to it. Does nothing if it is there.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when a file is in the way.
    async fn create_directory(&self, path: &FilePath) -> Result<()>;

    /// Whether there is a folder.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot tell.
    async fn directory_exists(&self, path: &FilePath) -> Result<bool>;

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when it is not empty,
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn delete_directory(&self, path: &FilePath) -> Result<()>;

    /// Lists what is in a folder, not what is in the folders in it.
    fn list_directory(&self, path: &FilePath) -> BoxStream<'static, Result<DirectoryEntry>>;
}

const _: fn(&dyn Files) = |_| ();
