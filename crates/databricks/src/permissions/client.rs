use async_trait::async_trait;
use azml_core::{Endpoint, Result};

use super::{
    AccessControl, LevelDescription, ObjectPermissions, PermissionObject, Permissions, ops,
};

/// Talks to the Permissions API of one Databricks workspace.
///
/// ```no_run
/// use azml_databricks::{
///     Databricks,
///     jobs::JobId,
///     permissions::{AccessControl, PermissionLevel, PermissionObject, Permissions, Principal},
/// };
///
/// # async fn demo(databricks: &Databricks, job_id: JobId) -> azml_core::Result<()> {
/// let users = Principal::group("users");
/// let list = [AccessControl::new(users, PermissionLevel::CanView)];
/// databricks.permissions().update(&PermissionObject::job(job_id), &list).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PermissionsClient {
    endpoint: Endpoint,
}

impl PermissionsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl Permissions for PermissionsClient {
    async fn get(&self, object: &PermissionObject) -> Result<ObjectPermissions> {
        self.endpoint.call(&ops::Get(object)).await
    }

    async fn set(
        &self,
        object: &PermissionObject,
        access_control_list: &[AccessControl],
    ) -> Result<ObjectPermissions> {
        self.endpoint.call(&ops::Set(object, access_control_list)).await
    }

    async fn update(
        &self,
        object: &PermissionObject,
        access_control_list: &[AccessControl],
    ) -> Result<ObjectPermissions> {
        self.endpoint.call(&ops::Update(object, access_control_list)).await
    }

    async fn levels(&self, object: &PermissionObject) -> Result<Vec<LevelDescription>> {
        self.endpoint.call(&ops::GetLevels(object)).await
    }
}
