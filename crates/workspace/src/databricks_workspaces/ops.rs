//! Fact: the published description of Microsoft.Databricks, 2024-05-01.

use azml_core::{Operation, Page, Request, RequestBuilder, ResourceId, Response, Result, azure};
use http::Method;

use super::{
    DatabricksWorkspace,
    wire::{Document, Documents, Resource},
};
use crate::arm::{LongRunning, follow};

pub(super) const GET: &str = "arm.databricks_workspaces.get";
pub(super) const CREATE_OR_UPDATE: &str = "arm.databricks_workspaces.create_or_update";
/// What is read is written back, so that both must be of the same version.
const API_VERSION: &str = "2024-05-01";

pub(super) struct Get<'a>(pub(super) &'a ResourceId);

impl Operation for Get<'_> {
    const NAME: &'static str = "arm.databricks_workspaces.get";
    const IDEMPOTENT: bool = true;
    type Output = Document;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .segments(&self.0.to_string())
            .query("api-version", API_VERSION)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Document> {
        Document::new(Self::NAME, azure::read(Self::NAME, &response)?)
    }
}

pub(super) struct List<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) resource_group: Option<&'a str>,
    pub(super) next: Option<&'a str>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "arm.databricks_workspaces.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<DatabricksWorkspace>;

    fn encode(&self, base: &str) -> Result<Request> {
        if let Some(link) = self.next {
            return follow(Self::NAME, base, link);
        }
        let mut request = RequestBuilder::new(Self::NAME, Method::GET, base)
            .path("/subscriptions")
            .segment(self.subscription_id);
        if let Some(group) = self.resource_group {
            request = request.path("/resourceGroups").segment(group);
        }
        request
            .path("/providers/Microsoft.Databricks/workspaces")
            .query("api-version", API_VERSION)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<DatabricksWorkspace>> {
        azure::read::<Documents>(Self::NAME, &response)?.into_page(Self::NAME)
    }
}

pub(super) struct CreateOrUpdate<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) body: &'a Resource,
}

impl Operation for CreateOrUpdate<'_> {
    const NAME: &'static str = "arm.databricks_workspaces.create_or_update";
    /// The whole resource is in the body.
    const IDEMPOTENT: bool = true;
    type Output = Option<LongRunning>;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::PUT, base)
            .segments(&self.id.to_string())
            .query("api-version", API_VERSION)
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Option<LongRunning>> {
        azure::expect_success(Self::NAME, &response)?;
        LongRunning::from_response(Self::NAME, &response)
    }
}
