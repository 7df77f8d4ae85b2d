//! Our tracking client on a server of MLflow, whosever it is: the same tests, and
//! the same results, on MLflow's own and on the mock.
//!
//! `cargo xtask conformance tracking` starts both servers and says where they are.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, env, sync::Arc, time::Duration};

use azml::{
    core::{Endpoint, ErrorKind, ReqwestTransport},
    tracking::{
        ExperimentView, MlflowTracking, NewRun, RemoteRun, RunId, RunQuery, RunStatus,
        SpoolOptions, Tracking,
    },
};
use futures_util::{StreamExt, TryStreamExt};

const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the server, with a spool of its own.
struct Client {
    tracking: Tracking,
    folder: tempfile::TempDir,
}

fn client() -> Client {
    client_with(|it| it)
}

fn client_with(options: impl FnOnce(SpoolOptions) -> SpoolOptions) -> Client {
    let uri = env::var("AZML_MLFLOW_URI").expect("AZML_MLFLOW_URI says where the server is");
    let endpoint = Endpoint::new(uri, Arc::new(ReqwestTransport::new().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let spool = options(SpoolOptions::new().with_folder(folder.path()));
    let tracking = Tracking::new(MlflowTracking::new(endpoint)).with_spool(spool);
    Client { tracking, folder }
}

/// A name that no other test, and no earlier run on the same server, has.
fn unique(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let random = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    format!("{name}-{}-{random}", std::process::id())
}

async fn points(run: &RemoteRun, key: &str) -> Vec<(i64, f64)> {
    run.metric(key).await.unwrap().iter().map(|it| (it.step, it.value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_is_there_once_and_as_it_was() {
    let client = client();
    let run = client.tracking.start(unique("logged"), NewRun::new().with_tag("stage", "test"));
    let run = run.unwrap();
    run.log_params([("alpha", "0.5"), ("empty", "")]).unwrap();
    run.log_param("alpha", "0.5").unwrap();
    run.set_tag("color", "red").unwrap();
    run.set_tag("color", "blue").unwrap();
    for (step, value) in [(1, 0.5), (2, 0.25), (3, f64::INFINITY), (4, 1e-300)] {
        run.log_metric_at("loss", value, step).unwrap();
    }
    run.log_metric_at("nothing", f64::NAN, 0).unwrap();
    let file = client.folder.path().join("model.json");
    std::fs::write(&file, r#"{"a": 1}"#).unwrap();
    run.log_artifact("outputs/model.json", &file).unwrap();
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!((run.pending(), run.dropped(), run.rejected()), (0, 0, 0));

    let run = run.connect().await.unwrap();
    let info = run.info().await.unwrap();
    assert_eq!(info.status, RunStatus::Finished);
    assert_eq!(info.params["alpha"], "0.5");
    assert_eq!((info.tags["stage"].as_str(), info.tags["color"].as_str()), ("test", "blue"));
    assert!(info.ended_at >= info.started_at);
    let loss = points(&run, "loss").await;
    // MLflow's store has no infinity: it keeps the largest number there is.
    assert_eq!(loss, [(1, 0.5), (2, 0.25), (3, f64::MAX), (4, 1e-300)]);
    assert!(points(&run, "nothing").await[0].1.is_nan());
    assert_eq!(run.read_artifact("outputs/model.json").await.unwrap(), r#"{"a": 1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_points_arrive_each_once() {
    const POINTS: i32 = 12_345;
    let client = client();
    let run = client.tracking.start_run(unique("many")).unwrap();
    let (loss, accuracy) = (run.metric("loss").unwrap(), run.metric("accuracy").unwrap());
    for step in 0..POINTS {
        loss.log_at(1.0 / f64::from(step + 1), step.into()).unwrap();
        accuracy.log_at(f64::from(step), step.into()).unwrap();
    }
    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    let run = run.connect().await.unwrap();
    let expected: Vec<_> = (0..POINTS).map(|step| (step.into(), step.into())).collect();
    assert_eq!(points(&run, "accuracy").await, expected);
    assert_eq!(points(&run, "loss").await.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_logged_without_a_network_is_uploaded_later() {
    let offline = client_with(SpoolOptions::offline);
    let name = unique("offline");
    let run = offline.tracking.start_run(name.as_str()).unwrap();
    for step in 0..10 {
        run.log_metric_at("loss", 0.5, step).unwrap();
    }
    run.finish().unwrap();
    drop(run);
    let online = client_with(|it| it.with_folder(offline.folder.path()));
    online.tracking.recover().await.unwrap();
    online.tracking.recover().await.unwrap();
    let experiment = online.tracking.find_experiment(name).await.unwrap();
    let runs: Vec<_> = experiment.runs(&RunQuery::default()).try_collect().await.unwrap();
    assert_eq!(runs.len(), 1, "a second upload finds nothing to do");
    assert_eq!(runs[0].status, RunStatus::Finished);
    assert_eq!(points(&experiment.run(runs[0].id.clone()), "loss").await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_deleted_and_restored() {
    let client = client();
    let name = unique("found");
    let mut ids = BTreeMap::new();
    for stage in ["a", "b"] {
        let new = NewRun::new().with_tag("stage", stage);
        let run = client.tracking.start(name.as_str(), new).unwrap();
        run.finish().unwrap();
        run.sync(PATIENCE).await.unwrap();
        ids.insert(stage, run.id().await.unwrap());
    }
    let experiment = client.tracking.find_experiment(name.as_str()).await.unwrap();
    let query = RunQuery::default().with_tag("stage", "b");
    let found: Vec<_> = experiment.runs(&query).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| &it.id).collect::<Vec<_>>(), [&ids["b"]]);
    let run = experiment.run(ids["a"].clone());
    run.delete().await.unwrap();
    let left: Vec<_> = experiment.runs(&RunQuery::default()).try_collect().await.unwrap();
    assert_eq!(left.len(), 1);
    run.restore().await.unwrap();
    run.set_bare_tag("bare").await.unwrap();
    run.remove_tags(["stage"]).await.unwrap();
    let info = run.info().await.unwrap();
    assert_eq!((info.tags["bare"].as_str(), info.tags.get("stage")), ("", None));
    experiment.archive().await.unwrap();
    experiment.unarchive().await.unwrap();
    let all = client.tracking.backend().experiments().list(ExperimentView::Active);
    let all: Vec<_> = all.map(|it| it.unwrap().name).collect().await;
    assert!(all.iter().any(|it| it.as_str() == name));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told() {
    let client = client();
    let nobody = RunId::new("00000000000000000000000000000000");
    let missing = client.tracking.run(&nobody).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let missing = client.tracking.find_experiment(unique("none")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let run = client.tracking.start_run(unique("wrong")).unwrap();
    let refused = run.log_metric("", 1.0).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    run.log_param("alpha", "1").unwrap();
    // The second value comes too late, and is no reason to lose anything else.
    let _ = run.log_param("alpha", "2");
    run.log_metric("after", 1.0).unwrap();
    run.finish().unwrap();
    let _ = run.sync(PATIENCE).await;
    let run = run.connect().await.unwrap();
    assert_eq!(run.info().await.unwrap().params["alpha"], "1");
    assert_eq!(points(&run, "after").await.len(), 1);
}
