//! The workspace itself, as Azure Resource Manager knows it.

mod ops;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use azml_core::{Endpoint, Error, ErrorKind, PageToken, ResourceId, Result, Session, stream_pages};
use futures_core::stream::BoxStream;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::{Services, WorkspaceConfig, discovery};

const PROVIDER: &str = "Microsoft.MachineLearningServices";
const TYPE: &str = "workspaces";
const REFERENCE: &str = "workspace.reference";

/// Names one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct WorkspaceRef {
    /// Id of the Azure subscription.
    pub subscription_id: String,
    /// Name of the resource group.
    pub resource_group: String,
    /// Name of the workspace.
    pub name: String,
}

impl WorkspaceRef {
    /// Names the workspace `name` of a resource group.
    pub fn new(
        subscription_id: impl Into<String>,
        resource_group: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            subscription_id: subscription_id.into(),
            resource_group: resource_group.into(),
            name: name.into(),
        }
    }

    /// The workspace's ARM id.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) names the part that is
    /// empty or holds a slash.
    pub fn resource_id(&self) -> Result<ResourceId> {
        let Self { subscription_id, resource_group, name } = self;
        let parts = [
            ("subscription_id", subscription_id),
            ("resource_group", resource_group),
            ("name", name),
        ];
        for (field, value) in parts {
            if value.is_empty() || value.contains('/') {
                let text = format!("{field} is \"{value}\": give a name without slashes");
                return Err(Error::invalid(REFERENCE, text));
            }
        }
        ResourceId::new(subscription_id, resource_group, PROVIDER, TYPE, name)
            .map_err(|err| Error::local(REFERENCE, ErrorKind::InvalidArgument, err))
    }
}

/// What Azure Resource Manager tells about a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkspaceDetails {
    /// ARM id.
    pub id: ResourceId,
    /// Name, as it was created.
    pub name: String,
    /// Azure region, for example `eastus`.
    pub location: String,
    /// The id that the workspace's own services use.
    pub workspace_id: String,
    /// Where service discovery answers.
    pub discovery_url: String,
    /// ARM id of the storage account behind the default datastore.
    pub storage_account: Option<String>,
    /// ARM id of the key vault.
    pub key_vault: Option<String>,
    /// ARM id of the Application Insights component.
    pub application_insights: Option<String>,
    /// ARM id of the container registry.
    pub container_registry: Option<String>,
    /// Name for display.
    pub friendly_name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// `Succeeded` for a workspace that can be used.
    pub provisioning_state: Option<String>,
    /// Entra tenant.
    pub tenant_id: Option<String>,
    /// The address that MLflow clients use.
    pub mlflow_tracking_uri: Option<String>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// Tags of the resource.
    pub tags: BTreeMap<String, String>,
    /// Version of the resource.
    pub etag: Option<String>,
    /// Name of the tier, for example `Basic`.
    pub sku: Option<String>,
    /// Who the workspace itself is.
    pub identity: Option<WorkspaceIdentity>,
    /// ARM id of the identity that it works as, if that is no identity of its own.
    pub primary_user_assigned_identity: Option<String>,
    /// Whether its data is of high business impact.
    pub is_high_business_impact: Option<bool>,
    /// Name of the compute target that builds images.
    pub image_build_compute: Option<String>,
    /// The key that data at rest is encrypted with, if it is the customer's.
    pub encryption_key_uri: Option<String>,
    /// How the datastores that it made are reached: `accessKey` or `identity`.
    pub system_datastores_auth_mode: Option<String>,
    /// `Enabled` or `Disabled`.
    pub public_network_access: Option<String>,
    /// Whether only the calls of SDK v1 reach its data plane.
    pub is_v1_legacy: Option<bool>,
    /// Whether its storage has folders of its own (Data Lake Storage Gen2).
    pub has_hierarchical_storage: Option<bool>,
}

/// Who a workspace itself is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkspaceIdentity {
    /// `SystemAssigned`, `UserAssigned`, both after a comma, or `None`.
    pub kind: String,
    /// Object id of the identity that belongs to the workspace.
    pub principal_id: Option<String>,
    /// Entra tenant of that identity.
    pub tenant_id: Option<String>,
}

/// One line of [`Workspace::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkspaceSummary {
    /// ARM id.
    pub id: ResourceId,
    /// Name.
    pub name: String,
    /// Azure region.
    pub location: String,
}

/// An open workspace. Cheap to clone; clones share what discovery told.
#[derive(Clone, Debug)]
pub struct Workspace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    session: Session,
    reference: WorkspaceRef,
    details: WorkspaceDetails,
    services: OnceCell<Services>,
}

impl Workspace {
    /// Opens the workspace that `config.json` at or above `path` names.
    ///
    /// See [`WorkspaceConfig::find`] for the search.
    ///
    /// # Errors
    ///
    /// Without a usable file nothing is sent, and the error is the text of a
    /// [`ConfigError`](crate::ConfigError). Otherwise as [`get`](Self::get).
    pub async fn from_config(session: &Session, path: impl AsRef<Path>) -> Result<Self> {
        let config = WorkspaceConfig::find(path)?;
        Self::get(session, config.into_workspace()).await
    }

