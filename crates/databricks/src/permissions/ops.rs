use azml_core::{Operation, Request, RequestBuilder, Response, Result};
use http::Method;

use super::{AccessControl, LevelDescription, ObjectPermissions, PermissionObject, wire};
use crate::fault;

fn at(
    operation: &'static str,
    method: Method,
    base: &str,
    object: &PermissionObject,
) -> RequestBuilder {
    RequestBuilder::new(operation, method, base)
        .path("/api/2.0/permissions")
        .segment(object.kind.as_str())
        .segment(&object.id)
}

pub(super) struct Get<'a>(pub(super) &'a PermissionObject);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.permissions.get";
    const IDEMPOTENT: bool = true;
    type Output = ObjectPermissions;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<ObjectPermissions> {
        Ok(fault::read::<wire::PermissionsResponse>(Self::NAME, &response)?.into())
    }
}

pub(super) struct Set<'a>(pub(super) &'a PermissionObject, pub(super) &'a [AccessControl]);

impl Operation for Set<'_> {
    const NAME: &'static str = "databricks.permissions.set";
    const IDEMPOTENT: bool = true;
    type Output = ObjectPermissions;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ChangeRequest { access_control_list: self.1 };
        at(Self::NAME, Method::PUT, base, self.0).json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<ObjectPermissions> {
        Ok(fault::read::<wire::PermissionsResponse>(Self::NAME, &response)?.into())
    }
}

pub(super) struct Update<'a>(pub(super) &'a PermissionObject, pub(super) &'a [AccessControl]);

impl Operation for Update<'_> {
    const NAME: &'static str = "databricks.permissions.update";
    const IDEMPOTENT: bool = true;
    type Output = ObjectPermissions;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ChangeRequest { access_control_list: self.1 };
        at(Self::NAME, Method::PATCH, base, self.0).json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<ObjectPermissions> {
        Ok(fault::read::<wire::PermissionsResponse>(Self::NAME, &response)?.into())
    }
}

pub(super) struct GetLevels<'a>(pub(super) &'a PermissionObject);

impl Operation for GetLevels<'_> {
    const NAME: &'static str = "databricks.permissions.get_levels";
    const IDEMPOTENT: bool = true;
    type Output = Vec<LevelDescription>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.0).path("/permissionLevels").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<LevelDescription>> {
        let body: wire::LevelsResponse = fault::read(Self::NAME, &response)?;
        Ok(body.permission_levels.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::{
        jobs::JobId,
        permissions::{PermissionLevel, Principal},
        testing::check,
    };

    #[test]
    fn every_call_is_as_saved() {
        let cluster = PermissionObject::cluster(&"0101-000000-abcd1234".into());
        let job = PermissionObject::job(JobId::new(11_223_344));
        let tokens = PermissionObject::tokens();

        let read = check("permissions/get", &Get(&cluster)).unwrap();
        assert_eq!(
            (read.object_id.as_str(), read.object_type.as_str()),
            (&*cluster.to_string(), "cluster")
        );
        let someone = Principal::user("someone@example.test");
        assert!(read.direct(&someone).eq([&PermissionLevel::CanManage]));
        assert!(read.access_control_list[1].permissions[0].is_inherited);
        check("permissions/get-job", &Get(&job)).unwrap();
        check("permissions/get-directory", &Get(&PermissionObject::directory(400_123_456.into())))
            .unwrap();

        let other = Principal::user("other@example.test");
        let robot = Principal::service_principal("44444444-4444-4444-4444-444444444444");
        let list = [
            AccessControl::new(other.clone(), PermissionLevel::CanRestart),
            AccessControl::new(robot.clone(), PermissionLevel::CanManage),
        ];
        let set = check("permissions/set", &Set(&cluster, &list)).unwrap();
        assert!(set.direct(&robot).eq([&PermissionLevel::CanManage]));
        let list = [
            AccessControl::new(someone, PermissionLevel::IsOwner),
            AccessControl::new(other, PermissionLevel::CanManageRun),
        ];
        check("permissions/set-job", &Set(&job, &list)).unwrap();
        let users = |level| [AccessControl::new(Principal::group("users"), level)];
        check("permissions/update", &Update(&cluster, &users(PermissionLevel::CanAttachTo)))
            .unwrap();
        check("permissions/update-job", &Update(&job, &users(PermissionLevel::CanView))).unwrap();
        check("permissions/update-tokens", &Update(&tokens, &users(PermissionLevel::CanUse)))
            .unwrap();

        let levels = check("permissions/get-levels", &GetLevels(&cluster)).unwrap();
        assert_eq!(levels[0].level, PermissionLevel::CanAttachTo);
        check("permissions/get-levels-job", &GetLevels(&job)).unwrap();
        check("permissions/get-levels-tokens", &GetLevels(&tokens)).unwrap();
    }

    #[test]
    fn a_missing_object_and_a_missing_principal_are_not_found() {
        let nowhere = PermissionObject::cluster(&"0101-000000-nowhere1".into());
        let err = check("permissions/get-missing", &Get(&nowhere)).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        let cluster = PermissionObject::cluster(&"0101-000000-abcd1234".into());
        let nobody = Principal::user("nobody@example.test");
        let list = [AccessControl::new(nobody, PermissionLevel::CanRestart)];
        let err = check("permissions/update-principal-missing", &Update(&cluster, &list));
        assert_eq!(err.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
