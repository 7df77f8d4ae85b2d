use azml_core::ErrorKind;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{FolderTracking, files};
use crate::{
    ExperimentName, Experiments, Metric, Metrics, NewRun, PendingMetric, RunId, RunRef, Runs,
};

async fn run(tracking: &FolderTracking) -> RunRef {
    let experiment = tracking.get_or_create(&ExperimentName::new("e")).await.unwrap();
    let info = tracking.start(&experiment, &NewRun::new()).await.unwrap();
    RunRef::new(experiment, info.id)
}

fn pending(value: f64) -> PendingMetric {
    PendingMetric::new(Metric::new("m", value, OffsetDateTime::UNIX_EPOCH), Uuid::new_v4())
}

#[tokio::test]
async fn a_number_that_is_written_twice_is_read_once_and_a_torn_line_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let tracking = FolderTracking::new(folder.path());
    let run = run(&tracking).await;
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300].map(pending);
    tracking.log(&run, &numbers).await.unwrap();
    files::append("t", &tracking.metrics_file(&run.id), b"{\"id\":\"torn").unwrap();
    tracking.log(&run, &numbers).await.unwrap();
    tracking.log(&run, &[pending(0.1)]).await.unwrap();
    let all = tracking.stored_metrics("t", &run.id).unwrap();
    let values: Vec<_> = all.iter().map(|it| it.value.to_string()).collect();
    let small = format!("{}", 1e-300);
    assert_eq!(values, ["NaN", "inf", "-inf", &small, "0.1"]);
}

#[tokio::test]
async fn an_id_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let tracking = FolderTracking::new(folder.path().join("inner"));
    run(&tracking).await;
    for id in ["..", "../runs", "", "a/b"] {
        let err = Runs::get(&tracking, &RunId::new(id)).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound, "{id}");
        assert!(Experiments::get(&tracking, &id.into()).await.is_err(), "{id}");
    }
}
