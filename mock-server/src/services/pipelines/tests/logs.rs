use serde_json::{Value, json};

use super::{attached, of_node, seconds, start, step_run};
use crate::{
    MockCloud,
    services::azure::ML_AUDIENCE,
    tests::{WORKSPACE, send, send_text, token_for},
};

const DRIVER: &str = "azureml-logs/70_driver_log.txt";

/// The log files that the details of a run name.
async fn log_files(cloud: &MockCloud, run: &str) -> Value {
    let path = format!("/history/v1.0{WORKSPACE}/experiments/wine/runs/{run}/details");
    send(cloud, "GET", &path, "").await.1["logFiles"].take()
}

async fn read(cloud: &MockCloud, url: &Value) -> (u16, String) {
    send_text(cloud, "GET", url.as_str().unwrap(), &token_for(ML_AUDIENCE), "").await
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_step_is_an_artifact_from_its_beginning() {
    let cloud = attached(json!([{
        "task": "*", "result": "FAILED", "error": "ValueError: boom", "log": "one\ntwo\n",
        "after_seconds": 5,
    }]))
    .await;
    let run = start(&cloud, &["one"], &[], false).await;
    let step = step_run(&cloud, &run, "one");
    let files = log_files(&cloud, &step).await;
    assert_eq!(read(&cloud, &files[DRIVER]).await, (200, "one\ntwo\n".to_owned()));

    seconds(5).await;
    let files = log_files(&cloud, &step).await;
    let names: Vec<&String> = files.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            DRIVER,
            "logs/azureml/executionlogs.txt",
            "logs/azureml/stderrlogs.txt",
            "logs/azureml/stdoutlogs.txt"
        ]
    );
    let text = async |name: &str| read(&cloud, &files[name]).await.1;
    assert_eq!(text("logs/azureml/stdoutlogs.txt").await, "one\ntwo\n");
    assert_eq!(text("logs/azureml/stderrlogs.txt").await, "ValueError: boom");
    let job_log = of_node(&cloud, &run, "one", "Graph/Shareable/JobLog").await;
    assert_eq!(text("logs/azureml/executionlogs.txt").await, job_log);

    let path = format!(
        "/artifact/v2.0{WORKSPACE}/artifacts/contentinfo/ExperimentRun/dcid.{step}/{DRIVER}"
    );
    let (_, info) = send(&cloud, "GET", &path, "").await;
    assert_eq!(read(&cloud, &info["contentUri"]).await, (200, "one\ntwo\n".to_owned()));
}
