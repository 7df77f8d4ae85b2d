//! What users may rely on, whatever the backend: the same test on each.

use std::sync::Arc;

use azml::{
    core::{Endpoint, ErrorKind, Scope, StaticToken},
    tracking::{
        ArtifactPath, AzureMlTracking, FolderTracking, Metric, MetricValue, MlflowServer,
        MlflowTracking, ModelQuery, ModelStage, ModelUpdate, NewModel, NewRun, RunEnd, RunId,
        RunQuery, RunStatus, Tracking, TransferOptions,
    },
};
use azml_testkit::{DATABRICKS_ORIGIN, DATABRICKS_TOKEN, TestContext};
use futures_util::TryStreamExt;

use crate::lakehouse::{PATIENCE, open, spooled};

async fn keeps_what_it_is_told(tracking: &Tracking) {
    let (_spool, tracking) = spooled(tracking);
    let run = tracking.start("contract", NewRun::new().with_tag("stage", "test")).unwrap();
    run.log_params([("alpha", "0.5")]).unwrap();
    run.log_params([("alpha", "0.5")]).unwrap();
    let other = run.log_param("alpha", "0.6").unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidArgument);
    run.set_tags([("a", "0"), ("b", "2")]).unwrap();
    run.set_tag("a", "1").unwrap();
    run.log_metric_at("loss", 0.5, 1).unwrap();
    run.log_metrics([("loss", 0.25), ("rmse", 1e-300)], 2).unwrap();
    let accuracy = run.metric("accuracy").unwrap();
    for value in [0.5, 0.75] {
        accuracy.log(value).unwrap();
    }
    run.log_metric("odd/one", f64::NAN).unwrap();
    run.log_list("list", [1, 2, 3]).unwrap();
    run.log_value("whole", 7).unwrap();
    let empty = run.log_metric("", 1.0).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::InvalidArgument);
    run.sync(PATIENCE).await.unwrap();
    assert_eq!((run.pending(), run.rejected()), (0, 0));

    let remote = run.connect().await.unwrap();
    assert_eq!(*remote.id(), run.id().await.unwrap());
    remote.flush().await.unwrap();
    remote.set_bare_tag("bare").await.unwrap();
    remote.remove_tags(["a"]).await.unwrap();
    let experiment = tracking.experiment("contract").await.unwrap();
    assert_eq!(experiment.id(), &remote.experiment().id);
    assert_eq!(tracking.find_experiment("contract").await.unwrap().id(), experiment.id());

    let taken_up = tracking.run(remote.id()).await.unwrap();
    assert_eq!(taken_up.experiment().id, remote.experiment().id);
    let values = |metrics: Vec<Metric>| -> Vec<(i64, f64)> {
        metrics.iter().map(|it| (it.step, it.value)).collect()
    };
    assert_eq!(values(taken_up.metric("loss").await.unwrap()), [(1, 0.5), (2, 0.25)]);
    assert_eq!(values(taken_up.metric("rmse").await.unwrap()), [(2, 1e-300)]);
    assert_eq!(values(taken_up.metric("accuracy").await.unwrap()), [(0, 0.5), (1, 0.75)]);
    assert!(taken_up.metric("odd/one").await.unwrap()[0].value.is_nan());
    let series = taken_up.series("list").await.unwrap();
    let numbers: Vec<_> = series.values().into_iter().filter_map(MetricValue::as_f64).collect();
    assert_eq!(numbers, [1.0, 2.0, 3.0]);
    assert_eq!(taken_up.all_series().await.unwrap().len(), 6);

    run.finish().unwrap();
    run.sync(PATIENCE).await.unwrap();
    let info = remote.info().await.unwrap();
    assert_eq!(info.status, RunStatus::Finished);
    assert_eq!(info.params["alpha"], "0.5");
    assert_eq!((info.tags["stage"].as_str(), info.tags["b"].as_str()), ("test", "2"));
    assert_eq!(info.tags["bare"], "");
    assert!(!info.tags.contains_key("a") && info.ended_at >= info.started_at);

    let failed = tracking.start_run("contract").unwrap();
    failed.fail("boom").unwrap();
    failed.sync(PATIENCE).await.unwrap();
    let failed = failed.connect().await.unwrap();
    assert_eq!(failed.status().await.unwrap(), RunStatus::Failed);
    failed.delete().await.unwrap();
    failed.restore().await.unwrap();
    failed.info().await.unwrap();
    let query = RunQuery::new().with_tag("stage", "test").with_status(RunStatus::Finished);
    let found: Vec<_> = experiment.runs(&query).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| &it.id).collect::<Vec<_>>(), [remote.id()]);

    let nobody = RunId::new("00000000-0000-0000-0000-000000000000");
    assert_eq!(tracking.run(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
    let nowhere = tracking.attach(&nobody).unwrap();
    assert_eq!(nowhere.id().await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// Another process logs to a run, and does not end it.
async fn two_may_log_to_a_run(tracking: &Tracking) {
    let (_spool, tracking) = spooled(tracking);
    let run = tracking.start_run("contract").unwrap();
    let other = tracking.attach(&run.id().await.unwrap()).unwrap();
    let child = other.start_child(NewRun::new().with_name("child")).unwrap();
    run.log_metric_at("loss", 1.0, 0).unwrap();
    other.log_metric_at("loss", 2.0, 1).unwrap();
    other.sync(PATIENCE).await.unwrap();
    let child = child.connect().await.unwrap();
    drop(other);
    run.sync(PATIENCE).await.unwrap();
    let remote = run.connect().await.unwrap();
    assert_eq!(child.parent().await.unwrap().unwrap().id(), remote.id());
    assert_eq!(child.experiment(), remote.experiment());
    assert_eq!(remote.status().await.unwrap(), RunStatus::Running);
    assert_eq!(remote.metric("loss").await.unwrap().len(), 2);
    remote.end(&RunEnd::Canceled).await.unwrap();
    assert_eq!(remote.status().await.unwrap(), RunStatus::Killed);
}

async fn keeps_files(tracking: &Tracking) {
    let (_spool, tracking) = spooled(tracking);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b.txt");
    std::fs::write(&file, "first").unwrap();
    let run = tracking.start_run("contract").unwrap();
    run.log_artifact("outputs/a b.txt", &file).unwrap();
    // What is logged is the file as it was.
    std::fs::write(&file, "second").unwrap();
    run.log_artifact("outputs/sub/ü x.txt", &file).unwrap();
    run.sync(PATIENCE).await.unwrap();
    assert_eq!(run.rejected(), 0);
    let remote = run.connect().await.unwrap();
    assert_eq!(remote.read_artifact("outputs/a b.txt").await.unwrap(), "first");
    remote.upload_bytes("top.bin", vec![7; 3_000_000]).await.unwrap();
    let mut listed: Vec<_> = remote.artifacts().try_collect().await.unwrap();
    listed.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<_> = listed.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["outputs/a b.txt", "outputs/sub/ü x.txt", "top.bin"]);
    let down = folder.path().join("down");
    let options = TransferOptions::new();
    let saved = remote.download_folder("outputs", &down, &options).await.unwrap();
    assert_eq!(saved.len(), 2);
    assert_eq!(std::fs::read(down.join("sub/ü x.txt")).unwrap(), b"second");
    remote.download_file("top.bin", down.join("top")).await.unwrap();
    assert_eq!(std::fs::read(down.join("top")).unwrap().len(), 3_000_000);
    let missing = remote.read_artifact("outputs/none").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

async fn azureml(ctx: &TestContext, project: &std::path::Path) -> AzureMlTracking {
    let client = open(ctx, project).await;
    let data_plane = client.workspace().data_plane().await.unwrap();
    AzureMlTracking::new(data_plane, client.workspace().id().clone())
}

#[tokio::test(start_paused = true)]
async fn azure_ml_keeps_what_it_is_told() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let tracking = Tracking::new(azureml(&ctx, project.path()).await);
    keeps_what_it_is_told(&tracking).await;
    two_may_log_to_a_run(&tracking).await;
    keeps_files(&tracking).await;
}

#[tokio::test(start_paused = true)]
async fn the_mlflow_address_of_azure_ml_keeps_what_it_is_told() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let backend = azureml(&ctx, project.path()).await.mlflow().unwrap();
    keeps_what_it_is_told(&Tracking::new(backend.clone())).await;
    two_may_log_to_a_run(&Tracking::new(backend)).await;
}

#[tokio::test(start_paused = true)]
async fn mlflow_keeps_what_it_is_told() {
    let ctx = TestContext::new();
    let endpoint = Endpoint::new("https://mlflow.test/mlflow", ctx.transport());
    let tracking = Tracking::new(MlflowTracking::new(endpoint));
    keeps_what_it_is_told(&tracking).await;
    two_may_log_to_a_run(&tracking).await;
    keeps_files(&tracking).await;
    registers_models(&tracking).await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_keeps_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let tracking = Tracking::new(FolderTracking::new(folder.path()));
    keeps_what_it_is_told(&tracking).await;
    two_may_log_to_a_run(&tracking).await;
    keeps_files(&tracking).await;
}

/// A registry that has aliases and stages.
async fn registers_models(tracking: &Tracking) {
    let (_spool, tracking) = spooled(tracking);
    let run = tracking.start_run("contract").unwrap();
    let remote = run.connect().await.unwrap();
    remote.upload_bytes("outputs/model.json", "{}").await.unwrap();
    remote.upload_bytes("outputs/model.json.bak", "old").await.unwrap();
    let path = |it| ArtifactPath::parse(it).unwrap();
    let new = NewModel::new("wine", path("outputs/model.json")).with_tag("a", "1");
    let one = remote.register_model(&new.with_description("first")).await.unwrap();
    let two = remote.register_model(&NewModel::new("wine", path("outputs"))).await.unwrap();
    assert_eq!((one.version.get(), two.version.get()), (1, 2));
    assert_eq!((one.description.as_deref(), one.tags["a"].as_str()), (Some("first"), "1"));
    let missing = remote.register_model(&NewModel::new("wine", path("none"))).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);

    let registry = tracking.backend().models();
    tracking.set_model_alias(&one, "champion").await.unwrap();
    assert_eq!(tracking.model_by_alias("wine", "champion").await.unwrap().version, one.version);
    let wine = registry.get_model(&one.name).await.unwrap();
    assert_eq!(wine.aliases["champion"], one.version);
    registry.remove_alias(&one.name, "champion").await.unwrap();
    let gone = tracking.model_by_alias("wine", "champion").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let staged = registry.set_stage(&two, &ModelStage::Production, true).await.unwrap();
    assert_eq!(staged.stage, Some(ModelStage::Production));

    let update = ModelUpdate::new().with_description("new").with_tag("b", "2").without_tag("a");
    let updated = tracking.update_model(&one, &update).await.unwrap();
    assert_eq!((updated.description.as_deref(), updated.tags.len()), (Some("new"), 1));
    let update = ModelUpdate::new().with_description("of all").with_tag("c", "3");
    registry.update_model(&one.name, &update).await.unwrap();
    let all: Vec<_> = registry.list_models().try_collect().await.unwrap();
    assert_eq!((all.len(), all[0].description.as_deref()), (1, Some("of all")));
    assert_eq!(all[0].tags["c"], "3");

    let list = |query: ModelQuery| {
        let models = tracking.models(&query);
        async move {
            let models: Vec<_> = models.try_collect().await.unwrap();
            models.iter().map(|it| it.version.get()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(ModelQuery::new().with_name("wine")).await.len(), 2);
    assert_eq!(list(ModelQuery::new().with_tag("b", "2")).await, [1]);
    assert_eq!(list(ModelQuery::new().with_run(remote.id().clone())).await.len(), 2);
    assert_eq!(list(ModelQuery::new().with_latest_only()).await, [2]);
    assert_eq!(tracking.model("wine", None).await.unwrap().version, two.version);

    let folder = tempfile::tempdir().unwrap();
    let saved = tracking.download_model(&one, folder.path()).await.unwrap();
    assert_eq!(saved, [folder.path().join("model.json")]);
    let saved = tracking.download_model(&two, folder.path().join("2")).await.unwrap();
    assert_eq!(saved.len(), 2);
    tracking.delete_model(&one).await.unwrap();
    let gone = tracking.model("wine", Some(one.version)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    registry.delete_model(&two.name).await.unwrap();
    assert_eq!(tracking.model("wine", None).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn mlflow_of_databricks_keeps_what_it_is_told() {
    let ctx = TestContext::new();
    let token = Arc::new(StaticToken::new(DATABRICKS_TOKEN));
    let endpoint = Endpoint::new(DATABRICKS_ORIGIN, ctx.transport())
        .with_credential(token, Scope::new("databricks"));
    let backend = MlflowTracking::new(endpoint);
    assert_eq!(backend.server(), MlflowServer::Databricks);
    let tracking = Tracking::new(backend);
    keeps_what_it_is_told(&tracking).await;
    two_may_log_to_a_run(&tracking).await;
    registers_models(&tracking).await;
}
