use azml_core::{Operation, Page, Request, RequestBuilder, ResourceId, Response, Result, azure};
use http::Method;

use super::{Datastore, DatastoreName, wire};

fn get(operation: &'static str, base: &str, workspace: &ResourceId) -> RequestBuilder {
    RequestBuilder::new(operation, Method::GET, base)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        WorkspaceRef,
        datastores::{DatastoreCredential, DatastoreKind},
        testing,
    };

    fn workspace() -> ResourceId {
        WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1")
            .resource_id()
            .unwrap()
    }

    #[test]
    fn the_default_datastore_says_where_its_blobs_are() {
        let exchange = azml_fixtures::load("datastore/default");
        let default = Default { workspace: &workspace() };
        testing::assert_encodes(&default, "https://ml.test", &exchange);
        let datastore = default.decode(testing::response(&exchange)).unwrap();
        assert_eq!(datastore.name.as_str(), "workspaceblobstore");
        assert_eq!(datastore.kind, DatastoreKind::AzureBlob);
        assert!(datastore.is_default);
        let storage = datastore.storage.unwrap();
        assert_eq!(
            storage.container_url(),
            "https://stubacct.blob.storage.test/azureml-blobstore-33333333-3333-3333-3333-333333333333"
        );
        assert!(matches!(storage.credential, DatastoreCredential::AccountKey(_)));
    }

    #[test]
    fn a_datastore_never_shows_its_key() {
        let exchange = azml_fixtures::load("datastore/get");
        let get = Get { workspace: &workspace(), name: &DatastoreName::new("workspaceblobstore") };
        testing::assert_encodes(&get, "https://ml.test", &exchange);
        let datastore = get.decode(testing::response(&exchange)).unwrap();
        let key = exchange.response.body["azureStorageSection"]["credential"].as_str().unwrap();
        assert!(!format!("{datastore:?}").contains(key));
    }

    #[test]
    fn datastores_are_listed_page_by_page() {
        let exchange = azml_fixtures::load("datastore/list");
        let list = List { workspace: &workspace(), token: None };
        testing::assert_encodes(&list, "https://ml.test", &exchange);
        let page = list.decode(testing::response(&exchange)).unwrap();
        assert_eq!(page.items[0].name.as_str(), "workspaceblobstore");
        assert_eq!(page.next, None);
    }
}
