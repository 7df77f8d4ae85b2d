//! What users may rely on, whatever the backend: the same test on both.

use azml::{
    core::ErrorKind,
    tracking::{MetricValue, NewRun, RunStatus, Tracking},
};
use azml_testkit::TestContext;

use crate::lakehouse::open;

async fn keeps_what_it_is_told(tracking: &Tracking) {
    let experiment = tracking.experiment("contract").await.unwrap();
    let again = tracking.experiment("contract").await.unwrap();
    assert_eq!(experiment.id(), again.id());
    assert_eq!(tracking.find_experiment("contract").await.unwrap().id(), experiment.id());

    let run = experiment.start(&NewRun::new().with_tag("stage", "test")).await.unwrap();
    run.log_params([("alpha", "0.5")]).await.unwrap();
    run.log_params([("alpha", "0.5")]).await.unwrap();
    let other = run.log_param("alpha", "0.6").await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidArgument);
    run.set_tags([("a", "1"), ("b", "2")]).await.unwrap();
    run.set_bare_tag("bare").await.unwrap();
    run.remove_tags(["a"]).await.unwrap();
    run.log_metric_at("loss", 0.5, 1).await.unwrap();
    run.log_metrics([("loss", 0.25), ("rmse", 1e-300)], 2).await.unwrap();
    run.log_list("list", [1, 2, 3]).await.unwrap();
    run.log_value("whole", 7).await.unwrap();
    run.flush().await.unwrap();

    let taken_up = tracking.run(run.id()).await.unwrap();
    assert_eq!(taken_up.experiment().id, run.experiment().id);
    let values = |metrics: Vec<azml::tracking::Metric>| -> Vec<(i64, f64)> {
        metrics.iter().map(|it| (it.step, it.value)).collect()
    };
    assert_eq!(values(taken_up.metric("loss").await.unwrap()), [(1, 0.5), (2, 0.25)]);
    assert_eq!(values(taken_up.metric("rmse").await.unwrap()), [(2, 1e-300)]);
    let series = taken_up.series("list").await.unwrap();
    let numbers: Vec<_> = series.values().into_iter().filter_map(MetricValue::as_f64).collect();
    assert_eq!(numbers, [1.0, 2.0, 3.0]);
    assert_eq!(taken_up.all_series().await.unwrap().len(), 4);

    run.finish().await.unwrap();
    let info = run.info().await.unwrap();
    assert_eq!(info.status, RunStatus::Finished);
    assert_eq!(info.params["alpha"], "0.5");
    assert_eq!((info.tags["stage"].as_str(), info.tags["b"].as_str()), ("test", "2"));
    assert_eq!(info.tags["bare"], "");
    assert!(!info.tags.contains_key("a") && info.ended_at >= info.started_at);

    let failed = experiment.start_run().await.unwrap();
    failed.fail("boom").await.unwrap();
    assert_eq!(failed.status().await.unwrap(), RunStatus::Failed);
    failed.delete().await.unwrap();
    failed.restore().await.unwrap();
    failed.info().await.unwrap();

    let nobody = azml::tracking::RunId::new("00000000-0000-0000-0000-000000000000");
    assert_eq!(tracking.run(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
    let empty = run.log_metric("", 1.0).await.unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn azure_ml_keeps_what_it_is_told() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    keeps_what_it_is_told(client.tracking()).await;
}

#[tokio::test(start_paused = true)]
async fn mlflow_keeps_what_it_is_told() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let data_plane = client.workspace().data_plane().await.unwrap();
    let backend = azml::tracking::AzureMlTracking::new(data_plane, client.workspace().id().clone());
    keeps_what_it_is_told(&Tracking::new(backend.mlflow().unwrap())).await;
}
