use std::{collections::BTreeMap, sync::Arc};

use azml_core::{ErrorKind, Operation};
use futures_util::TryStreamExt;
use time::macros::datetime;

use super::{life, ops, wire};
use crate::{
    AzureMlTracking, ExperimentId, ExperimentName, NewRun, RunId, RunQuery, RunRef, RunStatus,
    Tracking, testing, testing::Script,
};

const RUN: &str = "3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";

fn run() -> RunRef {
    RunRef::new(testing::experiment("exp-part2"), RunId::new(RUN))
}

#[test]
fn an_experiment_is_made_by_its_name() {
    let exchange = azml_fixtures::load("history/experiments-create");
    let (workspace, name) = (testing::workspace(), ExperimentName::new("exp-part2"));
    let create = ops::CreateExperiment { workspace: &workspace, name: &name };
    testing::assert_encodes(&create, "https://ml.test", &exchange);
    let info = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info, testing::experiment("exp-part2"));
}

#[test]
fn an_experiment_with_a_bad_name_is_never_sent() {
    let workspace = testing::workspace();
    for bad in ["", "-a", "_a", "a b", "a.b", "a/b", "éa", &"a".repeat(256)] {
        let name = ExperimentName::new(bad);
        let create = ops::CreateExperiment { workspace: &workspace, name: &name };
        let err = create.encode("https://ml.test").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument, "{bad}");
    }
    for good in ["a", "0", "my-exp_1", "aé", &"a".repeat(255)] {
        let name = ExperimentName::new(good);
        let create = ops::CreateExperiment { workspace: &workspace, name: &name };
        create.encode("https://ml.test").unwrap();
    }
}

#[test]
fn an_experiment_is_found_by_its_id() {
    let exchange = azml_fixtures::load("history/experiments-get-by-id");
    let (workspace, id) =
        (testing::workspace(), ExperimentId::new("5fa32699-a9c9-4c7d-9460-ac77978f3417"));
    let get = ops::GetExperiment { workspace: &workspace, id: &id };
    testing::assert_encodes(&get, "https://ml.test", &exchange);
    assert_eq!(get.decode(testing::response(&exchange)).unwrap().id, id);
}

#[test]
fn a_run_is_made_under_an_id_of_ours() {
    let exchange = azml_fixtures::load("history/runs-create");
    let (workspace, run, none) = (testing::workspace(), run(), BTreeMap::new());
    let body = wire::CreateRun {
        run_id: RUN,
        parent_run_id: None,
        name: format!("run_{RUN}"),
        display_name: Some("interactive one"),
        run_type_v2: wire::RunType::default(),
        properties: &none,
        tags: &none,
        target: "local",
    };
    let create = ops::CreateRun { workspace: &workspace, run: &run, body };
    testing::assert_encodes(&create, "https://ml.test", &exchange);
    let info = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info.status, RunStatus::Scheduled);
    assert_eq!(info.status_text, "NotStarted");
    assert_eq!(info.name.as_deref(), Some("interactive one"));
    assert_eq!(info.data_container, Some(format!("dcid.{RUN}")));
}

#[test]
fn tags_are_merged_into_a_run() {
    let exchange = azml_fixtures::load("history/runs-patch");
    let (workspace, run) = (testing::workspace(), run());
    let tags = BTreeMap::from([("stage", Some("test"))]);
    let body = wire::UpdateRun { run_id: RUN, tags: Some(tags), properties: None };
    let update = ops::UpdateRun { workspace: &workspace, run: &run, body };
    testing::assert_encodes(&update, "https://ml.test", &exchange);
    assert_eq!(update.decode(testing::response(&exchange)).unwrap().tags["stage"], "test");
}

#[test]
fn a_run_tells_how_it_went() {
    let exchange = azml_fixtures::load("history/runs-get-by-id");
    let (workspace, id) = (testing::workspace(), RunId::new(RUN));
    let get = ops::GetRun { workspace: &workspace, id: &id };
    testing::assert_encodes(&get, "https://ml.test", &exchange);
    let info = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info.status, RunStatus::Finished);
    assert_eq!(info.tags["bare"], "");
    assert_eq!(info.properties["p1"], "v1");
    assert_eq!(info.ended_at, Some(datetime!(2026-11-22 16:23:19.228719 UTC)));
    assert_eq!(info.error, None);
}

#[test]
fn runs_are_queried_with_a_filter() {
    let exchange = azml_fixtures::load("history/runs-query");
    let (workspace, experiment) = (testing::workspace(), ExperimentName::new("exp-part2"));
    let filter = Some("(ParentRunId eq null)");
    let query = ops::QueryRuns {
        workspace: &workspace,
        experiment: &experiment,
        filter,
        top: None,
        token: None,
    };
    testing::assert_encodes(&query, "https://ml.test", &exchange);
    let page = query.decode(testing::response(&exchange)).unwrap();
    assert_eq!(page.items[0].id.as_str(), RUN);
    assert_eq!(page.next, None);
}

