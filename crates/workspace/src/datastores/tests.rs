use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azml_core::{
    Cloud, ErrorKind, Operation, Request, ResourceId, Response, Session, StaticToken, Transport,
    TransportError,
};

use super::{
    ops::{Create, Default, Delete, Get, List, SetDefault, Update},
    *,
};
use crate::{Workspace, WorkspaceRef, testing};

fn workspace() -> ResourceId {
    WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1").resource_id().unwrap()
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

fn container() -> BlobContainer {
    BlobContainer::new("mockstorage1", "extra-data").with_account_key("MDAwMA==")
}

#[test]
fn a_container_is_registered_as_the_sdk_does() {
    let (name, container) = (DatastoreName::new("extra"), container());
    let body = wire::NewDatastore::new(&name, &container, "core.windows.net");
    let workspace = &workspace();
    let exchange = azml_fixtures::load("datastore/create");
    let options = &RegisterOptions::new().with_create_container();
    let create = Create { workspace, body: &body, options };
    testing::assert_encodes(&create, "https://ml.test", &exchange);
    create.decode(testing::response(&exchange)).unwrap();

    let options = &RegisterOptions::new();
    let create = Create { options, ..create };
    let exchange = azml_fixtures::load("datastore/create-taken");
    testing::assert_encodes(&create, "https://ml.test", &exchange);
    let err = create.decode(testing::response(&exchange)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);

    let exchange = azml_fixtures::load("datastore/update");
    let update = Update { workspace, name: &name, body: &body, options };
    testing::assert_encodes(&update, "https://ml.test", &exchange);
    update.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn a_datastore_is_made_the_default_and_unregistered() {
    let (name, workspace) = (DatastoreName::new("extra"), &workspace());
    let exchange = azml_fixtures::load("datastore/set-default");
    let set_default = SetDefault { workspace, name: &name };
    testing::assert_encodes(&set_default, "https://ml.test", &exchange);
    set_default.decode(testing::response(&exchange)).unwrap();

    let exchange = azml_fixtures::load("datastore/delete");
    let delete = Delete { workspace, name: &name };
    testing::assert_encodes(&delete, "https://ml.test", &exchange);
    delete.decode(testing::response(&exchange)).unwrap();
}

/// Answers by method and path; the name is taken.
#[derive(Debug, std::default::Default)]
struct Service(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let last = path.rsplit('/').next().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{method} {last}"));
        let fixture = match (method, last) {
            ("POST", _) => "datastore/create-taken",
            ("PUT", _) => "datastore/update",
            (_, "discovery") => "discovery/get",
            (_, "ws1") => "arm/workspaces-get",
            _ => "datastore/get",
        };
        Ok(testing::response(&azml_fixtures::load(fixture)))
    }
}

async fn open(service: &Arc<Service>) -> DatastoresClient {
    let cloud = Cloud::at_origin("https://arm.test");
    let session = Session::new(cloud, service.clone(), Arc::new(StaticToken::new("fake")));
    let reference = WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1");
    DatastoresClient::new(&Workspace::get(&session, reference).await.unwrap())
}

#[tokio::test]
async fn a_name_that_is_taken_is_replaced_only_when_asked_for() {
    let service = Arc::new(Service::default());
    let datastores = open(&service).await;
    let name = DatastoreName::new("extra");
    let options = RegisterOptions::new();
    let refused = datastores.register_blob_container(&name, &container(), &options).await;
    assert_eq!(refused.unwrap_err().service_fault().unwrap().status, 400);
    service.0.lock().unwrap().clear();

    let options = options.with_replace();
    datastores.register_blob_container(&name, &container(), &options).await.unwrap();
    assert_eq!(*service.0.lock().unwrap(), ["POST datastores", "PUT extra", "GET extra"]);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    let service = Arc::new(Service::default());
    let datastores = open(&service).await;
    let before = service.0.lock().unwrap().len();
    let good = DatastoreName::new("extra");
    let cases = [
        (DatastoreName::new("My-Data"), container()),
        (good.clone(), BlobContainer::new("Acct", "data")),
        (good.clone(), BlobContainer::new("acct", "-data")),
        (good.clone(), BlobContainer::new("acct", "data").with_account_key("no base64!")),
        (good, BlobContainer::new("acct", "data").with_sas(" ")),
    ];
    for (name, container) in cases {
        let options = RegisterOptions::new();
        let refused = datastores.register_blob_container(&name, &container, &options).await;
        let err = refused.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument, "{err}");
    }
    assert_eq!(service.0.lock().unwrap().len(), before);
}

#[test]
fn a_containers_key_is_not_printed() {
    assert!(!format!("{:?}", container()).contains("MDAwMA=="));
}
