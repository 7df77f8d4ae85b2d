//! The server is away, slow, strict or full.

use std::time::Duration;

use azml_core::{Endpoint, ErrorKind};
use azml_mock::Fault;
use azml_tracking::{MlflowTracking, NewRun, RunStatus, Tracking};
use http::StatusCode;
use tokio::time::Instant;

use crate::harness::{
    EXPERIMENT, JumpingClock, PATIENCE, Place, entries, log, runs, sorted, stored, texts,
};

/// Many more than are asked for in the time.
const ALWAYS: u32 = 40;

#[tokio::test(start_paused = true)]
async fn what_is_logged_while_the_server_is_down_arrives_when_it_is_back() {
    let place = Place::new();
    let tracking = place.mlflow();
    place.ctx.cloud.inject(Fault::reset("mlflow.experiments.get_by_name").with_times(ALWAYS));
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let start = Instant::now();
    let logged = log(&run, 0, 5000);
    assert_eq!(start.elapsed(), Duration::ZERO, "no call waits for the server");
    let late = run.sync(Duration::from_secs(600)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert_eq!(run.pending(), 5000);
    assert!(run.lag() >= Duration::from_secs(599), "{:?}", run.lag());
    assert!(run.last_error().unwrap().contains("get_by_name"));

    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!((run.pending(), run.lag(), run.last_error()), (0, Duration::ZERO, None));
    assert_eq!(stored(&run.connect().await.unwrap()).await, sorted(logged));
    assert_eq!(entries(place.spool.path()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_a_server_asks_for_is_kept_to_the_letter() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    run.id().await.unwrap();
    let busy = Fault::operation("mlflow.runs.log_batch", StatusCode::TOO_MANY_REQUESTS);
    place.ctx.cloud.inject(busy.with_retry_after(Duration::from_secs(300)));
    run.log_metric("loss", 1.0).unwrap();
    let start = Instant::now();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_points_take_ten_requests() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    run.id().await.unwrap();
    // The eleventh would meet it.
    let eleventh = Fault::operation("mlflow.runs.log_batch", StatusCode::FORBIDDEN).with_nth(11);
    place.ctx.cloud.inject(eleventh);
    let logged = log(&run, 0, 10_000);
    run.sync(PATIENCE).await.unwrap();
    assert_eq!(stored(&run.connect().await.unwrap()).await, sorted(logged));
    run.log_metric("loss", 1.0).unwrap();
    let refused = run.sync(PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_server_refuses_holds_up_no_other() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let id = run.id().await.unwrap();
    // Another process has said otherwise, which this one cannot know.
    let other = tracking.attach(&id).unwrap();
    other.log_params([("alpha", "1"), ("beta", "2")]).unwrap();
    other.sync(PATIENCE).await.unwrap();
    run.log_params([("alpha", "0"), ("beta", "2"), ("gamma", "3")]).unwrap();
    let logged = log(&run, 0, 500);
    run.set_tag("t", "v").unwrap();
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();

    let remote = run.connect().await.unwrap();
    assert_eq!(stored(&remote).await, sorted(logged));
    let info = remote.info().await.unwrap();
    assert_eq!(info.params, texts(&[("alpha", "1"), ("beta", "2"), ("gamma", "3")]));
    assert_eq!(info.tags["azml.spool.rejected_records"], "1");
    assert_eq!((run.rejected(), info.status), (1, RunStatus::Finished));
    let kept = std::fs::read_to_string(run.folder().join("rejected.jsonl")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!((&kept["param"], &kept["value"]), (&"alpha".into(), &"0".into()));
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_refused_where_it_is_logged() {
    let place = Place::new();
    let run = place.mlflow().start_run(EXPERIMENT).unwrap();
    run.log_param("alpha", 1).unwrap();
    run.log_param("alpha", 1).unwrap();
    let err = run.log_param("alpha", 2).unwrap_err();
    insta::assert_snapshot!(err, @r#"run.log_params failed: param "alpha" was logged with the value "1" and cannot become "2"; set a tag for what changes"#);
    let err = place.mlflow().start_run("").unwrap_err();
    insta::assert_snapshot!(err, @"run.start failed: experiment name is empty: say to which experiment the run belongs");
    run.finish().unwrap();
    let err = run.log_metric("loss", 1.0).unwrap_err();
    insta::assert_snapshot!(err, @"run.log failed: the run has ended: log before finish, fail or cancel");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_loses_nothing() {
    let place = Place::new();
    let clock = JumpingClock::new();
    let endpoint = Endpoint::new("https://mlflow.test/mlflow", place.ctx.transport());
    let tracking = Tracking::new(MlflowTracking::new(endpoint.with_clock(clock.clone())));
    let run = tracking.with_spool(place.options()).start_run(EXPERIMENT).unwrap();
    let mut logged = log(&run, 0, 10);
    for (from, hours) in [(10, -48), (20, 96), (30, -600_000)] {
        *clock.offset.lock().unwrap() += time::Duration::hours(hours);
        logged.extend(log(&run, from, 10));
    }
    let _ = run.lag();
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!(stored(&run.connect().await.unwrap()).await, sorted(logged));
}

#[tokio::test(start_paused = true)]
async fn two_processes_log_to_one_run() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let id = run.id().await.unwrap();
    let mut logged = log(&run, 0, 1500);
    let spool = tempfile::tempdir().unwrap();
    let elsewhere = tracking.clone().with_spool(place.options().with_folder(spool.path()));
    let other = elsewhere.attach(&id).unwrap();
    logged.extend(log(&other, 10_000, 1500));
    drop(other);
    while !entries(spool.path()).is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let remote = run.connect().await.unwrap();
    assert_eq!(remote.status().await.unwrap(), RunStatus::Running, "it was not the other's to end");
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!(stored(&remote).await, sorted(logged));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_has_failed_and_so_has_one_that_panicked() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let dropped = run.id().await.unwrap();
    let handle = run.metric("loss").unwrap();
    drop(run);
    handle.log(1.0).unwrap();
    drop(handle);
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let panicked = run.id().await.unwrap();
    std::thread::spawn(move || {
        let _run = run;
        panic!("on purpose");
    })
    .join()
    .unwrap_err();
    while !entries(place.spool.path()).is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for (id, reason) in [
        (dropped, "the run was dropped before it was finished"),
        (panicked, "the program panicked before the run was finished"),
    ] {
        let info = tracking.run(&id).await.unwrap().info().await.unwrap();
        assert_eq!((info.status, info.tags["error"].as_str()), (RunStatus::Failed, reason));
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_waits_for_its_parent() {
    let place = Place::new();
    for tracking in [place.mlflow(), place.azureml()] {
        let parent = tracking.start_run(EXPERIMENT).unwrap();
        let child = parent.start_child(NewRun::new().with_name("child")).unwrap();
        let child_id = child.id().await.unwrap();
        let info = tracking.run(&child_id).await.unwrap().info().await.unwrap();
        assert_eq!(info.parent_id, Some(parent.id().await.unwrap()));
        assert_eq!(info.name.as_deref(), Some("child"));
        child.finish().unwrap();
        parent.finish().unwrap();
        parent.sync(PATIENCE).await.unwrap();
        child.sync(PATIENCE).await.unwrap();
        assert_eq!(runs(&tracking).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_deleted_takes_the_rest_once_it_is_restored() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let remote = run.connect().await.unwrap();
    remote.delete().await.unwrap();
    let logged = log(&run, 0, 700);
    let refused = run.sync(PATIENCE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    remote.restore().await.unwrap();
    run.finish().unwrap();
    while run.pending() > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!((run.rejected(), stored(&remote).await), (0, sorted(logged)));
}
