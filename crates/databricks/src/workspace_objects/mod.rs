//! Workspace objects: notebooks, files and the folders they are in.
//!
//! [`WorkspaceObjectsClient::walk`] goes through a whole tree.

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
    client::WorkspaceObjectsClient,
    path::{ParseWorkspacePathError, WorkspacePath},
};

int_id! {
    /// Identifies a workspace object.
    ObjectId
}

word_enum! {
    /// What an object is.
    ObjectKind {
        /// A notebook.
        Notebook = "NOTEBOOK",
        /// A folder.
        Directory = "DIRECTORY",
        /// A library.
        Library = "LIBRARY",
        /// A file of another kind.
        File = "FILE",
        /// A Git folder.
        Repo = "REPO",
        /// A dashboard.
        Dashboard = "DASHBOARD",
    }
}

word_enum! {
    /// The language of a notebook.
    Language {
        /// Python.
        Python = "PYTHON",
        /// Scala.
        Scala = "SCALA",
        /// SQL.
        Sql = "SQL",
        /// R.
        R = "R",
    }
}

word_enum! {
    /// The form in which a notebook travels.
    ExportFormat {
        /// The code, cells parted by comments.
        Source = "SOURCE",
        /// A page with the results.
        Html = "HTML",
        /// `.ipynb`.
        Jupyter = "JUPYTER",
        /// An archive, also of a folder.
        Dbc = "DBC",
        /// R Markdown.
        RMarkdown = "R_MARKDOWN",
        /// Whatever fits the object.
        Auto = "AUTO",
        /// A file as it is, also where its name ends like that of a notebook.
        Raw = "RAW",
    }
}

/// How to import an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The form of the content.
    pub format: ExportFormat,
    /// The language, which the form `Source` needs.
    pub language: Option<Language>,
    /// Whether an object of that name may be replaced.
    pub overwrite: bool,
}

impl ImportOptions {
    /// A notebook in source form.
    pub fn source(language: Language) -> Self {
        Self { format: ExportFormat::Source, language: Some(language), overwrite: false }
    }

    /// A notebook in the form of Jupyter.
    pub fn jupyter() -> Self {
        Self::new(ExportFormat::Jupyter)
    }

    /// Content of any form. Folders come as `Dbc`.
    pub fn new(format: ExportFormat) -> Self {
        Self { format, language: None, overwrite: false }
    }

    /// A notebook or a file, as the content shows.
    pub fn auto() -> Self {
        Self::new(ExportFormat::Auto)
    }

    /// Allows or forbids to replace an object.
    #[must_use]
    pub fn with_overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }
}

/// An object as the service describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkspaceObject {
    /// Where it is.
    pub path: WorkspacePath,
    /// What it is.
    pub kind: ObjectKind,
    /// Its id.
    pub object_id: Option<ObjectId>,
    /// The language, if it is a notebook.
    pub language: Option<Language>,
    /// The number of bytes, if it is a file.
    pub len: Option<u64>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When it was last written.
    pub modified_at: Option<OffsetDateTime>,
}

/// The notebooks, files and folders of one Databricks workspace.
///
/// Implemented by [`WorkspaceObjectsClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn WorkspaceObjects>` is the type to store.
#[async_trait]
pub trait WorkspaceObjects: fmt::Debug + Send + Sync {
    /// Writes a notebook or file of at most 10 MiB. The folder must exist.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when it exists and must not be
    /// replaced.
    async fn import(
        &self,
        path: &WorkspacePath,
        content: Bytes,
        options: &ImportOptions,
    ) -> Result<()>;

    /// Reads a notebook or file in the form `format`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn export(&self, path: &WorkspacePath, format: &ExportFormat) -> Result<Bytes>;

    /// Describes an object.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn get_status(&self, path: &WorkspacePath) -> Result<WorkspaceObject>;

    /// Lists what is in a folder, not what is in the folders in it.
    fn list(&self, path: &WorkspacePath) -> BoxStream<'static, Result<WorkspaceObject>>;

    /// Makes a folder and those on the way to it. Does nothing if it is there.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when something else is in the way.
    async fn mkdirs(&self, path: &WorkspacePath) -> Result<()>;

    /// Removes an object; a folder that is not empty only if `recursive`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none,
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when a folder is not empty.
    async fn delete(&self, path: &WorkspacePath, recursive: bool) -> Result<()>;
}

const _: fn(&dyn WorkspaceObjects) = |_| ();
