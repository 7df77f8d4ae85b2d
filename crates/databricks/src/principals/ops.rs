use std::marker::PhantomData;

use azml_core::{Operation, Page, PageToken, Request, RequestBuilder, Response, Result};
use http::Method;

use super::{PrincipalFilter, PrincipalId, PrincipalKind, PrincipalPatch, wire};
use crate::fault;

const SCIM: &str = "/api/2.0/preview/scim/v2";
/// How many come in one answer.
const PAGE: u32 = 100;

fn all<K: PrincipalKind>(operation: &'static str, method: Method, base: &str) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path(SCIM).segment(K::FOLDER)
}

fn one<K: PrincipalKind>(
    operation: &'static str,
    method: Method,
    base: &str,
    id: &PrincipalId,
) -> RequestBuilder {
    all::<K>(operation, method, base).segment(id.as_str())
}

pub(super) struct Create<'a, K: PrincipalKind>(pub(super) &'a K::Definition);

impl<K: PrincipalKind> Operation for Create<'_, K> {
    const NAME: &'static str = K::CALLS.create;
    // A repeat would find its own in the way.
    const IDEMPOTENT: bool = false;
    type Output = K::Principal;

    fn encode(&self, base: &str) -> Result<Request> {
        K::write(all::<K>(Self::NAME, Method::POST, base), self.0).build()
    }

    fn decode(&self, response: Response) -> Result<K::Principal> {
        K::read(Self::NAME, &response)
    }
}

pub(super) struct Get<'a, K>(pub(super) &'a PrincipalId, pub(super) PhantomData<K>);

impl<K: PrincipalKind> Operation for Get<'_, K> {
    const NAME: &'static str = K::CALLS.get;
    const IDEMPOTENT: bool = true;
    type Output = K::Principal;

    fn encode(&self, base: &str) -> Result<Request> {
        one::<K>(Self::NAME, Method::GET, base, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<K::Principal> {
        K::read(Self::NAME, &response)
    }
}

pub(super) struct List<'a, K> {
    pub(super) filter: &'a PrincipalFilter,
    pub(super) token: Option<PageToken>,
    pub(super) kind: PhantomData<K>,
}

impl<K: PrincipalKind> Operation for List<'_, K> {
    const NAME: &'static str = K::CALLS.list;
    const IDEMPOTENT: bool = true;
    type Output = Page<K::Principal>;

    fn encode(&self, base: &str) -> Result<Request> {
        let Self { filter: it, token, .. } = self;
        let attributes = (!it.attributes.is_empty()).then(|| it.attributes.join(","));
        let order = if it.is_descending { "descending" } else { "ascending" };
        all::<K>(Self::NAME, Method::GET, base)
            .query_opt("filter", it.filter.as_ref())
            .query_opt("attributes", attributes)
            .query_opt("sortBy", it.sort_by.as_ref())
            .query_opt("sortOrder", it.sort_by.as_ref().map(|_| order))
            .query("startIndex", token.as_ref().map_or("1", |it| it.0.as_str()))
            .query("count", PAGE)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<K::Principal>> {
        K::read_page(Self::NAME, &response)
    }
}

pub(super) struct Update<'a, K: PrincipalKind>(
    pub(super) &'a PrincipalId,
    pub(super) &'a K::Definition,
);

impl<K: PrincipalKind> Operation for Update<'_, K> {
    const NAME: &'static str = K::CALLS.update;
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        K::write(one::<K>(Self::NAME, Method::PUT, base, self.0), self.1).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Patch<'a, K> {
    pub(super) id: &'a PrincipalId,
    pub(super) steps: &'a PrincipalPatch,
    pub(super) kind: PhantomData<K>,
}