    /// Opens a workspace by name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such workspace, or
    /// none that this identity may see.
    pub async fn get(session: &Session, workspace: WorkspaceRef) -> Result<Self> {
        let details = arm(session).call(&ops::Get(&workspace.resource_id()?)).await?;
        let (session, services) = (session.clone(), OnceCell::new());
        let inner = Inner { session, reference: workspace, details, services };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lists the workspaces of a subscription that this identity may see.
    pub fn list(
        session: &Session,
        subscription_id: &str,
    ) -> BoxStream<'static, Result<WorkspaceSummary>> {
        let (arm, subscription_id) = (arm(session), Arc::<str>::from(subscription_id));
        stream_pages(move |token: Option<PageToken>| {
            let (arm, subscription_id) = (arm.clone(), subscription_id.clone());
            async move {
                let next = token.map(|it| it.0);
                let list = ops::List { subscription_id: &subscription_id, next: next.as_deref() };
                arm.call(&list).await
            }
        })
    }

    /// Lists the workspaces of a resource group. One that does not exist is
    /// [`NotFound`](ErrorKind::NotFound).
    pub fn list_in_group(
        session: &Session,
        subscription_id: &str,
        resource_group: &str,
    ) -> BoxStream<'static, Result<WorkspaceSummary>> {
        let arm = arm(session);
        let place = Arc::new((subscription_id.to_owned(), resource_group.to_owned()));
        stream_pages(move |token: Option<PageToken>| {
            let (arm, place) = (arm.clone(), place.clone());
            async move {
                let next = token.map(|it| it.0);
                let list = ops::ListInGroup {
                    subscription_id: &place.0,
                    resource_group: &place.1,
                    next: next.as_deref(),
                };
                arm.call(&list).await
            }
        })
    }

    /// The session it was opened with.
    pub fn session(&self) -> &Session {
        &self.inner.session
    }

    /// Subscription, resource group and name.
    pub fn reference(&self) -> &WorkspaceRef {
        &self.inner.reference
    }

    /// ARM id. Its text is the path under which every service of the workspace answers.
    pub fn id(&self) -> &ResourceId {
        &self.inner.details.id
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.inner.details.name
    }

    /// Azure region, for example `eastus`.
    pub fn location(&self) -> &str {
        &self.inner.details.location
    }

    /// The id that the workspace's own services use.
    pub fn workspace_id(&self) -> &str {
        &self.inner.details.workspace_id
    }

    /// Where service discovery answers.
    pub fn discovery_url(&self) -> &str {
        &self.inner.details.discovery_url
    }

    /// ARM id of the storage account behind the default datastore.
    pub fn storage_account(&self) -> Option<&str> {
        self.inner.details.storage_account.as_deref()
    }

    /// Everything that ARM told when the workspace was opened.
    pub fn details(&self) -> &WorkspaceDetails {
        &self.inner.details
    }

    /// The addresses of the workspace's services, asked for once.
    ///
    /// # Errors
    ///
    /// Fails when discovery does not answer. The next call asks again.
    pub async fn services(&self) -> Result<&Services> {
        let Inner { session, details, services, .. } = &*self.inner;
        services
            .get_or_try_init(async || {
                // Discovery is public: it gets no token.
                session.anonymous(details.discovery_url.as_str()).call(&discovery::Get).await
            })
            .await
    }

    /// Azure Resource Manager, as the session's identity.
    pub fn arm(&self) -> Endpoint {
        arm(&self.inner.session)
    }

    /// The data plane, as the session's identity.
    ///
    /// # Errors
    ///
    /// Fails when discovery does not answer.
    pub async fn data_plane(&self) -> Result<Endpoint> {
        let services = self.services().await?;
        let session = &self.inner.session;
        // The data plane takes tokens for ARM too, so that one token serves all calls.
        Ok(session.endpoint(services.api.as_str(), session.cloud().arm_scope()))
    }
}

/// Azure Resource Manager, as the identity of `session`.
pub(crate) fn arm(session: &Session) -> Endpoint {
    let cloud = session.cloud();
    session.endpoint(cloud.resource_manager.trim_end_matches('/'), cloud.arm_scope())
}

impl TryFrom<&ResourceId> for WorkspaceRef {
    type Error = Error;

    /// Reads the id of a workspace.
    fn try_from(id: &ResourceId) -> Result<Self> {
        let is_workspace = id.provider().eq_ignore_ascii_case(PROVIDER)
            && id.resource_type().eq_ignore_ascii_case(TYPE);
        if !is_workspace {
            let text = format!("{id} is not a workspace: expected the provider {PROVIDER}");
            return Err(Error::invalid(REFERENCE, text));
        }
        Ok(Self::new(id.subscription_id(), id.resource_group(), id.name()))
    }
}
