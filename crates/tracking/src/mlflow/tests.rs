use std::sync::Arc;

use azml_core::{ErrorKind, Operation};
use futures_util::TryStreamExt;
use time::macros::datetime;

use super::{ops, wire};
use crate::{
    ExperimentId, ExperimentName, ExperimentView, Metric, MetricKey, MlflowTracking, RunId,
    RunQuery, RunStatus, Runs, Tracking, testing, testing::Script,
};

const RUN: &str = "b3e600e0-f82b-4302-943a-9a8780f4c910";
const EXPERIMENT: &str = "3264aef6-c7df-40d3-bb26-8597b7264e1c";
const BASE: &str = "https://mlflow.test/prefix";

#[test]
fn an_experiment_is_made() {
    let exchange = azml_fixtures::load("mlflow/experiments-create");
    let create = ops::CreateExperiment { name: "exp-part6" };
    testing::assert_encodes(&create, BASE, &exchange);
    let id = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!(id.as_str(), EXPERIMENT);
}

#[test]
fn an_experiment_is_found() {
    let exchange = azml_fixtures::load("mlflow/experiments-get");
    let id = ExperimentId::new(EXPERIMENT);
    let get = ops::GetExperiment(&id);
    testing::assert_encodes(&get, BASE, &exchange);
    let info = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!((info.id.as_str(), info.name.as_str()), (EXPERIMENT, "exp-part6"));
}

#[test]
fn an_experiment_is_found_by_name() {
    let exchange = azml_fixtures::load("mlflow/experiments-get-by-name");
    let name = ExperimentName::new("exp-part6");
    let get = ops::GetExperimentByName(&name);
    testing::assert_encodes(&get, BASE, &exchange);
    assert_eq!(get.decode(testing::response(&exchange)).unwrap().id.as_str(), EXPERIMENT);
}

#[test]
fn a_missing_experiment_is_not_found() {
    let exchange = azml_fixtures::load("mlflow/experiments-get-by-name-missing");
    let name = ExperimentName::new("exp-part6");
    let get = ops::GetExperimentByName(&name);
    testing::assert_encodes(&get, BASE, &exchange);
    let err = get.decode(testing::response(&exchange)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[test]
fn what_exists_already_is_a_conflict_although_the_server_says_400() {
    let body =
        r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "Experiment 'a' already exists."}"#;
    let response = http::Response::builder().status(400).body(body.into()).unwrap();
    let err = ops::CreateExperiment { name: "a" }.decode(response).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
}

#[test]
fn a_run_is_made_with_its_tags() {
    let exchange = azml_fixtures::load("mlflow/runs-create");
    let create = ops::CreateRun {
        experiment_id: EXPERIMENT,
        run_name: Some("mlf"),
        start_time: 1_795_364_647_583,
        tags: vec![wire::Pair { key: "mlflow.runName", value: "mlf" }],
    };
    testing::assert_encodes(&create, BASE, &exchange);
    let info = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info.id.as_str(), RUN);
    assert_eq!(info.status, RunStatus::Running);
    assert_eq!(info.started_at, Some(datetime!(2026-11-22 16:24:07.587 UTC)));
}

#[test]
fn a_run_tells_its_params_and_keys() {
    let exchange = azml_fixtures::load("mlflow/runs-get");
    let id = RunId::new(RUN);
    let get = ops::GetRun(&id);
    testing::assert_encodes(&get, BASE, &exchange);
    let info = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info.params["lr"], "0.1");
    let keys = ops::GetMetricKeys(&id).decode(testing::response(&exchange)).unwrap();
    assert!(keys.contains(&MetricKey::new("loss")));
}

