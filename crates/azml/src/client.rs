use std::path::{Path, PathBuf};

use azml_core::{Result, Session};
use azml_workspace::{DatabricksWorkspacesClient, DatastoresClient, Workspace, WorkspaceRef};

/// An open workspace and everything that belongs to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    workspace: Workspace,
    #[cfg(feature = "tracking")]
    tracking: azml_tracking::Tracking,
}

/// Says which workspace to open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The one that `config.json` at or above this path names.
    Config(PathBuf),
    /// The one of this name.
    Named(WorkspaceRef),
}

impl From<&str> for Place {
    fn from(path: &str) -> Self {
        Self::Config(path.into())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::Config(path.into())
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::Config(path)
    }
}

impl From<WorkspaceRef> for Place {
    fn from(workspace: WorkspaceRef) -> Self {
        Self::Named(workspace)
    }
}

impl Client {
    /// Opens a workspace as whoever this place makes one:
    /// [`DefaultCredential`](azml_auth::DefaultCredential), the cloud that the
    /// environment names, the built-in transport.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a variable
    /// that holds something else than it should.
    #[cfg(all(feature = "auth", feature = "reqwest"))]
    pub async fn from_env(place: impl Into<Place>) -> Result<Self> {
        use std::sync::Arc;

        use azml_auth::DefaultCredential;
        use azml_core::{Cloud, ReqwestTransport, Transport};

        let cloud = Cloud::from_env()?;
        let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new()?);
        let credential = DefaultCredential::new(&cloud, &transport);
        Self::open(Session::new(cloud, transport, Arc::new(credential)), place).await
    }

    /// Opens a workspace: by the path of a project that has a `config.json`,
    /// or by its [`WorkspaceRef`].
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) without a usable
    /// `config.json`, before anything is sent;
    /// [`Unauthenticated`](azml_core::ErrorKind::Unauthenticated) when signing in fails;
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such workspace.
    pub async fn open(session: Session, place: impl Into<Place>) -> Result<Self> {
        let workspace = match place.into() {
            Place::Config(path) => Workspace::from_config(&session, path).await?,
            Place::Named(workspace) => Workspace::get(&session, workspace).await?,
        };
        #[cfg(feature = "tracking")]
        let tracking = {
            use azml_tracking::{AzureMlTracking, Tracking};

            let data_plane = workspace.data_plane().await?;
            Tracking::new(AzureMlTracking::new(data_plane, workspace.id().clone()))
        };
        Ok(Self {
            workspace,
            #[cfg(feature = "tracking")]
            tracking,
        })
    }

    /// The identity and the cloud that the workspace was opened with.
    pub fn session(&self) -> &Session {
        self.workspace.session()
    }

    /// The workspace itself.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Where its data lies.
    pub fn datastores(&self) -> DatastoresClient {
        DatastoresClient::new(&self.workspace)
    }

    /// The Databricks workspaces that this identity may see, and what they are
    /// linked to.
    pub fn databricks_workspaces(&self) -> DatabricksWorkspacesClient {
        DatabricksWorkspacesClient::new(self.session())
    }

    /// Its experiments, runs and registered models.
    #[cfg(feature = "tracking")]
    pub fn tracking(&self) -> &azml_tracking::Tracking {
        &self.tracking
    }

    /// Its compute targets.
    #[cfg(feature = "compute")]
    pub fn computes(&self) -> azml_compute::ComputesClient {
        azml_compute::ComputesClient::new(&self.workspace)
    }

    /// Its pipelines.
    #[cfg(feature = "pipeline")]
    pub fn pipelines(&self) -> azml_pipeline::Pipelines {
        azml_pipeline::Pipelines::new(azml_pipeline::AzureMlPipelines::new(&self.workspace))
    }

    /// The pipelines that it keeps to be run again and again: see
    /// [`PublishedPipelines`](azml_pipeline::PublishedPipelines).
    #[cfg(feature = "pipeline")]
    pub fn published_pipelines(&self) -> azml_pipeline::AzureMlPipelines {
        azml_pipeline::AzureMlPipelines::new(&self.workspace)
    }

    /// The Databricks workspace at the origin `host`, as the same identity.
    #[cfg(feature = "databricks")]
    pub fn databricks(&self, host: impl Into<std::sync::Arc<str>>) -> azml_databricks::Databricks {
        azml_databricks::Databricks::from_session(self.session(), host)
    }
}
