use std::sync::Arc;

use serde_json::json;

use super::{
    ARM, DATABRICKS, at, attach, attached, body, create, in_history, notebook, of_node, seconds,
    start, statuses, step_run, task,
};
use crate::{
    MockCloud,
    kernel::log::Memory,
    tests::{send, send_as, token_for},
};

#[tokio::test(start_paused = true)]
async fn a_step_starts_when_those_before_it_have_ended() {
    let cloud = attached(json!([
        { "task": "long", "result": "SUCCESS", "after_seconds": 8 },
        { "task": "*", "result": "SUCCESS", "after_seconds": 5 },
    ]))
    .await;
    let names = ["short", "long", "both"];
    let run = start(&cloud, &names, &[("short", "both"), ("long", "both")], false).await;
    let seen = async || statuses(&cloud, &run, &names).await;

    assert_eq!(seen().await, ["short Running", "long Running", "both NotStarted", "Running"]);
    seconds(5).await;
    assert_eq!(seen().await, ["short Finished", "long Running", "both NotStarted", "Running"]);
    seconds(3).await;
    assert_eq!(seen().await, ["short Finished", "long Finished", "both Running", "Running"]);
    seconds(5).await;
    assert_eq!(seen().await, ["short Finished", "long Finished", "both Finished", "Finished"]);
    assert_eq!(in_history(&cloud, &run).await["status"], "Completed");
    let both = in_history(&cloud, &step_run(&cloud, &run, "both")).await;
    assert_eq!((&both["status"], &both["parentRunId"]), (&json!("Completed"), &json!(run)));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_new_starts_and_what_runs_goes_on() {
    let cloud = attached(json!([
        { "task": "bad", "result": "FAILED", "error": "ValueError: boom", "log": "oh", "after_seconds": 5 },
        { "task": "*", "result": "SUCCESS", "after_seconds": 8 },
    ]))
    .await;
    let names = ["bad", "next", "good", "later"];
    let run = start(&cloud, &names, &[("bad", "next"), ("good", "later")], false).await;
    seconds(5).await;
    assert_eq!(
        statuses(&cloud, &run, &names).await,
        ["bad Failed", "next Canceled", "good Running", "later Canceled", "Running"]
    );
    seconds(3).await;
    assert_eq!(
        statuses(&cloud, &run, &names).await,
        ["bad Failed", "next Canceled", "good Finished", "later Canceled", "Failed"]
    );
    assert_eq!(
        in_history(&cloud, &run).await["error"]["error"]["message"],
        "Pipeline has failed child jobs. Step 'bad' failed: ValueError: boom"
    );
    let bad = in_history(&cloud, &step_run(&cloud, &run, "bad")).await;
    assert_eq!(bad["error"]["error"]["message"], "ValueError: boom");
    assert_eq!(of_node(&cloud, &run, "bad", "Graph/Shareable/STDOUT").await, "oh");
    assert_eq!(of_node(&cloud, &run, "bad", "Graph/Shareable/STDERR").await, "ValueError: boom");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_that_goes_on_skips_only_what_needs_the_failed_step() {
    let cloud = attached(json!([
        { "task": "bad", "result": "FAILED", "after_seconds": 5 },
        { "task": "*", "result": "SUCCESS", "after_seconds": 8 },
    ]))
    .await;
    let names = ["bad", "next", "last", "good", "later"];
    let pairs = [("bad", "next"), ("next", "last"), ("good", "later")];
    let run = start(&cloud, &names, &pairs, true).await;
    seconds(16).await;
    assert_eq!(
        statuses(&cloud, &run, &names).await,
        [
            "bad Failed",
            "next Canceled",
            "last Canceled",
            "good Finished",
            "later Finished",
            "Failed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn canceling_ends_what_runs_and_what_waits() {
    let cloud = attached(json!([{ "task": "*", "result": "RUNNING" }])).await;
    let names = ["one", "two"];
    let run = start(&cloud, &names, &[("one", "two")], false).await;
    seconds(3600).await;
    assert_eq!(statuses(&cloud, &run, &names).await, ["one Running", "two NotStarted", "Running"]);

    let path = at(&format!("/PipelineRuns/{run}/Execution"));
    for _ in 0..2 {
        assert_eq!(send(&cloud, "DELETE", &path, "").await.0, 200);
    }
    seconds(60).await;
    assert_eq!(statuses(&cloud, &run, &names).await, ["one Canceled", "two Canceled", "Canceled"]);
    assert_eq!(task(&cloud, &run, "one").await["state"]["result_state"], "CANCELED");
    assert_eq!(in_history(&cloud, &run).await["status"], "Canceled");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_canceled_before_its_submission_has_ended_and_is_not_submitted() {
    let cloud = attached(json!([])).await;
    let (_, made) = create(&cloud, &body(&[notebook(&cloud, "one").await], &[])).await;
    let run = made["Id"].as_str().unwrap();
    let path = at(&format!("/PipelineRuns/{run}/Execution"));
    for _ in 0..2 {
        assert_eq!(send(&cloud, "DELETE", &path, "").await.0, 200);
    }
    let (_, found) = send(&cloud, "GET", &at(&format!("/PipelineRuns/{run}")), "").await;
    assert_eq!(found["Status"]["StatusCode"], "Canceled");
    assert!(found["Status"]["EndTime"].is_string());
    let submit = at(&format!("/PipelineRuns/Submit/{run}"));
    let (status, refused) = send(&cloud, "POST", &submit, "").await;
    let message = format!("Pipeline run {run} was canceled before it was submitted");
    assert_eq!((status, &refused["Error"]["Message"]), (409, &json!(message)));
}

#[tokio::test(start_paused = true)]
async fn a_job_run_that_is_canceled_on_databricks_cancels_its_step() {
    let cloud = attached(json!([{ "task": "*", "result": "RUNNING" }])).await;
    let run = start(&cloud, &["one"], &[], false).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Running", "Running"]);
    let job_run = cloud
        .kernel()
        .inspect(|world| world.pipelines.run(&run).unwrap().steps[0].job_run)
        .unwrap()
        .1;
    let body = json!({ "run_id": job_run });
    crate::services::databricks::tests::post(&cloud, "/api/2.1/jobs/runs/cancel", body).await;
    seconds(60).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Canceled", "Canceled"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_fails_when_the_workspace_of_its_job_runs_is_deleted() {
    let cloud = attached(json!([{ "task": "*", "result": "RUNNING" }])).await;
    let names = ["one", "two"];
    let run = start(&cloud, &names, &[("one", "two")], false).await;
    assert_eq!(statuses(&cloud, &run, &names).await, ["one Running", "two NotStarted", "Running"]);

    let path = format!("{ARM}{DATABRICKS}?api-version=2018-04-01");
    assert_eq!(send_as(&cloud, "DELETE", &path, &token_for(ARM), "").await.0, 202);
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Running", "Running"]);
    seconds(60).await;
    assert_eq!(statuses(&cloud, &run, &names).await, ["one Failed", "two Canceled", "Failed"]);
    assert_eq!(
        in_history(&cloud, &step_run(&cloud, &run, "one")).await["error"]["error"]["message"],
        "The Databricks workspace of the step was deleted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_an_experiment_decides_all_its_steps() {
    let cloud = attached(json!([
        { "job": "wine", "notebook_path": "/Shared/*", "result": "FAILED", "error": "by experiment" },
    ]))
    .await;
    let run = start(&cloud, &["one"], &[], false).await;
    seconds(3600).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Failed", "Failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_without_its_compute_target_fails_and_says_so() {
    let cloud = MockCloud::new();
    let run = start(&cloud, &["one"], &[], false).await;
    assert_eq!(statuses(&cloud, &run, &["one"]).await, ["one Failed", "Failed"]);
    let error = in_history(&cloud, &step_run(&cloud, &run, "one")).await["error"]["error"].clone();
    assert_eq!(
        (&error["code"], &error["message"]),
        (
            &json!("ComputeTargetNotFound"),
            &json!("Compute target 'dbx' was not found in workspace 'ws1'; attach it first")
        )
    );
}

#[tokio::test(start_paused = true)]
async fn one_look_at_the_end_finds_what_many_looks_found() {
    let clouds = [(); 2].map(|()| {
        let log = Arc::new(Memory::default());
        (MockCloud::builder().with_log(log.clone()).build().unwrap(), log)
    });
    let names = ["a", "b", "bad", "c"];
    let mut runs = Vec::new();
    let rules = json!([
        { "task": "bad", "result": "FAILED", "after_seconds": 7 },
        { "task": "*", "result": "SUCCESS", "after_seconds": 5 },
    ]);
    for (cloud, _) in &clouds {
        attach(cloud, &rules).await;
    }
    seconds(10).await;
    for (cloud, _) in &clouds {
        runs.push(start(cloud, &names, &[("a", "b"), ("bad", "c")], true).await);
    }
    for _ in 0..30 {
        seconds(1).await;
        statuses(&clouds[0].0, &runs[0], &names).await;
    }
    let late = statuses(&clouds[1].0, &runs[1], &names).await;
    assert_eq!(late, ["a Finished", "b Finished", "bad Failed", "c Canceled", "Failed"]);
    assert_eq!(clouds[0].1.records(), clouds[1].1.records());
}
