use azml_core::{Operation, Page, Request, RequestBuilder, ResourceId, Response, Result, azure};
use http::Method;

use super::{Datastore, DatastoreName, RegisterOptions, wire};

fn get(operation: &'static str, base: &str, workspace: &ResourceId) -> RequestBuilder {
    request(operation, Method::GET, base, workspace)
}

fn request(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
) -> RequestBuilder {
    RequestBuilder::new(operation, method, base)
        .path("/datastore/v1.0")
        .segments(&workspace.to_string())
}

pub(super) struct Default<'a> {
    pub(super) workspace: &'a ResourceId,
}

impl Operation for Default<'_> {
    const NAME: &'static str = "datastore.default";
    const IDEMPOTENT: bool = true;
    type Output = Datastore;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, self.workspace).path("/default").build()
    }

    fn decode(&self, response: Response) -> Result<Datastore> {
        azure::read::<wire::Datastore>(Self::NAME, &response).map(Datastore::from)
    }
}

pub(super) struct Get<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a DatastoreName,
}

impl Operation for Get<'_> {
    const NAME: &'static str = "datastore.get";
    const IDEMPOTENT: bool = true;
    type Output = Datastore;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, self.workspace)
            .path("/datastores")
            .segment(self.name.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<Datastore> {
        azure::read::<wire::Datastore>(Self::NAME, &response).map(Datastore::from)
    }
}

pub(super) struct List<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) token: Option<&'a str>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "datastore.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<Datastore>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, self.workspace)
            .path("/datastores")
            .query_opt("continuationToken", self.token)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Datastore>> {
        azure::read::<wire::Datastores>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct SetDefault<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a DatastoreName,
}

impl Operation for SetDefault<'_> {
    const NAME: &'static str = "datastore.set_default";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::PUT, base, self.workspace)
            .path("/default")
            .segment(self.name.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Create<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) body: &'a wire::NewDatastore<'a>,
    pub(super) options: &'a RegisterOptions,
}

impl Operation for Create<'_> {
    const NAME: &'static str = "datastore.create";
    /// A second try would be refused, because the name is taken.
    const IDEMPOTENT: bool = false;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::POST, base, self.workspace)
            .path("/datastores")
            .query("createIfNotExists", self.options.create_container)
            .query("skipValidation", self.options.skip_validation)
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Update<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a DatastoreName,
    pub(super) body: &'a wire::NewDatastore<'a>,
    pub(super) options: &'a RegisterOptions,
}

impl Operation for Update<'_> {
    const NAME: &'static str = "datastore.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::PUT, base, self.workspace)
            .path("/datastores")
            .segment(self.name.as_str())
            .query("createIfNotExists", self.options.create_container)
            .query("skipValidation", self.options.skip_validation)
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Delete<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a DatastoreName,
}

impl Operation for Delete<'_> {
    const NAME: &'static str = "datastore.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        request(Self::NAME, Method::DELETE, base, self.workspace)
            .path("/datastores")
            .segment(self.name.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}
