use serde_json::{Value, json};

use super::{
    attached, body, create, edge, literals, notebook, of_node, seconds, start, step_run, submit,
    task,
};
use crate::{
    MockCloud,
    services::azure::STORAGE_AUDIENCE,
    tests::{WORKSPACE, send, send_text, token_for},
};

/// A notebook and a script that take the parameter `rate` of the pipeline.
async fn with_rate(cloud: &MockCloud, assigned: Value) -> Value {
    let rate = json!({ "ValueType": "1", "Name": "_AML_PARAMETER_rate", "Value": "rate" });
    let mut book = notebook(cloud, "book").await;
    book["ModuleParameters"] =
        literals(&[("notebook_path", "/Shared/nb"), ("base_parameters", "rate=0.1;fixed=v")]);
    let mut script = notebook(cloud, "script").await;
    script["ModuleParameters"] = literals(&[
        ("python_script_path", "dbfs:/x.py"),
        ("python_script_params", "--bar||a|-b||rate||0.1"),
    ]);
    for node in [&mut book, &mut script] {
        node["ModuleParameters"].as_array_mut().unwrap().push(rate.clone());
    }
    let mut body = body(&[book, script], &[]);
    body["CreationInfo"]["ParameterAssignments"] = assigned;
    body["GraphInterface"] = json!({ "Parameters": [{ "Name": "rate", "DefaultValue": "0.1" }] });
    body
}

