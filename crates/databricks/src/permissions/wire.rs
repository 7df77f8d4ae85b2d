//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use serde::{Deserialize, Serialize};

use super::{
    AccessControl, LevelDescription, ObjectPermissions, Permission, PermissionLevel, Principal,
    PrincipalPermissions,
};

#[derive(Serialize)]
pub(super) struct ChangeRequest<'a> {
    pub(super) access_control_list: &'a [AccessControl],
}

#[derive(Deserialize)]
pub(super) struct PermissionsResponse {
    #[serde(default)]
    object_id: String,
    #[serde(default)]
    object_type: String,
    #[serde(default)]
    access_control_list: Vec<WireAccess>,
}

#[derive(Deserialize)]
struct WireAccess {
    #[serde(flatten)]
    principal: Principal,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    all_permissions: Vec<WirePermission>,
}

#[derive(Deserialize)]
struct WirePermission {
    permission_level: PermissionLevel,
    #[serde(default)]
    inherited: bool,
    #[serde(default)]
    inherited_from_object: Vec<String>,
}

impl From<PermissionsResponse> for ObjectPermissions {
    fn from(it: PermissionsResponse) -> Self {
        let permission = |it: WirePermission| Permission {
            level: it.permission_level,
            is_inherited: it.inherited,
            inherited_from: it.inherited_from_object,
        };
        let access = |it: WireAccess| PrincipalPermissions {
            principal: it.principal,
            display_name: it.display_name,
            permissions: it.all_permissions.into_iter().map(permission).collect(),
        };
        Self {
            object_id: it.object_id,
            object_type: it.object_type,
            access_control_list: it.access_control_list.into_iter().map(access).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct LevelsResponse {
    #[serde(default)]
    pub(super) permission_levels: Vec<WireLevel>,
}

#[derive(Deserialize)]
pub(super) struct WireLevel {
    permission_level: PermissionLevel,
    #[serde(default)]
    description: String,
}

impl From<WireLevel> for LevelDescription {
    fn from(it: WireLevel) -> Self {
        Self { level: it.permission_level, description: it.description }
    }
}
