use azml_core::{Operation, Page, Request, RequestBuilder, ResourceId, Response, Result, azure};
use http::Method;

use super::{WorkspaceDetails, WorkspaceSummary, wire};
use crate::arm;

pub(super) struct Get<'a>(pub(super) &'a ResourceId);

impl Operation for Get<'_> {
    const NAME: &'static str = "arm.workspaces.get";
    const IDEMPOTENT: bool = true;
    type Output = WorkspaceDetails;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .segments(&self.0.to_string())
            .query("api-version", "2022-05-01")
            .build()
    }

    fn decode(&self, response: Response) -> Result<WorkspaceDetails> {
        azure::read::<wire::Workspace>(Self::NAME, &response)?.into_details(Self::NAME)
    }
}

pub(super) struct List<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) next: Option<&'a str>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "arm.workspaces.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<WorkspaceSummary>;

    fn encode(&self, base: &str) -> Result<Request> {
        if let Some(link) = self.next {
            return arm::follow(Self::NAME, base, link);
        }
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/subscriptions")
            .segment(self.subscription_id)
            .path("/resources")
            .query("$filter", "resourceType eq 'Microsoft.MachineLearningServices/workspaces'")
            .query("api-version", "2025-04-01")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<WorkspaceSummary>> {
        azure::read::<wire::Resources>(Self::NAME, &response)?.into_page(Self::NAME)
    }
}

pub(super) struct ListInGroup<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) resource_group: &'a str,
    pub(super) next: Option<&'a str>,
}

impl Operation for ListInGroup<'_> {
    const NAME: &'static str = "arm.workspaces.list_by_resource_group";
    const IDEMPOTENT: bool = true;
    type Output = Page<WorkspaceSummary>;

    fn encode(&self, base: &str) -> Result<Request> {
        if let Some(link) = self.next {
            return arm::follow(Self::NAME, base, link);
        }
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/subscriptions")
            .segment(self.subscription_id)
            .path("/resourceGroups")
            .segment(self.resource_group)
            .path("/providers/Microsoft.MachineLearningServices/workspaces")
            .query("api-version", "2022-05-01")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<WorkspaceSummary>> {
        azure::read::<wire::Resources>(Self::NAME, &response)?.into_page(Self::NAME)
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::{WorkspaceRef, testing};

    const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

    #[test]
    fn a_workspace_tells_where_discovery_is() {
        let exchange = azml_fixtures::load("arm/workspaces-get");
        let id = WorkspaceRef::new(SUBSCRIPTION, "rg1", "ws1").resource_id().unwrap();
        testing::assert_encodes(&Get(&id), "https://arm.test", &exchange);
        let details = Get(&id).decode(testing::response(&exchange)).unwrap();
        assert_eq!(details.id, id);
        assert_eq!(details.name, "ws1");
        assert_eq!(details.location, "eastus");
        assert_eq!(details.workspace_id, "33333333-3333-3333-3333-333333333333");
        assert_eq!(details.discovery_url, "https://ml.test/discovery");
        assert_eq!(details.created_at.unwrap().year(), 2024);
        assert_eq!(details.sku.as_deref(), Some("Basic"));
        let identity = details.identity.unwrap();
        assert_eq!(identity.kind, "SystemAssigned");
        assert!(identity.principal_id.is_some() && identity.tenant_id == details.tenant_id);
        assert_eq!(details.is_high_business_impact, Some(false));
        assert_eq!(details.system_datastores_auth_mode.as_deref(), Some("accessKey"));
        assert_eq!(details.public_network_access.as_deref(), Some("Enabled"));
        assert_eq!(details.encryption_key_uri, None);
    }

    #[test]
    fn a_missing_workspace_is_not_found() {
        let exchange = azml_fixtures::load("arm/workspaces-get-missing");
        let id = WorkspaceRef::new(SUBSCRIPTION, "rg1", "nope").resource_id().unwrap();
        testing::assert_encodes(&Get(&id), "https://arm.test", &exchange);
        let err = Get(&id).decode(testing::response(&exchange)).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        assert_eq!(err.service_fault().unwrap().code, "ResourceNotFound");
    }

    #[test]
    fn workspaces_are_listed_as_resources() {
        let exchange = azml_fixtures::load("arm/workspaces-list");
        let list = List { subscription_id: SUBSCRIPTION, next: None };
        testing::assert_encodes(&list, "https://arm.test", &exchange);
        let page = list.decode(testing::response(&exchange)).unwrap();
        assert_eq!(page.items[0].name, "ws1");
        assert_eq!(page.next, None);
    }

    #[test]
    fn workspaces_of_a_group_are_listed_page_by_page() {
        let exchange = azml_fixtures::load("arm/workspaces-list-by-resource-group");
        let list = ListInGroup { subscription_id: SUBSCRIPTION, resource_group: "rg1", next: None };
        testing::assert_encodes(&list, "https://arm.test", &exchange);
        let page = list.decode(testing::response(&exchange)).unwrap();
        assert_eq!(page.items[0].name, "ws1");
        let next = page.next.unwrap().0;
        let list = ListInGroup { next: Some(&next), ..list };
        let request = list.encode("https://arm.test").unwrap();
        assert_eq!(request.uri().to_string(), next);
    }
}
