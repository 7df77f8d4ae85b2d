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