#[tokio::test(start_paused = true)]
async fn assigned_parameters_reach_notebooks_and_scripts() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS" }])).await;
    for (assigned, rate) in [(json!({}), "0.1"), (json!({ "rate": 0.5 }), "0.5")] {
        let run = submit(&cloud, &with_rate(&cloud, assigned).await).await;
        let book = task(&cloud, &run, "book").await;
        let widgets = &book["notebook_task"]["base_parameters"];
        assert_eq!((&widgets["rate"], &widgets["fixed"]), (&json!(rate), &json!("v")));
        assert_eq!(widgets["--AZUREML_RUN_ID"], step_run(&cloud, &run, "book"));

        let script = task(&cloud, &run, "script").await;
        let arguments = script["spark_python_task"]["parameters"].as_array().unwrap();
        assert_eq!(arguments[..4], [json!("--bar"), json!("a|b"), json!("rate"), json!(rate)]);
        assert!(arguments.contains(&json!("--AZUREML_RUN_TOKEN")), "{arguments:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_step_writes_is_where_the_next_one_reads() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS", "after_seconds": 1 }])).await;
    let nodes = [notebook(&cloud, "first").await, notebook(&cloud, "second").await];
    let body = body(&nodes, &[edge(("first", "out"), ("second", "table"))]);
    let run = submit(&cloud, &body).await;
    seconds(1).await;
    let widgets =
        async |node| task(&cloud, &run, node).await["notebook_task"]["base_parameters"].take();
    let (first, second) = (widgets("first").await, widgets("second").await);
    assert_eq!(first["out"], second["table"]);
    let uri = first["out"].as_str().unwrap();
    assert!(uri.starts_with("wasbs://azureml-blobstore-"), "{uri}");
    let end = format!("/azureml/{}/out", step_run(&cloud, &run, "first"));
    assert!(uri.ends_with(&end), "{uri}");
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_says_is_there_as_if_the_task_had_done_it() {
    let cloud = attached(json!([{
        "task": "*", "result": "SUCCESS", "metrics": { "rmse": [0.9, 0.7] },
        "artifacts": { "outputs/model.txt": "a model" }, "outputs": { "out": { "part.csv": "1,2" } },
    }]))
    .await;
    let run = start(&cloud, &["one"], &[], false).await;
    seconds(3600).await;

    let outputs: Value =
        serde_json::from_str(&of_node(&cloud, &run, "one", "Outputs").await).unwrap();
    let place = &outputs["out"]["DataLocation"]["DataReference"]["AzureBlobReference"];
    let part = |name: &str| place[name].as_str().unwrap().to_owned();
    let (account, container, path) = (part("Account"), part("Container"), part("RelativePath"));
    let step = step_run(&cloud, &run, "one");
    let blobs = [
        (format!("{container}/{path}/part.csv"), "1,2"),
        (format!("azureml/ExperimentRun/dcid.{step}/outputs/model.txt"), "a model"),
    ];
    for (blob, text) in blobs {
        let uri = format!("https://{account}.blob.core.windows.net/{blob}");
        let found = send_text(&cloud, "GET", &uri, &token_for(STORAGE_AUDIENCE), "").await;
        assert_eq!(found, (200, text.to_owned()), "{blob}");
    }

    let full = format!("/metric/v2.0{WORKSPACE}/runs/{step}/full");
    let (_, metric) = send(&cloud, "POST", &full, r#"{"metricName":"rmse"}"#).await;
    let values: Vec<_> =
        metric["value"].as_array().unwrap().iter().map(|it| it["data"]["rmse"].clone()).collect();
    assert_eq!(values, [0.9, 0.7]);
}

#[tokio::test]
async fn a_graph_is_shown_as_it_was_sent() {
    let cloud = MockCloud::new();
    let sent = with_rate(&cloud, json!({})).await;
    let (_, made) = create(&cloud, &sent).await;
    let path = super::at(&format!("/Graphs/{}", made["GraphId"].as_str().unwrap()));
    assert_eq!(send(&cloud, "GET", &path, "").await.1, sent["Graph"]);
    let (_, interface) = send(&cloud, "GET", &format!("{path}/Interface"), "").await;
    assert_eq!(interface, sent["GraphInterface"]);
}

#[tokio::test(start_paused = true)]
async fn a_data_path_and_a_datastore_say_where_a_step_reads() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS" }])).await;
    let store = json!({ "name": "extra", "dataStoreType": "AzureBlob", "azureStorageSection":
        { "accountName": "mockstorage1", "containerName": "extra-data" } });
    let path = format!("/datastore/v1.0{WORKSPACE}/datastores?createIfNotExists=true");
    assert_eq!(send(&cloud, "POST", &path, &store.to_string()).await.0, 200);
    let node = notebook(&cloud, "one").await;
    let mut body = body(&[node], &[edge(("data", "data"), ("one", "table"))]);
    body["Graph"]["DatasetNodes"] = json!([{ "Id": "data", "DataPathParameterName": "input" }]);
    let (status, answer) = create(&cloud, &body).await;
    let message = "node data takes 'input', which is no data path parameter of the pipeline";
    assert_eq!((status, &answer["Error"]["Message"]), (400, &json!(message)));

    body["GraphInterface"] = json!({ "DataPathParameters": [{ "Name": "input",
        "DefaultValue": { "DataStoreName": "extra", "RelativePath": "a/b" } }] });
    let table = async |body: &Value| {
        let run = submit(&cloud, body).await;
        task(&cloud, &run, "one").await["notebook_task"]["base_parameters"]["table"].take()
    };
    let root = "wasbs://extra-data@mockstorage1.blob.core.windows.net";
    assert_eq!(table(&body).await, format!("{root}/a/b"));
    let assigned = json!({ "input": { "DataStoreName": "EXTRA", "RelativePath": "c" } });
    body["CreationInfo"]["DataPathAssignments"] = assigned;
    assert_eq!(table(&body).await, format!("{root}/c"));
    let missing = json!({ "input": { "DataStoreName": "gone", "RelativePath": "c" } });
    body["CreationInfo"]["DataPathAssignments"] = missing;
    assert_eq!(create(&cloud, &body).await.0, 404);
}

/// The widgets of the one step of a run.
async fn widgets(cloud: &MockCloud, run: &str, node: &str) -> Value {
    task(cloud, run, node).await["notebook_task"]["base_parameters"].take()
}

