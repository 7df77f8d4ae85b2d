use std::{collections::BTreeMap, sync::Arc};

use azml_core::{ErrorKind, Operation, Response};
use bytes::Bytes;
use futures_util::TryStreamExt;
use secrecy::ExposeSecret;
use time::macros::datetime;

use super::{life, ops, wire};
use crate::{
    AzureMlTracking, ExperimentName, ExperimentView, Experiments, NewRun, RunId, RunRef, RunStatus,
    Runs, testing, testing::Script,
};

const BASE: &str = "https://ml.test";
const RUN: &str = "3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";
const CHILDREN: [&str; 2] =
    ["31549846-2044-4a89-be37-641a08cd100b", "889ff00a-c24d-4586-b852-04ec3871ab95"];

fn run() -> RunRef {
    RunRef::new(testing::experiment("exp-part2"), RunId::new(RUN))
}

#[test]
fn an_experiment_is_found_by_its_name() {
    let exchange = azml_fixtures::load("history/experiments-get");
    let (workspace, name) = (testing::workspace(), ExperimentName::new("exp-part2"));
    let find = ops::FindExperiment { workspace: &workspace, name: &name };
    testing::assert_encodes(&find, BASE, &exchange);
    let info = find.decode(testing::response(&exchange)).unwrap();
    assert_eq!(info, testing::experiment("exp-part2"));
}

#[test]
fn experiments_are_archived_and_tags_removed_as_the_sdk_does() {
    let (workspace, experiment) = (testing::workspace(), testing::experiment("exp-part2"));
    let exchange = azml_fixtures::load("history/experiments-update");
    let archive =
        ops::ArchiveExperiment { workspace: &workspace, id: &experiment.id, archive: true };
    testing::assert_encodes(&archive, BASE, &exchange);
    archive.decode(testing::response(&exchange)).unwrap();

    let exchange = azml_fixtures::load("history/runs-delete-tags");
    let keys = ["k1".to_owned()];
    let remove = life::DeleteTags { workspace: &workspace, run: &run(), keys: &keys };
    testing::assert_encodes(&remove, BASE, &exchange);
    remove.decode(testing::response(&exchange)).unwrap();
}

#[tokio::test]
async fn experiments_are_listed_page_by_page() {
    let first = r#"{"value":[{"experimentId":"e","name":"old","archivedTime":"2026-11-22T16:23:18Z"}],"continuationToken":"t"}"#;
    let script = Arc::new(Script::default().then_body(first).then("history/experiments-query"));
    let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
    let listed: Vec<_> =
        Experiments::list(&backend, ExperimentView::All).try_collect().await.unwrap();
    assert!(listed[0].is_archived);
    assert_eq!(listed[1], testing::experiment("exp-part2"));
    assert_eq!(script.bodies()[1]["continuationToken"], "t");

    let exchange = azml_fixtures::load("history/experiments-query");
    let workspace = testing::workspace();
    let body = wire::QueryExperiments { view_type: "ActiveOnly", continuation_token: None };
    let query = ops::QueryExperiments { workspace: &workspace, body };
    testing::assert_encodes(&query, BASE, &exchange);
}

