//! The server acts, and nobody hears of it.

use std::time::Duration;

use azml_mock::{Fault, TrackingOptions};
use azml_tracking::RunStatus;
use http::StatusCode;

use crate::harness::{EXPERIMENT, PATIENCE, Place, log, runs, sorted, stored};

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_start_makes_no_second_run() {
    let place = Place::new();
    let tracking = place.mlflow();
    place.ctx.cloud.inject(Fault::reset("mlflow.experiments.create").after_handler());
    place.ctx.cloud.inject(Fault::reset("mlflow.runs.create").after_handler());
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let logged = log(&run, 0, 10);
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    let all = runs(&tracking).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].tags["azml.spool.run"], run.local_id().to_string());
    assert_eq!(stored(&run.connect().await.unwrap()).await, sorted(logged));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_never_arrived_is_repeated() {
    let place = Place::new();
    let tracking = place.mlflow();
    let broken = StatusCode::INTERNAL_SERVER_ERROR;
    place.ctx.cloud.inject(Fault::operation("mlflow.runs.create", broken).with_times(3));
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let id = run.id().await.unwrap();
    let all = runs(&tracking).await;
    assert_eq!(all.iter().map(|it| &it.id).collect::<Vec<_>>(), [&id]);
}

/// Below what Azure ML takes as a rule, and so what its clients wait for.
const SHOWN_LATE: Duration = Duration::from_secs(30);

/// A server that keeps what is sent twice twice, and shows late what it has.
fn worst() -> TrackingOptions {
    TrackingOptions::default().with_dedupe(false).with_visibility_delay(SHOWN_LATE)
}

async fn answers_are_lost(tracking: &azml_tracking::Tracking, place: &Place, operation: &str) {
    let run = tracking.start_run(EXPERIMENT).unwrap();
    let id = run.id().await.unwrap();
    let mut logged = Vec::new();
    for round in 0..4 {
        place.ctx.cloud.inject(match round {
            1 => Fault::reset(operation).with_times(2),
            2 => Fault::operation(operation, StatusCode::BAD_GATEWAY),
            _ => Fault::reset(operation).after_handler(),
        });
        logged.extend(log(&run, round * 700, 700));
        run.log_param(format!("p{round}"), round).unwrap();
        run.set_tag("round", round.to_string()).unwrap();
        run.sync(PATIENCE).await.unwrap();
    }
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    tokio::time::sleep(SHOWN_LATE).await;
    let remote = tracking.run(&id).await.unwrap();
    assert_eq!(stored(&remote).await, sorted(logged));
    let info = remote.info().await.unwrap();
    assert_eq!((info.params.len(), info.tags["round"].as_str()), (4, "3"));
    assert_eq!(info.status, RunStatus::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_is_lost_is_stored_once_in_mlflow() {
    let place = Place::new();
    answers_are_lost(&place.mlflow(), &place, "mlflow.runs.log_batch").await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_is_lost_is_stored_once_in_azure_ml() {
    let place = Place::new();
    answers_are_lost(&place.azureml(), &place, "metric.batch").await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_is_lost_is_stored_once_at_the_mlflow_address_of_azure_ml() {
    let place = Place::new();
    let azureml = crate::harness::azureml(&place.ctx.session());
    let tracking = place.spooled(azureml.mlflow().unwrap());
    answers_are_lost(&tracking, &place, "mlflow.runs.log_batch").await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_answer_is_lost_is_stored_once_by_a_server_that_would_keep_both() {
    let place = Place::new();
    place.ctx.cloud.set_tracking(worst());
    answers_are_lost(&place.azureml(), &place, "metric.batch").await;
    let azureml = crate::harness::azureml(&place.ctx.session());
    let tracking = place.spooled(azureml.mlflow().unwrap());
    answers_are_lost(&tracking, &place, "mlflow.runs.log_batch").await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_shown_late_is_not_made_again() {
    let place = Place::new();
    place.ctx.cloud.set_tracking(worst());
    let azureml = crate::harness::azureml(&place.ctx.session());
    let mlflow = place.spooled(azureml.mlflow().unwrap());
    for (tracking, operation) in
        [(place.azureml(), "history.runs.create"), (mlflow, "mlflow.runs.create")]
    {
        place.ctx.cloud.inject(Fault::reset(operation).after_handler());
        let run = tracking.start_run(EXPERIMENT).unwrap();
        let id = run.id().await.unwrap();
        tokio::time::sleep(SHOWN_LATE).await;
        let all = runs(&tracking).await;
        let made: Vec<_> = all.iter().filter(|it| it.id == id).collect();
        assert_eq!(made.len(), 1);
    }
    assert_eq!(runs(&place.azureml()).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_answer_is_lost_is_the_same_end() {
    let place = Place::new();
    for (tracking, operation) in
        [(place.mlflow(), "mlflow.runs.update"), (place.azureml(), "history.events.post")]
    {
        let run = tracking.start_run(EXPERIMENT).unwrap();
        let id = run.id().await.unwrap();
        place.ctx.cloud.inject(Fault::reset(operation).after_handler());
        tokio::time::advance(Duration::from_secs(60)).await;
        run.fail("boom").unwrap();
        run.sync(PATIENCE).await.unwrap();
        assert_eq!(tracking.run(&id).await.unwrap().status().await.unwrap(), RunStatus::Failed);
    }
}