impl<K: PrincipalKind> Operation for Patch<'_, K> {
    const NAME: &'static str = K::CALLS.patch;
    // A repeat may add twice, or find nothing to remove.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::PatchRequest::from(self.steps);
        one::<K>(Self::NAME, Method::PATCH, base, self.id).json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a, K>(pub(super) &'a PrincipalId, pub(super) PhantomData<K>);

impl<K: PrincipalKind> Operation for Delete<'_, K> {
    const NAME: &'static str = K::CALLS.delete;
    // A repeat would be told that there is none.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        one::<K>(Self::NAME, Method::DELETE, base, self.0).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::{
        principals::{
            GroupDefinition, Groups, ServicePrincipalDefinition, ServicePrincipals, UserDefinition,
            Users,
        },
        testing::check,
    };

    #[test]
    fn every_call_on_users_is_as_saved() {
        let id = PrincipalId::new("2234567890123456");
        let other = UserDefinition::new("other@example.test")
            .with_display_name("Other User")
            .with_name("Other", "User")
            .with_email("other@example.test")
            .with_entitlement("allow-cluster-create")
            .with_external_id("fake-external-1");
        let made = check("users/create", &Create::<Users>(&other)).unwrap();
        assert_eq!((&made.id, made.groups[0].name.as_str()), (&id, "users"));
        assert_eq!(check("users/get", &Get::<Users>(&id, PhantomData)).unwrap(), made);
        let another = UserDefinition::new("other@example.test").with_display_name("Another User");
        check("users/update", &Update::<Users>(&id, &another)).unwrap();
        let patch = PrincipalPatch::default()
            .replace("displayName", "Another User")
            .unwrap()
            .add_entitlement("databricks-sql-access");
        check("users/patch", &Patch { id: &id, steps: &patch, kind: PhantomData::<Users> })
            .unwrap();
        check("users/delete", &Delete::<Users>(&id, PhantomData)).unwrap();

        let filter = PrincipalFilter::matching(r#"userName co "example""#)
            .with_attributes(["id", "userName"])
            .sorted_by("userName");
        let list = List { filter: &filter, token: None, kind: PhantomData::<Users> };
        let page = check("users/list", &list).unwrap();
        assert_eq!((page.items.len(), page.next), (2, None));
        let filter = PrincipalFilter::equal("userName", "nobody@example.test");
        let list = List { filter: &filter, token: None, kind: PhantomData::<Users> };
        assert_eq!(check("users/list-empty", &list).unwrap().items, []);
    }

    #[test]
    fn every_call_on_groups_is_as_saved() {
        let id = PrincipalId::new("3234567890123456");
        let (old, new) =
            (PrincipalId::new("2234567890123456"), PrincipalId::new("1234567890123456"));
        let tasters = GroupDefinition::new("tasters")
            .with_member(old.clone())
            .with_entitlement("allow-cluster-create");
        let made = check("groups/create", &Create::<Groups>(&tasters)).unwrap();
        assert_eq!((&made.id, &made.members[0].id), (&id, &old));
        assert_eq!(
            check("groups/get", &Get::<Groups>(&id, PhantomData)).unwrap().entitlements,
            tasters.entitlements
        );
        let drinkers = GroupDefinition::new("drinkers").with_member(old.clone());
        check("groups/update", &Update::<Groups>(&id, &drinkers)).unwrap();
        let patch = PrincipalPatch::default().add_member(&new).remove_member(&old);
        check("groups/patch", &Patch { id: &id, steps: &patch, kind: PhantomData::<Groups> })
            .unwrap();
        check("groups/delete", &Delete::<Groups>(&id, PhantomData)).unwrap();
        let filter =
            PrincipalFilter::equal("displayName", "tasters").with_attributes(["id", "displayName"]);
        let list = List { filter: &filter, token: None, kind: PhantomData::<Groups> };
        assert_eq!(check("groups/list", &list).unwrap().items[0].display_name, "tasters");
    }

    #[test]
    fn every_call_on_service_principals_is_as_saved() {
        let (id, application) =
            (PrincipalId::new("4234567890123456"), "44444444-4444-4444-4444-444444444444");
        let robot = ServicePrincipalDefinition::new(application)
            .with_display_name("robot")
            .with_entitlement("workspace-access");
        let made =
            check("service-principals/create", &Create::<ServicePrincipals>(&robot)).unwrap();
        assert_eq!((made.id.as_str(), made.application_id.as_str()), (id.as_str(), application));
        check("service-principals/get", &Get::<ServicePrincipals>(&id, PhantomData)).unwrap();
        let patch = PrincipalPatch::default().replace("displayName", "machine").unwrap();
        let patch = Patch { id: &id, steps: &patch, kind: PhantomData::<ServicePrincipals> };
        check("service-principals/patch", &patch).unwrap();
        check("service-principals/delete", &Delete::<ServicePrincipals>(&id, PhantomData)).unwrap();
        let filter = PrincipalFilter::equal("applicationId", application);
        let list = List { filter: &filter, token: None, kind: PhantomData::<ServicePrincipals> };
        assert_eq!(check("service-principals/list", &list).unwrap().items, [made]);
    }

    #[test]
    fn a_refusal_of_scim_is_read() {
        let nobody = PrincipalId::new("9999");
        for err in [
            check("users/get-missing", &Get::<Users>(&nobody, PhantomData)).unwrap_err(),
            check("groups/get-missing", &Get::<Groups>(&nobody, PhantomData)).unwrap_err(),
            check(
                "service-principals/get-missing",
                &Get::<ServicePrincipals>(&nobody, PhantomData),
            )
            .unwrap_err(),
            check("users/delete-missing", &Delete::<Users>(&nobody, PhantomData)).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
            assert_eq!(err.service_fault().unwrap().code, "SCIM_404");
        }
        let tasters = GroupDefinition::new("tasters");
        let err = check("groups/create-exists", &Create::<Groups>(&tasters)).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Conflict);
        let filter = PrincipalFilter::matching("garbage");
        let list = List { filter: &filter, token: None, kind: PhantomData::<Users> };
        let err = check("users/list-malformed", &list).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_value_in_a_filter_cannot_end_it() {
        let filter = PrincipalFilter::equal("userName", r#"a" or userName pr "\"#);
        assert_eq!(filter.filter.unwrap(), r#"userName eq "a\" or userName pr \"\\""#);
    }
}
