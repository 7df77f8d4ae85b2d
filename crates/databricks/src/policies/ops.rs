use azml_core::{Operation, Page, PageToken, Request, Response, Result};

use super::{Policy, PolicyDefinition, PolicyFamily, PolicyFamilyId, PolicyId, PolicyOrder, wire};
use crate::{
    fault,
    wire::{get, next_page, post},
};

pub(super) struct Create<'a>(pub(super) &'a PolicyDefinition);

impl Operation for Create<'_> {
    const NAME: &'static str = "databricks.policies.create";
    // A repeat would be told that the name is taken.
    const IDEMPOTENT: bool = false;
    type Output = PolicyId;

    fn encode(&self, base: &str) -> Result<Request> {
        let definition = wire::WireDefinition::new(Self::NAME, self.0)?;
        let body = wire::ChangeRequest { policy_id: None, definition };
        post(Self::NAME, base, "/api/2.0/policies/clusters/create", &body)
    }

    fn decode(&self, response: Response) -> Result<PolicyId> {
        let body: wire::CreateResponse = fault::read(Self::NAME, &response)?;
        Ok(body.policy_id.into())
    }
}

pub(super) struct Edit<'a>(pub(super) &'a PolicyId, pub(super) &'a PolicyDefinition);

impl Operation for Edit<'_> {
    const NAME: &'static str = "databricks.policies.edit";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let definition = wire::WireDefinition::new(Self::NAME, self.1)?;
        let body = wire::ChangeRequest { policy_id: Some(self.0.as_str()), definition };
        post(Self::NAME, base, "/api/2.0/policies/clusters/edit", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a>(pub(super) &'a PolicyId);

impl Operation for Delete<'_> {
    const NAME: &'static str = "databricks.policies.delete";
    // A repeat would be told that the policy does not exist.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::ById { policy_id: self.0.as_str() };
        post(Self::NAME, base, "/api/2.0/policies/clusters/delete", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Get<'a>(pub(super) &'a PolicyId);

impl Operation for Get<'_> {
    const NAME: &'static str = "databricks.policies.get";
    const IDEMPOTENT: bool = true;
    type Output = Policy;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/policies/clusters/get").query("policy_id", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<Policy> {
        fault::read::<wire::WirePolicy>(Self::NAME, &response)?.into_domain(Self::NAME)
    }
}

pub(super) struct List<'a>(pub(super) &'a PolicyOrder);

impl Operation for List<'_> {
    const NAME: &'static str = "databricks.policies.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<Policy>;

    fn encode(&self, base: &str) -> Result<Request> {
        let order = self.0.is_ascending.map(|it| if it { "ASC" } else { "DESC" });
        get(Self::NAME, base, "/api/2.0/policies/clusters/list")
            .query_opt("sort_column", self.0.sort_by.as_ref())
            .query_opt("sort_order", order)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<Policy>> {
        let body: wire::ListResponse = fault::read(Self::NAME, &response)?;
        body.policies.into_iter().map(|it| it.into_domain(Self::NAME)).collect()
    }
}

pub(super) struct GetFamily<'a>(pub(super) &'a PolicyFamilyId);

impl Operation for GetFamily<'_> {
    const NAME: &'static str = "databricks.policy_families.get";
    const IDEMPOTENT: bool = true;
    type Output = PolicyFamily;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/policy-families").segment(self.0.as_str()).build()
    }

    fn decode(&self, response: Response) -> Result<PolicyFamily> {
        Ok(fault::read::<wire::WireFamily>(Self::NAME, &response)?.into())
    }
}

pub(super) struct ListFamilies(pub(super) Option<PageToken>);

impl Operation for ListFamilies {
    const NAME: &'static str = "databricks.policy_families.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<PolicyFamily>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/policy-families")
            .query_opt("page_token", self.0.as_ref().map(|it| &it.0))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<PolicyFamily>> {
        let body: wire::FamiliesResponse = fault::read(Self::NAME, &response)?;
        let families = body.policy_families.into_iter().map(Into::into).collect();
        Ok(Page::new(families, next_page(body.next_page_token)))
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;
    use serde_json::json;

    use super::*;
    use crate::{libraries::Library, policies::PolicySort, testing::check};

    const RULES: &str = r#"{"autotermination_minutes":{"type":"fixed","value":30}}"#;

    fn rules() -> serde_json::Value {
        json!({ "autotermination_minutes": { "type": "fixed", "value": 30 } })
    }

    #[test]
    fn every_call_is_as_saved() {
        let id = PolicyId::new("00010203FAKE0001");
        let small = PolicyDefinition::new("small only", &rules())
            .unwrap()
            .with_description("Keeps clusters small")
            .with_library(Library::pypi("simplejson"))
            .with_max_clusters_per_user(2);
        assert_eq!(check("policies/create", &Create(&small)).unwrap(), id);
        let family =
            PolicyDefinition::of_family("family", "job-cluster").with_family_overrides(RULES);
        check("policies/create-of-family", &Create(&family)).unwrap();
        let smaller = PolicyDefinition::new("smaller", &rules())
            .unwrap()
            .with_description("Keeps clusters smaller")
            .with_max_clusters_per_user(1);
        check("policies/edit", &Edit(&id, &smaller)).unwrap();
        let read = check("policies/get", &Get(&id)).unwrap();
        assert_eq!((&read.definition, read.rules.as_str()), (&small, RULES));
        let of_family = check("policies/get-of-family", &Get(&"00010203FAKE0002".into())).unwrap();
        assert_eq!(of_family.definition, family);
        assert!(of_family.rules.contains("auto:latest-lts"));
        let order = PolicyOrder::ascending(PolicySort::Name);
        assert_eq!(check("policies/list", &List(&order)).unwrap(), [read]);
        check("policies/delete", &Delete(&id)).unwrap();

        let family = check("policy-families/get", &GetFamily(&"job-cluster".into())).unwrap();
        assert_eq!(family.name, "Job Compute");
        let page = check("policy-families/list", &ListFamilies(None)).unwrap();
        check("policy-families/list-next-page", &ListFamilies(page.next)).unwrap();

        let missing = PolicyId::new("00010203NOWHERE1");
        for err in [
            check("policies/get-missing", &Get(&missing)).unwrap_err(),
            check("policies/delete-missing", &Delete(&missing)).unwrap_err(),
            check("policy-families/get-missing", &GetFamily(&"nowhere".into())).unwrap_err(),
        ] {
            assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
        }
    }

    #[test]
    fn rules_that_cannot_be_are_refused_unsent() {
        let small = PolicyDefinition::new("a", &rules()).unwrap();
        let both = PolicyDefinition { family_id: Some("f".into()), ..small.clone() };
        let broken = PolicyDefinition { definition: Some("{".to_owned()), ..small.clone() };
        let stray = small.clone().with_family_overrides(RULES);
        let unnamed = PolicyDefinition { name: String::new(), ..small };
        for definition in [both, broken, stray, unnamed] {
            let err = Create(&definition).encode("https://adb-1.test").unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidArgument, "{definition:?}");
        }
    }
}
