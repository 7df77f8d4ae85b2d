//! What a dead process has left.

use std::time::Duration;

use azml_mock::Fault;
use azml_tracking::{RunStatus, Spool, Tracking, Uploaded};

use crate::harness::{EXPERIMENT, PATIENCE, Place, corpse, entries, log, runs, sorted, stored};

/// The same server, without an uploader.
fn offline(place: &Place, tracking: &Tracking) -> Tracking {
    tracking.clone().with_spool(place.options().offline())
}

#[tokio::test(start_paused = true)]
async fn a_dead_run_is_uploaded_and_ends_as_killed_when_it_was_last_alive() {
    let place = Place::new();
    for (tracking, keeps_our_time) in [(place.mlflow(), true), (place.azureml(), false)] {
        let run = offline(&place, &tracking).start_run(EXPERIMENT).unwrap();
        let before = Spool::open(place.spool.path()).runs().unwrap();
        assert!(before[0].is_live().unwrap());
        let logged = log(&run, 0, 1234);
        run.log_param("alpha", 0.5).unwrap();
        let last = tracking.backend().clock().now();
        let dead = corpse(place.spool.path());
        tokio::time::advance(Duration::from_secs(3600)).await;

        let recovery = Spool::recover(dead.path(), &tracking).await.unwrap();
        assert_eq!((recovery.ended, recovery.failed.len()), (1, 0));
        let all = runs(&tracking).await;
        let info = &all[0];
        assert_eq!(
            (info.status.clone(), info.params["alpha"].as_str()),
            (RunStatus::Killed, "0.5")
        );
        if keeps_our_time {
            let ended_at = info.ended_at.unwrap();
            assert!((ended_at - last).abs() < Duration::from_secs(60), "{ended_at} {last}");
        }
        let remote = tracking.run(&info.id).await.unwrap();
        assert_eq!(stored(&remote).await, sorted(logged));
        assert_eq!(entries(dead.path()), Vec::<String>::new());
        std::fs::remove_dir_all(run.folder()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_died_with_a_batch_under_way_is_taken_up_where_it_was() {
    let place = Place::new();
    let azureml = place.azureml();
    for (tracking, operation) in
        [(place.mlflow(), "mlflow.runs.log_batch"), (azureml, "metric.batch")]
    {
        let run = tracking.start_run(EXPERIMENT).unwrap();
        run.id().await.unwrap();
        let mut logged = log(&run, 0, 500);
        run.sync(PATIENCE).await.unwrap();
        // The batch arrives, its answer does not, and then the process is gone.
        place.ctx.cloud.inject(Fault::reset(operation).after_handler());
        logged.extend(log(&run, 500, 800));
        run.sync(Duration::from_millis(1)).await.unwrap_err();
        let dead = corpse(place.spool.path());
        run.finish().unwrap();
        run.sync(PATIENCE).await.unwrap();

        let recovery = Spool::recover(dead.path(), &tracking).await.unwrap();
        assert_eq!((recovery.ended, recovery.failed.len()), (1, 0));
        assert_eq!(runs(&tracking).await.len(), 1);
        let remote = run.connect().await.unwrap();
        assert_eq!(stored(&remote).await, sorted(logged));
    }
}

#[tokio::test(start_paused = true)]
async fn a_live_run_is_synced_again_and_again() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = offline(&place, &tracking).start_run(EXPERIMENT).unwrap();
    let spooled = Spool::open(place.spool.path()).runs().unwrap().remove(0);
    let mut logged = Vec::new();
    for round in 0..5 {
        logged.extend(log(&run, round * 9000, 9000));
        assert_eq!(spooled.upload(&tracking).await.unwrap(), Uploaded::Live);
        let id = runs(&tracking).await[0].id.clone();
        assert_eq!(stored(&tracking.run(&id).await.unwrap()).await, sorted(logged.clone()));
    }
    assert!(run.id().await.is_err(), "nothing is sent from here");
    run.finish().unwrap();
    drop(run);
    let uploaded = spooled.upload(&tracking).await.unwrap();
    assert_eq!(uploaded, Uploaded::Ended { rejected: 0 });
    let all = runs(&tracking).await;
    assert_eq!((all.len(), all[0].status.clone()), (1, RunStatus::Finished));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_uploaded_by_one_at_a_time() {
    let place = Place::new();
    let tracking = place.mlflow();
    let run = tracking.start_run(EXPERIMENT).unwrap();
    run.id().await.unwrap();
    let recovery = tracking.recover().await.unwrap();
    assert_eq!((recovery.busy, recovery.ended), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn runs_of_other_servers_and_broken_servers_stay_where_they_are() {
    let place = Place::new();
    let (tracking, other) = (place.mlflow(), place.azureml());
    let run = offline(&place, &tracking).start_run(EXPERIMENT).unwrap();
    log(&run, 0, 3);
    let dead = corpse(place.spool.path());
    let recovery = Spool::recover(dead.path(), &other).await.unwrap();
    assert_eq!((recovery.foreign, recovery.ended), (1, 0));

    place.ctx.cloud.inject(Fault::reset("mlflow.experiments.get_by_name").with_times(5));
    let recovery = Spool::recover(dead.path(), &tracking).await.unwrap();
    assert_eq!(recovery.failed.len(), 1);
    assert_eq!(recovery.failed[0].0, run.local_id());
    let recovery = Spool::recover(dead.path(), &tracking).await.unwrap();
    assert_eq!(recovery.ended, 1);
    assert_eq!(Spool::recover(dead.path(), &tracking).await.unwrap().ended, 0);
    let nowhere = Spool::recover(dead.path().join("nowhere"), &tracking).await.unwrap();
    assert_eq!(nowhere.ended, 0);
}