#[test]
fn children_know_their_parent() {
    let exchange = azml_fixtures::load("history/runs-children");
    let (workspace, run) = (testing::workspace(), run());
    let list = ops::ListChildren { workspace: &workspace, run: &run, token: None };
    testing::assert_encodes(&list, "https://ml.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    assert!(page.items.iter().all(|it| it.parent_id.as_ref() == Some(&run.id)));
    assert!(!page.items.is_empty());
}

#[test]
fn an_event_names_what_happened_and_when() {
    let exchange = azml_fixtures::load("history/events-post");
    let (workspace, run) = (testing::workspace(), run());
    let timestamp = datetime!(2026-11-22 16:23:18.002468 UTC);
    let data = wire::EventData {
        run_id: RUN,
        start_time: Some(timestamp),
        end_time: None,
        error_response: None,
        message: None,
    };
    let event = wire::Event { timestamp, name: "Microsoft.MachineLearning.Run.Start", data };
    let post = life::PostEvent { workspace: &workspace, run: &run, event: &event };
    testing::assert_encodes(&post, "https://ml.test", &exchange);
    post.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn metrics_are_there_at_200_and_on_the_way_at_202() {
    let exchange = azml_fixtures::load("history/metrics-ingest-wait");
    let (workspace, run) = (testing::workspace(), run());
    let wait = life::WaitForMetrics { workspace: &workspace, run: &run };
    testing::assert_encodes(&wait, "https://ml.test", &exchange);
    assert!(wait.decode(testing::response(&exchange)).unwrap());
    let mut accepted = testing::response(&exchange);
    *accepted.status_mut() = http::StatusCode::ACCEPTED;
    assert!(!wait.decode(accepted).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_cold_run_with_a_hundred_metrics_takes_five_calls() {
    let script = Script::default()
        .then("history/experiments-create")
        .then("history/runs-create")
        .then("history/events-post")
        .then("metric/batch")
        .then("history/events-post");
    let script = Arc::new(script);
    let tracking = Tracking::new(AzureMlTracking::new(script.endpoint(), testing::workspace()));

    let (_folder, tracking) = testing::spooled(tracking);
    let run = tracking.start_run("exp-part2").unwrap();
    for value in 0..100 {
        run.log_metric("loss", f64::from(value)).unwrap();
    }
    run.finish().unwrap();
    run.sync(testing::PATIENCE).await.unwrap();

    let asked = script.asked();
    assert_eq!(asked[0], "POST exp-part2");
    assert!(asked[1].starts_with("PATCH "));
    assert_eq!(asked[2..], ["POST events", "POST batch", "POST events"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_leaves_its_reason() {
    let script = Script::default()
        .then("history/experiments-create")
        .then("history/runs-create")
        .then("history/events-post")
        .then("history/events-post")
        .then("history/events-post");
    let script = Arc::new(script);
    let tracking = Tracking::new(AzureMlTracking::new(script.endpoint(), testing::workspace()));
    let (_folder, tracking) = testing::spooled(tracking);
    let run = tracking.start_run("exp-part2").unwrap();
    run.fail("boom").unwrap();
    run.sync(testing::PATIENCE).await.unwrap();

    let bodies = script.bodies();
    let names: Vec<_> = bodies.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(
        names[1..],
        [
            "Microsoft.MachineLearning.Run.Start",
            "Microsoft.MachineLearning.Run.Error",
            "Microsoft.MachineLearning.Run.Failed",
        ]
    );
    assert_eq!(bodies[2]["data"]["ErrorResponse"]["error"]["message"], "boom");
}

#[tokio::test]
async fn a_listing_goes_on_to_the_next_page() {
    let page = r#"{"value":[{"runId":"a","experimentId":"e","status":"Running"}],"continuationToken":"t"}"#;
    let script = Script::default().then_body(page).then("history/runs-query");
    let script = Arc::new(script);
    let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
    let experiment = testing::experiment("exp-part2");
    let runs = crate::Runs::list(&backend, &experiment, &RunQuery::new());
    let runs: Vec<_> = runs.try_collect().await.unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(script.bodies()[1]["continuationToken"], "t");
}

#[tokio::test]
async fn a_child_carries_its_parent() {
    let script = Script::default().then("history/runs-create").then("history/events-post");
    let script = Arc::new(script);
    let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
    let child = NewRun::new().with_parent(RunId::new("parent")).with_tag("k", "v");
    crate::Runs::start(&backend, &testing::experiment("exp-part2"), &child).await.unwrap();
    let body = &script.bodies()[0];
    assert_eq!((&body["parentRunId"], &body["tags"]["k"]), (&"parent".into(), &"v".into()));
}