#[test]
fn a_run_ends() {
    let exchange = azml_fixtures::load("mlflow/runs-update");
    let update = ops::UpdateRun { run_id: RUN, status: "FINISHED", end_time: 1_795_364_648_043 };
    testing::assert_encodes(&update, BASE, &exchange);
    update.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn a_batch_says_only_what_it_has() {
    let exchange = azml_fixtures::load("mlflow/runs-log-batch");
    let params = [wire::Pair { key: "a", value: "1" }, wire::Pair { key: "b", value: "x" }];
    let batch = ops::LogBatch { run_id: RUN, metrics: &[], params: &params, tags: &[] };
    testing::assert_encodes(&batch, BASE, &exchange);
    batch.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn not_a_number_goes_as_a_string() {
    let metric =
        |value| wire::NewMetric { key: "a", value: wire::Number(value), timestamp: 1, step: 2 };
    let metrics = [metric(f64::NAN), metric(f64::INFINITY), metric(0.5)];
    let batch = ops::LogBatch { run_id: "r", metrics: &metrics, params: &[], tags: &[] };
    let request = batch.encode(BASE).unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(request.body()), @r#"{"run_id":"r","metrics":[{"key":"a","value":"NaN","timestamp":1,"step":2},{"key":"a","value":"Infinity","timestamp":1,"step":2},{"key":"a","value":0.5,"timestamp":1,"step":2}]}"#);
}

#[test]
fn a_tag_is_set() {
    let exchange = azml_fixtures::load("mlflow/runs-set-tag");
    let set = ops::SetTag { run_id: RUN, key: "t", value: "1" };
    testing::assert_encodes(&set, BASE, &exchange);
    set.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn a_param_is_logged() {
    let exchange = azml_fixtures::load("mlflow/runs-log-parameter");
    let log = ops::LogParameter { run_id: RUN, key: "lr", value: "0.1" };
    testing::assert_encodes(&log, BASE, &exchange);
    log.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn runs_are_found() {
    let exchange = azml_fixtures::load("mlflow/runs-search");
    let id = ExperimentId::new(EXPERIMENT);
    let search = ops::SearchRuns::new(&id, "", None, None);
    testing::assert_encodes(&search, BASE, &exchange);
    let page = search.decode(testing::response(&exchange)).unwrap();
    assert_eq!(page.items[0].status, RunStatus::Finished);
    assert_eq!(page.next, None);
}

#[test]
fn a_series_is_read() {
    let exchange = azml_fixtures::load("mlflow/metrics-get-history");
    let (run, key) = (RunId::new(RUN), MetricKey::new("loss"));
    let get = ops::GetHistory { run: &run, key: &key, token: None };
    testing::assert_encodes(&get, BASE, &exchange);
    let page = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(
        page.items[1],
        Metric::new("loss", 0.5, datetime!(2026-11-22 16:24:07.600 UTC)).with_step(1)
    );
}

#[test]
fn words_and_texts_are_numbers_too() {
    let body = r#"{"metrics": [{"key": "a", "value": "NaN", "timestamp": "5", "step": "2"}]}"#;
    let (run, key) = (RunId::new("r"), MetricKey::new("a"));
    let get = ops::GetHistory { run: &run, key: &key, token: None };
    let page = get.decode(http::Response::new(body.into())).unwrap();
    assert!(page.items[0].value.is_nan());
    assert_eq!(page.items[0].step, 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_made_told_and_ended_in_five_calls() {
    let script = Script::default()
        .then("mlflow/experiments-get-by-name-missing")
        .then("mlflow/experiments-create")
        .then("mlflow/runs-create")
        .then("mlflow/runs-log-batch")
        .then("mlflow/runs-update");
    let script = Arc::new(script);
    let tracking = Tracking::new(MlflowTracking::new(script.endpoint()));
    let (_folder, tracking) = testing::spooled(tracking);
    let run = tracking.start_run("exp-part6").unwrap();
    run.log_metrics([("loss", 0.1), ("accuracy", 0.9)], 3).unwrap();
    run.log_params([("a", 1)]).unwrap();
    run.set_tag("t", "1").unwrap();
    run.finish().unwrap();
    run.sync(testing::PATIENCE).await.unwrap();
    assert_eq!(
        script.asked(),
        ["GET get-by-name", "POST create", "POST create", "POST log-batch", "POST update"]
    );
    let batch = &script.bodies()[2];
    assert_eq!(batch["metrics"][1]["step"], 3);
    assert_eq!((&batch["params"][0]["key"], &batch["tags"][0]["key"]), (&"a".into(), &"t".into()));
}

#[tokio::test]
async fn runs_within_a_run_are_listed_only_when_asked_for() {
    let body = r#"{"runs": [
        {"info": {"run_id": "a", "experiment_id": "1", "status": "RUNNING"}},
        {"info": {"run_id": "b", "experiment_id": "1", "status": "RUNNING"},
         "data": {"tags": [{"key": "mlflow.parentRunId", "value": "a"}]}}]}"#;
    let script = Arc::new(Script::default().then_body(body).then_body(body));
    let backend = MlflowTracking::new(script.endpoint());
    let experiment = testing::experiment("e");
    for (query, expected) in [(RunQuery::new(), 1), (RunQuery::new().with_children(), 2)] {
        let runs: Vec<_> = backend.list(&experiment, &query).try_collect().await.unwrap();
        assert_eq!(runs.len(), expected);
    }
}

#[test]
fn runs_tags_and_experiments_go_and_come_back() {
    fn check<O: Operation<Output = ()>>(name: &str, operation: &O) {
        let exchange = azml_fixtures::load(&format!("mlflow/{name}"));
        testing::assert_encodes(operation, BASE, &exchange);
        operation.decode(testing::response(&exchange)).unwrap();
    }
    check("runs-delete", &ops::DeleteRun { run_id: RUN });
    check("runs-restore", &ops::RestoreRun { run_id: RUN });
    check("runs-delete-tag", &ops::DeleteTag { run_id: RUN, key: "t" });
    check("experiments-delete", &ops::DeleteExperiment { experiment_id: EXPERIMENT });
    check("experiments-restore", &ops::RestoreExperiment { experiment_id: EXPERIMENT });
}

#[test]
fn experiments_are_searched() {
    let exchange = azml_fixtures::load("mlflow/experiments-search");
    let search = ops::SearchExperiments::new(ExperimentView::All, None);
    testing::assert_encodes(&search, BASE, &exchange);
    let page = search.decode(testing::response(&exchange)).unwrap();
    let archived: Vec<_> = page.items.iter().map(|it| it.is_archived).collect();
    assert_eq!(archived, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_mlflow_has_no_counterpart_of_is_refused_where_it_is_logged() {
    let script = Arc::new(Script::default());
    let tracking = Tracking::new(MlflowTracking::new(script.endpoint()));
    let (_folder, tracking) = testing::spooled(tracking);
    let run = tracking.start_run("e").unwrap();
    let err = run.log_row("row", [("x", 1)]).unwrap_err();
    insta::assert_snapshot!(err, @r#"metrics.log failed: metric "row": the server takes numbers only, and this is a table or a picture; log it as a param, a tag or an artifact"#);
    let err = run.log_value("name", "text").unwrap_err();
    insta::assert_snapshot!(err, @r#"metrics.log failed: metric "name": the server takes numbers only, and text is none that it can hold; log it as a param, a tag or an artifact"#);
    assert!(run.log_value("big", i64::MAX).is_err());
    assert!(run.log_metric("a,b", 1.0).is_err());
    assert!(run.metric("").is_err());
    assert!(run.log_image("i", "i.png", "i.png").is_err());
    assert!(run.log_artifact("a", "nowhere.bin").is_err());
    assert!(run.set_tag("long", "x".repeat(8001)).is_err());
    assert_eq!(run.pending(), 0);
}
