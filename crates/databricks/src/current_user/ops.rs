use azml_core::{Operation, Request, Response, Result};

use crate::{
    fault,
    principals::{User, WireUser},
    wire::get,
};

pub(super) struct Me;

impl Operation for Me {
    const NAME: &'static str = "databricks.scim.me";
    const IDEMPOTENT: bool = true;
    type Output = User;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/preview/scim/v2/Me").build()
    }

    fn decode(&self, response: Response) -> Result<User> {
        Ok(fault::read::<WireUser>(Self::NAME, &response)?.into())
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::testing::check;

    #[test]
    fn the_caller_is_told_and_a_bad_credential_too() {
        let me = check("scim/me", &Me).unwrap();
        assert_eq!(me.user_name, "someone@example.test");
        assert_eq!(me.emails, ["someone@example.test"]);
        assert!(me.is_active && me.is_admin());
        let denied = check("scim/me-denied", &Me).unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::PermissionDenied);
        let unknown = check("scim/me-unauthenticated", &Me).unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::Unauthenticated);
    }
}
