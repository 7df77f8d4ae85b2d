use azml_core::{Operation, Page, Request, RequestBuilder, ResourceId, Response, Result, azure};
use azml_workspace::arm::{LongRunning, follow};
use http::Method;
use secrecy::{ExposeSecret, SecretString};

use super::{ComputeName, ComputeTarget, DatabricksCredentials, wire};

pub(super) const ATTACH: &str = "arm.computes.attach";
pub(super) const DETACH: &str = "arm.computes.detach";
const API_VERSION: &str = "2020-02-02";

/// Writes go to `~/computes/NAME` at ARM.
fn write(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
    name: &ComputeName,
) -> RequestBuilder {
    RequestBuilder::new(operation, method, base)
        .segments(&workspace.to_string())
        .path("/computes")
        .segment(name.as_str())
}

/// Reads go to `/rp/workspaces~/computes` at the data plane.
fn read(operation: &'static str, base: &str, workspace: &ResourceId) -> RequestBuilder {
    RequestBuilder::new(operation, Method::GET, base)
        .path("/rp/workspaces")
        .segments(&workspace.to_string())
        .path("/computes")
}

pub(super) struct Attach<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ComputeName,
    pub(super) location: &'a str,
    pub(super) resource_id: &'a ResourceId,
    pub(super) access_token: &'a SecretString,
}

impl Operation for Attach<'_> {
    const NAME: &'static str = ATTACH;
    const IDEMPOTENT: bool = true;
    type Output = Option<LongRunning>;

    fn encode(&self, base: &str) -> Result<Request> {
        let token = self.access_token.expose_secret();
        write(Self::NAME, Method::PUT, base, self.workspace, self.name)
            .query("api-version", API_VERSION)
            .json(&wire::Attach::new(self.location, self.resource_id.to_string(), token))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Option<LongRunning>> {
        azure::expect_success(Self::NAME, &response)?;
        LongRunning::from_response(Self::NAME, &response)
    }
}

pub(super) struct Get<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ComputeName,
}

impl Operation for Get<'_> {
    const NAME: &'static str = "rp.computes.get";
    const IDEMPOTENT: bool = true;
    type Output = ComputeTarget;

    fn encode(&self, base: &str) -> Result<Request> {
        read(Self::NAME, base, self.workspace)
            .segment(self.name.as_str())
            .query("api-version", API_VERSION)
            .build()
    }

    fn decode(&self, response: Response) -> Result<ComputeTarget> {
        azure::read::<wire::Compute>(Self::NAME, &response).map(ComputeTarget::from)
    }
}

pub(super) struct List<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) next: Option<&'a str>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "rp.computes.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<ComputeTarget>;

    fn encode(&self, base: &str) -> Result<Request> {
        if let Some(link) = self.next {
            return follow(Self::NAME, base, link);
        }
        read(Self::NAME, base, self.workspace).query("api-version", API_VERSION).build()
    }

    fn decode(&self, response: Response) -> Result<Page<ComputeTarget>> {
        azure::read::<wire::Computes>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct ListKeys<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ComputeName,
}

impl Operation for ListKeys<'_> {
    const NAME: &'static str = "arm.computes.list_keys";
    /// A POST only to keep secrets out of caches and logs.
    const IDEMPOTENT: bool = true;
    type Output = DatabricksCredentials;

    fn encode(&self, base: &str) -> Result<Request> {
        write(Self::NAME, Method::POST, base, self.workspace, self.name)
            .path("/listKeys")
            .query("api-version", API_VERSION)
            .build()
    }

    fn decode(&self, response: Response) -> Result<DatabricksCredentials> {
        azure::read::<wire::Keys>(Self::NAME, &response)?.into_credentials(Self::NAME, self.name)
    }
}

pub(super) struct Detach<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ComputeName,
}

impl Operation for Detach<'_> {
    const NAME: &'static str = DETACH;
    const IDEMPOTENT: bool = true;
    type Output = Option<LongRunning>;

    fn encode(&self, base: &str) -> Result<Request> {
        write(Self::NAME, Method::DELETE, base, self.workspace, self.name)
            .query("api-version", API_VERSION)
            .query("underlyingResourceAction", "detach")
            .build()
    }

    fn decode(&self, response: Response) -> Result<Option<LongRunning>> {
        azure::expect_success(Self::NAME, &response)?;
        LongRunning::from_response(Self::NAME, &response)
    }
}
