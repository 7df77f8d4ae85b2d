//! What scripts do with runs and models through the official SDK, done through
//! our crates.

use std::collections::BTreeMap;

use azml::{
    core::ErrorKind,
    tracking::{
        MetricSeries, MetricSummary, MetricValue, ModelQuery, ModelUpdate, NewModel, NewRun,
        RunEnd, RunError, RunQuery, RunStatus, TransferOptions,
    },
};
use azml_testkit::TestContext;
use futures_util::TryStreamExt;

use crate::lakehouse::{PATIENCE, open, spooled};

fn int(value: i64) -> MetricValue {
    MetricValue::Integer(value)
}

#[tokio::test(start_paused = true)]
async fn values_of_any_type_come_back_as_they_were_logged() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let (_spool, tracking) = spooled(client.tracking());
    let run = tracking.start_run("wine").unwrap();

    for step in 0..5 {
        run.log_metric_at("loss", 1.0 / f64::from(step + 1), step.into()).unwrap();
    }
    run.log_value("accuracy", 0.9).unwrap();
    run.log_value("name", "string-value").unwrap();
    run.log_value("flag", true).unwrap();
    run.log_value("count", 7).unwrap();
    run.log_value("odd", f64::NAN).unwrap();
    run.log_value("endless", f64::NEG_INFINITY).unwrap();
    run.log_list("list", [1, 2, 3, 5]).unwrap();
    for x in 0..4 {
        let cells = [("x", MetricValue::from(x)), ("y", MetricValue::from(f64::from(x) * 1.5))];
        run.log_row("row", cells).unwrap();
    }
    let columns = [
        ("a", vec![int(1), int(2), int(3)]),
        ("b", [0.1, 0.2, 0.3].map(MetricValue::from).to_vec()),
    ];
    run.log_table("table", columns).unwrap();
    let picture = project.path().join("plot.png");
    std::fs::write(&picture, b"no real picture").unwrap();
    run.log_image("plot", "images/plot.png", &picture).unwrap();
    run.sync(PATIENCE).await.unwrap();
    let log = run;
    let run = log.connect().await.unwrap();
    run.flush().await.unwrap();

    let all = run.all_series().await.unwrap();
    let summary = |key: &str| all[&key.into()].summary();
    let doubles = [1.0, 0.5, 1.0 / 3.0, 0.25, 0.2].map(MetricValue::from).to_vec();
    assert_eq!(summary("loss"), MetricSummary::List(doubles));
    assert_eq!(summary("accuracy"), MetricSummary::Value(0.9.into()));
    assert_eq!(summary("name"), MetricSummary::Value("string-value".into()));
    assert_eq!(summary("flag"), MetricSummary::Value(true.into()));
    assert_eq!(summary("count"), MetricSummary::Value(int(7)));
    assert!(all[&"odd".into()].values()[0].as_f64().unwrap().is_nan());
    assert_eq!(summary("endless"), MetricSummary::Value(f64::NEG_INFINITY.into()));
    assert_eq!(summary("list"), MetricSummary::List([1, 2, 3, 5].map(int).to_vec()));
    let MetricSummary::Table(row) = summary("row") else { panic!("{:?}", summary("row")) };
    assert_eq!(row["x"], [0, 1, 2, 3].map(int));
    assert_eq!(row["y"], [0.0, 1.5, 3.0, 4.5].map(MetricValue::from));
    let MetricSummary::Table(table) = summary("table") else { panic!("no table") };
    assert_eq!(table["b"], [0.1, 0.2, 0.3].map(MetricValue::from));
    let container = run.info().await.unwrap().data_container.unwrap();
    let address = format!("aml://artifactId/ExperimentRun/{container}/images/plot.png");
    assert_eq!(summary("plot"), MetricSummary::Value(MetricValue::Artifact(address)));
    assert_eq!(run.read_artifact("images/plot.png").await.unwrap(), "no real picture");

    let missing = run.series("nothing").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    // The service alone knows that it was text: it refuses, and that is kept.
    log.log_series(MetricSeries::scalar("name", 1)).unwrap();
    log.sync(PATIENCE).await.unwrap();
    assert_eq!(log.rejected(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_values_than_one_batch_holds_all_arrive_in_order() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let (_spool, tracking) = spooled(client.tracking());
    let run = tracking.start_run("wine").unwrap();
    run.log_list("long", 0..12_000_i64).unwrap();
    run.sync(PATIENCE).await.unwrap();
    let read = run.connect().await.unwrap().series("long").await.unwrap();
    assert!(read.values().into_iter().filter_map(MetricValue::as_i64).eq(0..12_000));
}

#[tokio::test(start_paused = true)]
async fn a_run_has_tags_properties_children_and_an_end() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let (_spool, tracking) = spooled(client.tracking());
    let log = tracking.start("wine", NewRun::new().with_name("interactive one")).unwrap();
    let run = log.connect().await.unwrap();
    let experiment = tracking.experiment("wine").await.unwrap();
    assert_eq!(run.status().await.unwrap(), RunStatus::Running);

    log.set_tags([("stage", "test"), ("k1", "v1")]).unwrap();
    log.sync(PATIENCE).await.unwrap();
    run.set_bare_tag("bare").await.unwrap();
    run.set_properties([("p1", "v1")]).await.unwrap();
    run.remove_tags(["k1"]).await.unwrap();
    let info = run.info().await.unwrap();
    let tags: BTreeMap<_, _> = info.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(tags, BTreeMap::from([("bare", ""), ("stage", "test")]));
    assert_eq!(info.properties["p1"], "v1");

    let child = log.start_child(NewRun::new().with_name("child-0")).unwrap();
    child.finish().unwrap();
    child.sync(PATIENCE).await.unwrap();
    let several = run.start_children(2).await.unwrap();
    for child in &several {
        assert_eq!(child.status().await.unwrap(), RunStatus::Running);
        child.end(&RunEnd::Finished).await.unwrap();
    }
    assert_eq!(run.children().try_collect::<Vec<_>>().await.unwrap().len(), 3);
    assert_eq!(several[0].parent().await.unwrap().unwrap().id(), run.id());
    assert!(run.parent().await.unwrap().is_none());
    run.warn("low on memory").await.unwrap();
    log.finish().unwrap();
    log.sync(PATIENCE).await.unwrap();
    let details = run.details().await.unwrap();
    assert_eq!(details.run.status, RunStatus::Finished);

    let failed = tracking.start_run("wine").unwrap();
    failed.fail_with(RunError::new("MyCode", "boom")).unwrap();
    failed.sync(PATIENCE).await.unwrap();
    let failed = failed.connect().await.unwrap();
    let error = failed.details().await.unwrap().run.error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("MyCode", "boom"));
    let canceled = tracking.start_run("wine").unwrap();
    canceled.cancel().unwrap();
    let ended = canceled.connect().await.unwrap();
    let ended = ended.wait_until_ended(azml::core::WaitOptions::default()).await.unwrap();
    assert_eq!(ended.status, RunStatus::Killed);

    let list = |query: RunQuery| {
        let runs = experiment.runs(&query);
        async move { runs.map_ok(|it| it.id).try_collect::<Vec<_>>().await.unwrap() }
    };
    let ours = vec![run.id().clone()];
    assert_eq!(list(RunQuery::new()).await.len(), 3);
    assert_eq!(list(RunQuery::new().with_tag("stage", "test")).await, ours);
    assert_eq!(list(RunQuery::new().with_property("p1", "v1")).await, ours);
    let of_status = |status| list(RunQuery::new().with_status(status));
    assert_eq!(of_status(RunStatus::Failed).await, [failed.id().clone()]);
    assert_eq!(of_status(RunStatus::Finished).await, ours);
    let paged = RunQuery::new().with_children().with_page_size(2);
    assert_eq!(list(paged).await.len(), 6);

    tracking.experiment("beer").await.unwrap();
    let experiments: Vec<_> = tracking.experiments().try_collect().await.unwrap();
    let mut names: Vec<_> = experiments.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["beer", "wine"]);
    assert_eq!(tracking.find_experiment("wine").await.unwrap().id(), experiment.id());
    let missing = tracking.find_experiment("cider").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn models_are_registered_found_changed_downloaded_and_deleted() {
    let (ctx, project) = (TestContext::new(), tempfile::tempdir().unwrap());
    let client = open(&ctx, project.path()).await;
    let tracking = client.tracking();
    let files = project.path().join("m");
    std::fs::create_dir_all(files.join("sub")).unwrap();
    std::fs::write(files.join("model.pkl"), b"\x80model-bytes").unwrap();
    std::fs::write(files.join("sub/meta.json"), "{}").unwrap();
    let (_spool, tracking) = spooled(tracking);
    let log = tracking.start_run("wine").unwrap();
    let run = log.connect().await.unwrap();
    run.upload_folder("outputs/mdir", &files, &TransferOptions::new()).await.unwrap();
    run.upload_file("outputs/model.pkl", files.join("model.pkl")).await.unwrap();

    let path = |text| azml::tracking::ArtifactPath::parse(text).unwrap();
    let new = NewModel::new("mymodel", path("outputs/model.pkl"));
    let one =
        new.clone().with_tag("a", "1").with_property("p", "2").with_framework("ScikitLearn", "1");
    let one = run.register_model(&one).await.unwrap();
    let two = run.register_model(&new.with_tag("a", "2")).await.unwrap();
    run.register_model(&NewModel::new("dirmodel", path("outputs/mdir"))).await.unwrap();
    let local = NewModel::local("local", files.join("model.pkl")).with_tag("l", "1");
    let local = tracking.register_model(&local).await.unwrap();
    let folder = tracking.register_model(&NewModel::local("localdir", &files)).await.unwrap();
    assert_eq!((one.version.get(), two.version.get(), &local.run_id), (1, 2, &None));

    let list = |query: ModelQuery| {
        let models = tracking.models(&query);
        async move {
            let models: Vec<_> = models.try_collect().await.unwrap();
            let id = |it: &azml::tracking::ModelVersion| format!("{}:{}", it.name, it.version);
            models.iter().map(id).collect::<Vec<_>>()
        }
    };
    assert_eq!(list(ModelQuery::new()).await.len(), 5);
    let latest = ModelQuery::new().with_name("mymodel").with_latest_only();
    assert_eq!(list(latest).await, ["mymodel:2"]);
    assert_eq!(list(ModelQuery::new().with_tag("a", "1")).await, ["mymodel:1"]);
    assert_eq!(list(ModelQuery::new().with_property("p", "2")).await, ["mymodel:1"]);
    assert_eq!(list(ModelQuery::new().with_run(run.id().clone())).await.len(), 3);
    assert_eq!(list(ModelQuery::new().with_framework("ScikitLearn")).await, ["mymodel:1"]);
    assert_eq!(tracking.model("mymodel", None).await.unwrap().version, two.version);

    let target = project.path().join("down");
    let saved = tracking.download_model(&local, target.join("1")).await.unwrap();
    assert_eq!(saved, [target.join("1/model.pkl")]);
    let saved = tracking.download_model(&folder, target.join("2")).await.unwrap();
    assert_eq!(saved, [target.join("2/m/model.pkl"), target.join("2/m/sub/meta.json")]);

    let update = ModelUpdate::new().with_tag("t", "1").with_property("q", "9");
    let updated = tracking.update_model(&one, &update).await.unwrap();
    assert_eq!((updated.tags.len(), updated.properties.len()), (2, 2));
    let update = ModelUpdate::new().without_tag("t").with_description("new");
    let updated = tracking.update_model(&one, &update).await.unwrap();
    assert_eq!((updated.tags, updated.description.as_deref()), (one.tags.clone(), Some("new")));
    tracking.delete_model(&one).await.unwrap();
    assert_eq!(list(ModelQuery::new().with_name("mymodel")).await, ["mymodel:2"]);
    let missing = tracking.model("mymodel", Some(one.version)).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let bad = tracking.register_model(&NewModel::local("-bad", &files)).await.unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::InvalidArgument);
    let nowhere = tracking.register_model(&NewModel::local("good", "nowhere.pkl")).await;
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::InvalidArgument);
}
