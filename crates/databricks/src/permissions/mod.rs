//! Permissions: who may do what with which object.

mod client;
mod object;
mod ops;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::Result;
use serde::{Deserialize, Serialize};

pub use self::{
    client::PermissionsClient,
    object::{PermissionObject, PermissionObjectKind},
};

word_enum! {
    /// What somebody may do with an object. Which of them there are depends on the
    /// kind of the object: see [`Permissions::levels`].
    PermissionLevel {
        /// All of it, and give rights to others.
        CanManage = "CAN_MANAGE",
        /// Own it.
        IsOwner = "IS_OWNER",
        /// Start, restart and use a cluster.
        CanRestart = "CAN_RESTART",
        /// Use a cluster or a pool.
        CanAttachTo = "CAN_ATTACH_TO",
        /// Start and cancel runs.
        CanManageRun = "CAN_MANAGE_RUN",
        /// See it and its results.
        CanView = "CAN_VIEW",
        /// Read it.
        CanRead = "CAN_READ",
        /// Run it.
        CanRun = "CAN_RUN",
        /// Change it.
        CanEdit = "CAN_EDIT",
        /// Use it.
        CanUse = "CAN_USE",
        /// Ask it.
        CanQuery = "CAN_QUERY",
        /// Watch and use a warehouse.
        CanMonitor = "CAN_MONITOR",
        /// Manage the versions of a model in staging.
        CanManageStagingVersions = "CAN_MANAGE_STAGING_VERSIONS",
        /// Manage the versions of a model in production.
        CanManageProductionVersions = "CAN_MANAGE_PRODUCTION_VERSIONS",
    }
}

/// Somebody who may have rights.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Principal {
    /// A user, by name.
    #[serde(rename = "user_name")]
    User(String),
    /// A service principal, by its application id.
    #[serde(rename = "service_principal_name")]
    ServicePrincipal(String),
    /// A group, by name.
    #[serde(rename = "group_name")]
    Group(String),
}

impl Principal {
    /// The user `name`.
    pub fn user(name: impl Into<String>) -> Self {
        Self::User(name.into())
    }

    /// The service principal with this application id.
    pub fn service_principal(application_id: impl Into<String>) -> Self {
        Self::ServicePrincipal(application_id.into())
    }

    /// The group `name`.
    pub fn group(name: impl Into<String>) -> Self {
        Self::Group(name.into())
    }
}

/// A right to give. Written exactly as it is declared here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessControl {
    /// Who gets it.
    #[serde(flatten)]
    pub principal: Principal,
    /// What they may do.
    pub permission_level: PermissionLevel,
}

impl AccessControl {
    /// The right `level` for `principal`.
    pub fn new(principal: Principal, level: PermissionLevel) -> Self {
        Self { principal, permission_level: level }
    }
}

/// Who may do what with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectPermissions {
    /// The object, for example `/clusters/0101-000000-abcd1234`.
    pub object_id: String,
    /// What it is, for example `cluster`.
    pub object_type: String,
    /// Who has which rights.
    pub access_control_list: Vec<PrincipalPermissions>,
}

/// The rights of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrincipalPermissions {
    /// Who has them.
    pub principal: Principal,
    /// What people call them.
    pub display_name: Option<String>,
    /// What they may do.
    pub permissions: Vec<Permission>,
}

/// A right that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// What they may do.
    pub level: PermissionLevel,
    /// Whether it comes from another object.
    pub is_inherited: bool,
    /// The objects that it comes from.
    pub inherited_from: Vec<String>,
}

/// A level that there is for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelDescription {
    /// The level.
    pub level: PermissionLevel,
    /// What it means, for people.
    pub description: String,
}

impl ObjectPermissions {
    /// The rights that `principal` was given itself, not those that come from
    /// elsewhere.
    pub fn direct(&self, principal: &Principal) -> impl Iterator<Item = &PermissionLevel> {
        let its = self.access_control_list.iter().filter(move |it| it.principal == *principal);
        its.flat_map(|it| &it.permissions).filter(|it| !it.is_inherited).map(|it| &it.level)
    }
}

/// The permissions on the objects of one Databricks workspace.
///
/// Implemented by [`PermissionsClient`]. Implement it yourself to fake or to
/// decorate the service; `Arc<dyn Permissions>` is the type to store.
#[async_trait]
pub trait Permissions: fmt::Debug + Send + Sync {
    /// Tells who may do what with an object.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such object.
    async fn get(&self, object: &PermissionObject) -> Result<ObjectPermissions>;

    /// Replaces all rights to an object, save those that come from elsewhere.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such object or
    /// principal.
    async fn set(
        &self,
        object: &PermissionObject,
        access_control_list: &[AccessControl],
    ) -> Result<ObjectPermissions>;

    /// Gives rights to an object in place of those that these principals have.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such object or
    /// principal.
    async fn update(
        &self,
        object: &PermissionObject,
        access_control_list: &[AccessControl],
    ) -> Result<ObjectPermissions>;

    /// Gives the levels that there are for an object.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such object.
    async fn levels(&self, object: &PermissionObject) -> Result<Vec<LevelDescription>>;
}

const _: fn(&dyn Permissions) = |_| ();