#[tokio::test(start_paused = true)]
async fn a_step_that_reads_a_saved_dataset_gets_its_path() {
    let cloud = attached(json!([{ "task": "*", "result": "SUCCESS" }])).await;
    let saved = async |path: &str| {
        let uri = format!(
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/{path}"
        );
        let steps = format!("type: mltable\npaths:\n  - pattern: \"{uri}\"\n");
        let flow = json!({ "blocks": [], "meta": { "RsDataflow": steps } }).to_string();
        let body = json!({ "datasetType": "file", "properties": {}, "dataflowJson": flow });
        let path = format!("/dataset/v1.0{WORKSPACE}/saveddatasets");
        send(&cloud, "POST", &path, &body.to_string()).await.1["id"].take()
    };
    let mut node = notebook(&cloud, "one").await;
    let module = json!({ "Name": "one", "IdentifierHash": "h", "IsDeterministic": true });
    let (_, module) = send(&cloud, "POST", &super::at("/Modules"), &module.to_string()).await;
    node["ModuleId"] = module["Id"].clone();
    let mut body = body(&[node], &[edge(("data", "data"), ("one", "wine"))]);
    let reads = |id: &Value| {
        json!([{ "Id": "data", "DataSetDefinition": {
            "DataTypeShortName": "AzureMLDataset",
            "Value": { "SavedDataSetReference": { "Id": id } },
        }}])
    };
    body["Graph"]["DatasetNodes"] = reads(&json!("no-such-dataset"));
    let (status, answer) = create(&cloud, &body).await;
    let message = "Saved dataset no-such-dataset was not found";
    assert_eq!((status, &answer["Error"]["Message"]), (404, &json!(message)));

    // The same path is the same input, under whichever id it was saved.
    let mut reused = Vec::new();
    for path in ["wine/2024", "wine/2024", "wine/2025"] {
        body["Graph"]["DatasetNodes"] = reads(&saved(path).await);
        let run = submit(&cloud, &body).await;
        seconds(3600).await;
        let uri = widgets(&cloud, &run, "one").await["wine"].clone();
        let end = if path == "wine/2024" { "/wine/2024" } else { "/wine/2025" };
        assert!(uri.as_str().is_some_and(|it| it.starts_with("wasbs://azureml-blobstore-") && it.ends_with(end)), "{uri}");
        let status: Value =
            serde_json::from_str(&of_node(&cloud, &run, "one", "Graph/Node/Status").await).unwrap();
        reused.push(!status["ReuseInfo"].is_null());
    }
    assert_eq!(reused, [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn data_in_a_dbfs_datastore_lie_in_the_attached_workspace() {
    let cloud = attached(json!([{
        "task": "*", "result": "SUCCESS", "outputs": { "out": { "part.csv": "1,2" } },
    }]))
    .await;
    let path = format!("/datastore/v1.0{WORKSPACE}/datastores");
    let store = json!({ "name": "dbfsstore", "dataStoreType": "DBFS" });
    assert_eq!(send(&cloud, "POST", &path, &store.to_string()).await.0, 200);
    let (_, shown) = send(&cloud, "GET", &format!("{path}/dbfsstore"), "").await;
    assert_eq!(
        (&shown["dataStoreType"], &shown["azureStorageSection"]),
        (&json!("DBFS"), &Value::Null)
    );

    let (mut first, second) = (notebook(&cloud, "first").await, notebook(&cloud, "second").await);
    first["ModuleOutputSettings"][0]["DataStoreName"] = json!("dbfsstore");
    let body = body(&[first, second], &[edge(("first", "out"), ("second", "table"))]);
    let run = submit(&cloud, &body).await;
    seconds(3600).await;
    let folder = format!("azureml/{}/out", step_run(&cloud, &run, "first"));
    let (writes, reads) =
        (widgets(&cloud, &run, "first").await, widgets(&cloud, &run, "second").await);
    assert_eq!(
        (&writes["out"], &reads["table"]),
        (&json!(format!("dbfs:/{folder}")), &writes["out"])
    );
    assert_eq!(writes.get("out_blob_secretname"), None, "no key opens DBFS");

    let outputs: Value =
        serde_json::from_str(&of_node(&cloud, &run, "first", "Outputs").await).unwrap();
    assert_eq!(
        outputs["out"]["DataLocation"]["DataReference"],
        json!({ "Type": "DBFS", "DBFSReference": {
            "RelativePath": folder, "AmlDataStoreName": "dbfsstore",
        }})
    );
    let path = format!("/api/2.0/dbfs/read?path=/{folder}/part.csv");
    let (_, read) = crate::services::databricks::tests::get(&cloud, &path).await;
    assert_eq!(read["data"], "MSwy");
}

#[tokio::test]
async fn an_output_of_the_whole_pipeline_comes_from_a_step() {
    let cloud = MockCloud::new();
    let node = notebook(&cloud, "one").await;
    let leads_out = |from: &str| {
        json!({
            "SourceOutputPort": { "NodeId": from, "PortName": "out" },
            "DestinationInputPort": { "GraphPortName": "best_model" },
        })
    };
    assert_eq!(
        create(&cloud, &body(std::slice::from_ref(&node), &[leads_out("one")])).await.0,
        200
    );
    let (status, refused) = create(&cloud, &body(&[node], &[leads_out("two")])).await;
    let message = "output 'best_model' of the pipeline comes from two, which is no module node";
    assert_eq!((status, &refused["Error"]["Message"]), (400, &json!(message)));
}
