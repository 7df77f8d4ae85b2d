//! Libraries: packages on clusters.

mod client;
mod ops;
pub(crate) mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::Result;

pub use self::client::LibrariesClient;
use crate::{clusters::ClusterId, wire::unsupported};

/// A package and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// From a Python package index.
    Pypi {
        /// The package, perhaps with a version: `numpy==2.1.0`.
        package: String,
        /// Another index than the usual one.
        repo: Option<String>,
    },
    /// From a Maven repository.
    Maven {
        /// `group:artifact:version`.
        coordinates: String,
        /// Dependencies to leave out, as `group:artifact`.
        exclusions: Vec<String>,
        /// Another repository than the usual ones.
        repo: Option<String>,
    },
    /// From an R archive.
    Cran {
        /// The package.
        package: String,
        /// Another archive than the usual one.
        repo: Option<String>,
    },
    /// A JAR file, for example `dbfs:/jars/a.jar`.
    Jar(String),
    /// A Python egg. New runtimes no longer take it.
    Egg(String),
    /// A Python wheel, for example `dbfs:/wheels/a-1-py3-none-any.whl`.
    Whl(String),
    /// A `requirements.txt` file.
    Requirements(String),
}

impl Library {
    /// A package of the usual Python index.
    pub fn pypi(package: impl Into<String>) -> Self {
        Self::Pypi { package: package.into(), repo: None }
    }

    /// A package of the usual Maven repositories.
    pub fn maven(coordinates: impl Into<String>) -> Self {
        Self::Maven { coordinates: coordinates.into(), exclusions: Vec::new(), repo: None }
    }

    /// A package of the usual R archive.
    pub fn cran(package: impl Into<String>) -> Self {
        Self::Cran { package: package.into(), repo: None }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pypi { package, .. } | Self::Cran { package, .. } => package,
            Self::Maven { coordinates, .. } => coordinates,
            Self::Jar(path) | Self::Egg(path) | Self::Whl(path) | Self::Requirements(path) => path,
        })
    }
}

word_enum! {
    /// How far the installation of a library is.
    LibraryState {
        /// Not begun.
        Pending = "PENDING",
        /// Its dependencies are being looked up.
        Resolving = "RESOLVING",
        /// Being installed.
        Installing = "INSTALLING",
        /// Ready for use.
        Installed = "INSTALLED",
        /// Left out, because the runtime cannot take it.
        Skipped = "SKIPPED",
        /// Not installed; the messages say why.
        Failed = "FAILED",
        /// Goes away when the cluster restarts.
        UninstallOnRestart = "UNINSTALL_ON_RESTART",
        /// Taken from an earlier life of the cluster.
        Restored = "RESTORED",
    }
}

/// A library of a cluster, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibraryStatus {
    /// The library.
    pub library: Library,
    /// How far it is.
    pub state: LibraryState,
    /// What the installation said, for people.
    pub messages: Vec<String>,
    /// Whether every cluster of the workspace gets it.
    pub is_for_all_clusters: bool,
}

/// The libraries of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterLibraries {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Its libraries, and how far each is.
    pub libraries: Vec<LibraryStatus>,
}

/// The libraries of the clusters of one Databricks workspace.
///
/// Implemented by [`LibrariesClient`]. What a fake leaves out answers with an error.
#[async_trait]
pub trait Libraries: fmt::Debug + Send + Sync {
    /// Starts installing libraries and returns without waiting for them.
    ///
    /// # Errors
    ///
    /// Fails when no such cluster exists or a library has a wrong shape.
    async fn install(&self, cluster_id: &ClusterId, libraries: &[Library]) -> Result<()>;

    /// Describes the libraries of a cluster.
    ///
    /// # Errors
    ///
    /// Fails when no such cluster exists.
    async fn cluster_status(&self, cluster_id: &ClusterId) -> Result<Vec<LibraryStatus>>;

    /// Takes libraries away at the next restart of the cluster.
    ///
    /// # Errors
    ///
    /// Fails when no such cluster exists.
    async fn uninstall(&self, cluster_id: &ClusterId, libraries: &[Library]) -> Result<()> {
        let _ = (cluster_id, libraries);
        Err(unsupported("databricks.libraries.uninstall"))
    }

    /// Describes the libraries of all clusters that have any.
    ///
    /// # Errors
    ///
    /// Fails when the service cannot tell.
    async fn all_cluster_statuses(&self) -> Result<Vec<ClusterLibraries>> {
        Err(unsupported("databricks.libraries.all_cluster_statuses"))
    }
}

const _: fn(&dyn Libraries) = |_| ();