#[test]
fn several_children_are_made_and_started_with_two_calls() {
    let exchange = azml_fixtures::load("history/runs-batch");
    let (workspace, experiment) = (testing::workspace(), ExperimentName::new("exp-part2"));
    let none = BTreeMap::new();
    let child = |(number, id): (usize, &&str)| {
        let tag = ("azureml.batch_child_number".to_owned(), number.to_string());
        wire::NewChild {
            run_id: (*id).to_owned(),
            parent_run_id: RUN,
            status: "NotStarted",
            display_name: None,
            tags: BTreeMap::from([tag]),
            properties: &none,
        }
    };
    let runs = CHILDREN.iter().enumerate().map(child).collect();
    let create = life::CreateRuns { workspace: &workspace, experiment: &experiment, runs };
    testing::assert_encodes(&create, BASE, &exchange);
    let runs = create.decode(testing::response(&exchange)).unwrap();
    assert_eq!(runs.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), CHILDREN);
    let refused = r#"{"runs":{},"errors":{}}"#;
    assert!(create.decode(Response::new(Bytes::from(refused))).is_err());

    let exchange = azml_fixtures::load("history/events-batch");
    let times =
        [datetime!(2026-11-22 16:23:18.914406 UTC), datetime!(2026-11-22 16:23:18.914438 UTC)];
    let event = |(id, timestamp)| wire::Event {
        timestamp,
        name: "Microsoft.MachineLearning.Run.Start",
        data: wire::EventData {
            run_id: id,
            start_time: Some(timestamp),
            end_time: None,
            error_response: None,
            message: None,
        },
    };
    let events: Vec<_> = CHILDREN.into_iter().zip(times).map(event).collect();
    let post = life::PostEvents { workspace: &workspace, experiment: &experiment, events: &events };
    testing::assert_encodes(&post, BASE, &exchange);
    post.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn a_warning_is_an_event() {
    let exchange = azml_fixtures::load("history/events-post-warning");
    let (workspace, run) = (testing::workspace(), run());
    let data = wire::EventData {
        run_id: RUN,
        start_time: None,
        end_time: None,
        error_response: None,
        message: Some("low on memory"),
    };
    let timestamp = datetime!(2026-11-22 16:23:18.002468 UTC);
    let name = "Microsoft.MachineLearning.Run.Warning";
    let event = wire::Event { timestamp, name, data };
    let post = life::PostEvent { workspace: &workspace, run: &run, event: &event };
    testing::assert_encodes(&post, BASE, &exchange);
}

#[test]
fn details_tell_how_it_went_and_hide_the_addresses_of_logs() {
    let exchange = azml_fixtures::load("history/runs-details");
    let (workspace, run) = (testing::workspace(), run());
    let get = life::GetDetails { workspace: &workspace, run: &run };
    testing::assert_encodes(&get, BASE, &exchange);
    let details = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(details.run.status, RunStatus::Finished);
    assert_eq!(details.run.tags["stage"], "test");
    assert!(!details.run.experiment_id.as_str().is_empty());

    let body = r#"{"runId":"r","status":"Failed","error":{"error":{"code":"C","message":"boom"}},
        "warnings":[{"source":"s","message":"low"}],"logFiles":{"logs/a.txt":"https://a.test/b/c?sig=fake-signature"}}"#;
    let details = get.decode(Response::new(Bytes::from(body))).unwrap();
    assert_eq!(details.run.error.as_ref().unwrap().message, "boom");
    assert_eq!(details.warnings, ["low"]);
    assert!(!format!("{details:?}").contains("fake-signature"));
}

#[test]
fn the_token_of_a_run_has_an_end() {
    let exchange = azml_fixtures::load("history/runs-token");
    let experiment = testing::experiment("exp-part2b");
    let run = RunRef::new(experiment, RunId::new("b7db17ee-d729-4448-968e-edd2f334395f"));
    let workspace = testing::workspace();
    let get = life::GetToken { workspace: &workspace, run: &run };
    testing::assert_encodes(&get, BASE, &exchange);
    let token = get.decode(testing::response(&exchange)).unwrap();
    assert_eq!(token.secret.expose_secret(), "fake-run-token");
    assert_eq!(token.expires_at, datetime!(2026-11-29 16:23:21.514342 UTC));
}

#[tokio::test]
async fn a_missing_log_is_named_with_those_that_are_there() {
    let body = r#"{"runId":"r","logFiles":{"logs/a.txt":"https://a.test/b/c?sig=s"}}"#;
    let script = Arc::new(Script::default().then_body(body));
    let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
    let err = Runs::read_log(&backend, &run(), "b.txt").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    assert!(err.to_string().ends_with("has no log \"b.txt\"; it has logs/a.txt"), "{err}");
}

#[tokio::test]
async fn no_children_cost_no_call() {
    let script = Arc::new(Script::default());
    let backend = AzureMlTracking::new(script.endpoint(), testing::workspace());
    let none: [NewRun; 0] = [];
    assert!(backend.start_children(&run(), &none).await.unwrap().is_empty());
}
