use std::sync::Arc;

use azml_core::{Endpoint, Session, Transport};

use crate::{
    clusters::ClustersClient,
    commands::CommandsClient,
    current_user::CurrentUserClient,
    dbfs::DbfsClient,
    files::FilesClient,
    instance_pools::InstancePoolsClient,
    jobs::JobsClient,
    libraries::LibrariesClient,
    permissions::PermissionsClient,
    policies::PoliciesClient,
    principals::{Groups, PrincipalsClient, ServicePrincipals, Users},
    secrets::SecretsClient,
    token_management::TokenManagementClient,
    tokens::TokensClient,
    workspace_objects::WorkspaceObjectsClient,
};

/// One Databricks workspace. Hands out a client for each of its services.
///
/// Cheap to clone: clones share the connections and the tokens.
#[derive(Clone, Debug)]
pub struct Databricks {
    endpoint: Endpoint,
}

impl Databricks {
    /// The workspace at `host`, for example `https://adb-1.2.azuredatabricks.net`,
    /// called without a token: for tests, or behind a proxy that adds one.
    pub fn new(host: impl Into<Arc<str>>, transport: Arc<dyn Transport>) -> Self {
        Self::from_endpoint(Endpoint::new(with_scheme(host), transport))
    }

    /// The workspace at `host`, called as the identity of `session`.
    pub fn from_session(session: &Session, host: impl Into<Arc<str>>) -> Self {
        let scope = session.cloud().databricks_scope();
        Self::from_endpoint(session.endpoint(with_scheme(host), scope))
    }

    /// The workspace that `endpoint` leads to.
    pub fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Where the workspace is.
    pub fn host(&self) -> &str {
        self.endpoint.base()
    }

    /// The way to the workspace, for what other crates know how to ask there:
    /// `MlflowTracking::new(databricks.endpoint().clone())` of `azml-tracking`.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Machines that run notebooks and jobs.
    pub fn clusters(&self) -> ClustersClient {
        ClustersClient::from_endpoint(self.endpoint.clone())
    }

    /// Packages on clusters.
    pub fn libraries(&self) -> LibrariesClient {
        LibrariesClient::from_endpoint(self.endpoint.clone())
    }

    /// Jobs and their runs.
    pub fn jobs(&self) -> JobsClient {
        JobsClient::from_endpoint(self.endpoint.clone())
    }

    /// The Databricks file system.
    pub fn dbfs(&self) -> DbfsClient {
        DbfsClient::from_endpoint(self.endpoint.clone())
    }

    /// Files in volumes.
    pub fn files(&self) -> FilesClient {
        FilesClient::from_endpoint(self.endpoint.clone())
    }

    /// Secrets and who may read them.
    pub fn secrets(&self) -> SecretsClient {
        SecretsClient::from_endpoint(self.endpoint.clone())
    }

    /// Notebooks, files and folders.
    pub fn workspace_objects(&self) -> WorkspaceObjectsClient {
        WorkspaceObjectsClient::from_endpoint(self.endpoint.clone())
    }

    /// Code that runs on a cluster at once.
    pub fn commands(&self) -> CommandsClient {
        CommandsClient::from_endpoint(self.endpoint.clone())
    }

    /// Who may do what with which object.
    pub fn permissions(&self) -> PermissionsClient {
        PermissionsClient::from_endpoint(self.endpoint.clone())
    }

    /// What definitions of clusters must keep to.
    pub fn policies(&self) -> PoliciesClient {
        PoliciesClient::from_endpoint(self.endpoint.clone())
    }

    /// Machines that wait, so that clusters start sooner.
    pub fn instance_pools(&self) -> InstancePoolsClient {
        InstancePoolsClient::from_endpoint(self.endpoint.clone())
    }

    /// Whoever the calls are made as.
    pub fn current_user(&self) -> CurrentUserClient {
        CurrentUserClient::from_endpoint(self.endpoint.clone())
    }

    /// Users.
    pub fn users(&self) -> PrincipalsClient<Users> {
        PrincipalsClient::from_endpoint(self.endpoint.clone())
    }

    /// Groups.
    pub fn groups(&self) -> PrincipalsClient<Groups> {
        PrincipalsClient::from_endpoint(self.endpoint.clone())
    }

    /// Service principals.
    pub fn service_principals(&self) -> PrincipalsClient<ServicePrincipals> {
        PrincipalsClient::from_endpoint(self.endpoint.clone())
    }

    /// Personal access tokens of everybody, for admins.
    pub fn token_management(&self) -> TokenManagementClient {
        TokenManagementClient::from_endpoint(self.endpoint.clone())
    }

    /// Personal access tokens of the caller.
    pub fn tokens(&self) -> TokensClient {
        TokensClient::from_endpoint(self.endpoint.clone())
    }
}

/// The resource manager gives a bare host name, as `workspaceUrl`.
fn with_scheme(host: impl Into<Arc<str>>) -> Arc<str> {
    let host = host.into();
    if host.contains("://") { host } else { format!("https://{host}").into() }
}
