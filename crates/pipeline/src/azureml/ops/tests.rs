//! The calls against what was recorded.

use azml_fixtures::Exchange;
use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::{
    FileDataset, PipelineRunDetails, PipelineStatus, PublishedPipeline, PublishedPipelineId,
};

const BASE: &str = "https://eastus.api.test";
const WORKSPACE: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1\
                         /providers/Microsoft.MachineLearningServices/workspaces/ws1";
const NODE: &str = "065bfaaf";

/// Asserts that `operation` sends what was recorded; returns what it reads.
fn replay<O: Operation>(operation: &O, exchange: &Exchange) -> Result<O::Output> {
    let request = operation.encode(BASE).unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    let path = request.uri().path_and_query().unwrap().as_str();
    assert_eq!(path, exchange.request.path);
    let body = (!request.body().is_empty())
        .then(|| serde_json::from_slice::<Value>(request.body()).unwrap());
    assert_eq!(body, exchange.request.body);
    answer(operation, exchange)
}

/// What `operation` reads in the recorded answer.
fn answer<O: Operation>(operation: &O, exchange: &Exchange) -> Result<O::Output> {
    let body = match &exchange.response.body {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text.clone()),
        body => Bytes::from(body.to_string()),
    };
    let response = http::Response::builder().status(exchange.response.status).body(body);
    operation.decode(response.unwrap())
}

#[test]
fn data_types_are_listed() {
    let exchange = azml_fixtures::load("pipelines/data-types-list");
    let types = replay(&ListDataTypes { workspace: WORKSPACE }, &exchange).unwrap();
    assert!(types.contains(&"AnyFile".to_owned()) && types.contains(&"AnyDirectory".to_owned()));
}

#[test]
fn a_known_module_is_found_by_its_hash() {
    let exchange = azml_fixtures::load("pipelines/modules-by-hash");
    let hash = exchange.request.path.rsplit('/').next().unwrap().to_owned();
    let module = replay(&ModuleByHash { workspace: WORKSPACE, hash: &hash }, &exchange).unwrap();
    assert!(module.is_complete());
}

#[test]
fn an_unknown_module_is_not_found() {
    let exchange = azml_fixtures::load("pipelines/modules-by-hash-missing");
    let hash = exchange.request.path.rsplit('/').next().unwrap().to_owned();
    let err = replay(&ModuleByHash { workspace: WORKSPACE, hash: &hash }, &exchange).unwrap_err();
    assert_eq!(err.kind(), azml_core::ErrorKind::NotFound);
}

#[test]
fn a_module_is_read_back() {
    let exchange = azml_fixtures::load("pipelines/modules-get");
    let id = "6314889b-8a45-40ac-bb1c-0ace0f8a08eb";
    let module = replay(&GetModule { workspace: WORKSPACE, id }, &exchange).unwrap();
    assert_eq!(module.id, id);
}

#[test]
fn a_data_source_is_found_by_its_hash_or_made() {
    let exchange = azml_fixtures::load("pipelines/data-sources-by-hash");
    let hash = exchange.request.path.rsplit('/').next().unwrap().to_owned();
    let found = replay(&DataSourceByHash { workspace: WORKSPACE, hash: &hash }, &exchange);
    let exchange = azml_fixtures::load("pipelines/data-sources-create");
    let body = crate::wire::DataSource {
        name: "input".to_owned(),
        data_store_name: "workspaceblobstore".to_owned(),
        path_on_data_store: "dbtest".to_owned(),
        identifier_hash: hash,
    };
    let made = replay(&CreateDataSource { workspace: WORKSPACE, body: &body }, &exchange);
    assert_eq!(found.unwrap().id, made.unwrap().id);
}

