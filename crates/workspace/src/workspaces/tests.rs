use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azml_core::{
    Cloud, ErrorKind, Request, ResourceId, Response, Session, StaticToken, Transport,
    TransportError,
};

use crate::{
    DatastoreName, Datastores, DatastoresClient, Workspace, WorkspaceConfig, WorkspaceRef, testing,
};

/// Answers by path, and keeps each path with whether a token came along.
#[derive(Debug, Default)]
struct Service(Mutex<Vec<(String, bool)>>);

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_owned();
        let fixture = match path.rsplit('/').next() {
            Some("discovery") => "discovery/get",
            Some("ws1") => "arm/workspaces-get",
            _ => "datastore/get",
        };
        let has_token = request.headers().contains_key("authorization");
        self.0.lock().unwrap().push((path, has_token));
        Ok(testing::response(&azml_fixtures::load(fixture)))
    }
}

fn session(service: &Arc<Service>) -> Session {
    let cloud = Cloud::at_origin("https://arm.test");
    Session::new(cloud, service.clone(), Arc::new(StaticToken::new("fake")))
}

#[tokio::test]
async fn discovery_is_asked_once_and_without_a_token() {
    let service = Arc::new(Service::default());
    let reference = WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1");
    let workspace = Workspace::get(&session(&service), reference).await.unwrap();
    let datastores = DatastoresClient::new(&workspace);
    let name = DatastoreName::new("workspaceblobstore");
    datastores.get(&name).await.unwrap();
    datastores.get(&name).await.unwrap();

    assert_eq!(workspace.data_plane().await.unwrap().base(), "https://ml.test");
    let id = workspace.id();
    let datastore = format!("/datastore/v1.0{id}/datastores/workspaceblobstore");
    assert_eq!(
        *service.0.lock().unwrap(),
        [
            (id.to_string(), true),
            ("/discovery".to_owned(), false),
            (datastore.clone(), true),
            (datastore, true),
        ]
    );
}

#[tokio::test]
async fn a_folder_leads_to_its_workspace() {
    let service = Arc::new(Service::default());
    let folder = tempfile::tempdir().unwrap();
    let reference = WorkspaceRef::new("11111111-1111-1111-1111-111111111111", "rg1", "ws1");
    WorkspaceConfig::write(folder.path(), &reference).unwrap();
    let workspace = Workspace::from_config(&session(&service), folder.path()).await.unwrap();
    assert_eq!((workspace.name(), workspace.location()), ("ws1", "eastus"));
    assert_eq!(workspace.reference(), &reference);
}

#[tokio::test]
async fn nothing_is_sent_without_a_usable_configuration() {
    let service = Arc::new(Service::default());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    let result = Workspace::from_config(&session(&service), folder.path()).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidArgument);

    let bad = WorkspaceRef::new("s", "a/b", "w");
    let result = Workspace::get(&session(&service), bad).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(service.0.lock().unwrap().is_empty());
}

#[test]
fn an_id_of_another_kind_names_no_workspace() {
    let reference = WorkspaceRef::new("s", "g", "w");
    let id = reference.resource_id().unwrap();
    assert_eq!(WorkspaceRef::try_from(&id).unwrap(), reference);
    let other = ResourceId::new("s", "g", "Microsoft.Databricks", "workspaces", "w").unwrap();
    assert!(WorkspaceRef::try_from(&other).is_err());
}