#[test]
fn a_run_is_submitted_looked_at_and_canceled() {
    let exchange = azml_fixtures::load("pipelines/runs-submit");
    let id = PipelineRunId::new("730dfb23-2540-40b4-a6e2-326afea90ffa");
    replay(&SubmitRun { workspace: WORKSPACE, id: &id }, &exchange).unwrap();

    let exchange = azml_fixtures::load("pipelines/runs-cancel");
    let id = PipelineRunId::new("12e8d26c-a327-4f19-a913-577a9f76f0e2");
    replay(&Cancel { workspace: WORKSPACE, id: &id }, &exchange).unwrap();

    let id = PipelineRunId::new("2ca42752-167c-4820-a96c-1290cbb05140");
    let get = GetRun { workspace: WORKSPACE, id: &id };
    let run: PipelineRunDetails =
        replay(&get, &azml_fixtures::load("pipelines/runs-get")).unwrap().into();
    assert!(!run.status.is_terminal());
    let run: PipelineRunDetails =
        replay(&get, &azml_fixtures::load("pipelines/runs-get-failed")).unwrap().into();
    assert_eq!((run.status, run.experiment.as_str()), (PipelineStatus::Failed, "exp-part5"));
    assert!(run.created_at < run.ended_at);
}

#[test]
fn the_status_is_read_whether_it_is_a_word_or_a_number() {
    let id = PipelineRunId::new("r");
    let get = GetRun { workspace: WORKSPACE, id: &id };
    let cases = [
        (r#"{"Id":"r"}"#, PipelineStatus::NotStarted),
        (r#"{"Id":"r","Status":{"StatusCode":"Finished"}}"#, PipelineStatus::Finished),
        (r#"{"Id":"r","Status":{"StatusCode":"4"}}"#, PipelineStatus::Canceled),
        (r#"{"Id":"r","Status":{"StatusCode":2}}"#, PipelineStatus::Failed),
        (
            r#"{"Id":"r","Status":{"StatusCode":"CancelRequested"}}"#,
            PipelineStatus::Unknown("CancelRequested".to_owned()),
        ),
    ];
    for (body, status) in cases {
        let run: PipelineRunDetails = get.decode(Response::new(Bytes::from(body))).unwrap().into();
        assert_eq!(run.status, status);
    }
}

#[test]
fn logs_are_the_whole_body() {
    let run = &PipelineRunId::new("730dfb23-2540-40b4-a6e2-326afea90ffa");
    let (workspace, node) = (WORKSPACE, NODE);
    let exchange = azml_fixtures::load("pipelines/runs-stdout");
    let text = replay(&Stdout { workspace, run, node }, &exchange).unwrap();
    assert_eq!(text, "notebook-step hello stdout\n");
    let exchange = azml_fixtures::load("pipelines/runs-stderr");
    let text = replay(&Stderr { workspace, run, node }, &exchange).unwrap();
    assert_eq!(text, "notebook-step \n");
    let exchange = azml_fixtures::load("pipelines/runs-job-log");
    let text = replay(&JobLog { workspace, run, node }, &exchange).unwrap();
    assert_eq!(text, "notebook-step job log\n");
}

#[test]
fn outputs_are_paths_in_datastores() {
    let run = &PipelineRunId::new("730dfb23-2540-40b4-a6e2-326afea90ffa");
    let exchange = azml_fixtures::load("pipelines/runs-outputs");
    let outputs = replay(&Outputs { workspace: WORKSPACE, run, node: NODE }, &exchange).unwrap();
    let expected = StepOutput::new(
        "out1",
        "workspaceblobstore",
        "azureml/a8b72bd4-1d3a-444a-8feb-5f0e844386e7/out1",
    );
    assert_eq!(outputs, [expected]);
}

#[test]
fn a_snapshot_asks_for_places_first() {
    let exchange = azml_fixtures::load("content/snapshots-get-blob");
    let nodes =
        replay(&GetBlobs { workspace: WORKSPACE, names: vec!["train.py"] }, &exchange).unwrap();
    assert_eq!(nodes[0].full_name, "train.py");
}

#[test]
fn a_snapshot_is_the_tree_that_the_official_sdk_sends() {
    let exchange = azml_fixtures::load("content/snapshots-create");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), "import sys; print(sys.argv)\n").unwrap();
    let snapshot = crate::snapshot::Snapshot::read(folder.path()).unwrap();
    let mut expected = exchange.request.body.clone().unwrap();
    let uri = expected["FileRevisionList"]["FileNodes"][0]["BlobUri"].as_str().unwrap().to_owned();
    let create = CreateSnapshot {
        workspace: WORKSPACE,
        id: exchange.request.path.rsplit('/').next().unwrap(),
        parent: None,
        tree: &snapshot.tree,
        files: vec![("train.py", &uri, snapshot.files[0].size)],
    };
    let request = create.encode(BASE).unwrap();
    assert_eq!(request.uri().path(), exchange.request.path);
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    // Only the times differ.
    for body in [&mut body, &mut expected] {
        let root = &mut body["DirTreeNode"];
        root["timestamp"].take();
        root["children"]["train.py"]["timestamp"].take();
    }
    assert_eq!(body, expected);
    answer(&create, &exchange).unwrap();
}

#[test]
fn a_dataset_is_saved_before_it_is_used() {
    let exchange = azml_fixtures::load("datasets/saved-create");
    let dataset = FileDataset::new("wine", "wine/2024").with_datastore("workspaceblobstore");
    let id = azml_core::ResourceId::parse(WORKSPACE).unwrap();
    let save = SaveDataset { workspace: WORKSPACE, id: &id, dataset: &dataset };
    let request = save.encode(BASE).unwrap();
    assert_eq!(request.uri().path(), exchange.request.path);
    let mut sent: Value = serde_json::from_slice(request.body()).unwrap();
    let mut expected = exchange.request.body.clone().unwrap();
    // JSON in a text: only its spaces differ.
    for body in [&mut sent, &mut expected] {
        let flow: Value = serde_json::from_str(body["dataflowJson"].as_str().unwrap()).unwrap();
        body["dataflowJson"] = flow;
    }
    assert_eq!(sent, expected);
    assert_eq!(answer(&save, &exchange).unwrap(), "00000000-0000-4000-8000-00000000da7a");
}

#[test]
fn a_graph_is_read_as_it_came() {
    let id = "3e19dc61-5117-45de-a9fb-893ac4a03875";
    let exchange = azml_fixtures::load("pipelines/graphs-get");
    let graph = replay(&GetGraph { workspace: WORKSPACE, id }, &exchange).unwrap();
    assert_eq!(graph, exchange.response.body);
    let exchange = azml_fixtures::load("pipelines/graphs-interface");
    let interface = replay(&GetGraphInterface { workspace: WORKSPACE, id }, &exchange).unwrap();
    assert_eq!(interface, exchange.response.body);
}

#[test]
fn published_pipelines_are_listed_looked_at_and_disabled() {
    let id = &PublishedPipelineId::new("2a20ea73-f1d0-4a4d-81ff-7b7b351dc95f");
    let workspace = WORKSPACE;
    let exchange = azml_fixtures::load("pipelines/published-list");
    let list = replay(&ListPublished { workspace, active_only: true }, &exchange).unwrap();
    assert_eq!(list.len(), 1);

    let exchange = azml_fixtures::load("pipelines/published-get");
    let one: PublishedPipeline = replay(&GetPublished { workspace, id }, &exchange).unwrap().into();
    assert_eq!((one.name.as_str(), one.version.as_deref()), ("pub1", Some("1.0")));
    assert!(one.is_active && one.endpoint.is_some());

    let exchange = azml_fixtures::load("pipelines/published-set-status");
    replay(&SetPublishedStatus { workspace, id, active: false }, &exchange).unwrap();

    let exchange = azml_fixtures::load("pipelines/published-runs");
    let runs = replay(&RunsOfPublished { workspace, id }, &exchange).unwrap();
    let run = PipelineRunDetails::from(runs.into_iter().next().unwrap());
    assert_eq!(run.status, PipelineStatus::Finished);
}

#[test]
fn a_published_pipeline_is_run_with_values() {
    let exchange = azml_fixtures::load("pipelines/published-submit");
    let id = &PublishedPipelineId::new("2a20ea73-f1d0-4a4d-81ff-7b7b351dc95f");
    let body = crate::wire::PublishedSubmission {
        experiment_name: "exp-part5".to_owned(),
        description: "exp-part5".to_owned(),
        run_source: "SDK",
        run_type: "SDK",
        parameter_assignments: BTreeMap::from([("myparam".to_owned(), "z".to_owned())]),
        data_path_assignments: BTreeMap::new(),
        data_set_definition_value_assignments: BTreeMap::new(),
        properties: BTreeMap::new(),
    };
    let submit = SubmitPublished { workspace: WORKSPACE, id, body: &body };
    let run = PipelineRunDetails::from(replay(&submit, &exchange).unwrap());
    assert_eq!(run.experiment, "exp-part5");
}
