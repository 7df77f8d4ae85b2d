use std::time::Duration;

use azml_core::{ErrorKind, WaitOptions};
use azml_databricks::{
    clusters::{ClusterId, Clusters, NewCluster},
    commands::{
        CommandContext, CommandLanguage, CommandResult, CommandStatus, Commands, ContextStatus,
    },
};
use azml_mock::Fault;
use azml_testkit::TestContext;
use http::StatusCode;

use crate::databricks;

async fn running(ctx: &TestContext) -> ClusterId {
    let clusters = databricks(ctx).clusters();
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2");
    let id = clusters.create(&new).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    id
}

/// What every implementation keeps, on a cluster that runs.
async fn commands_contract(commands: &dyn Commands, cluster: &ClusterId) {
    let context = commands.create_context(cluster, CommandLanguage::Python).await.unwrap();
    assert_eq!((&context.cluster_id, &context.language), (cluster, &CommandLanguage::Python));
    for _ in 0..60 {
        if commands.context_status(&context).await.unwrap() == ContextStatus::Running {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(commands.context_status(&context).await.unwrap(), ContextStatus::Running);

    let first = commands.execute(&context, "print(1)").await.unwrap();
    let second = commands.execute(&context, "print(1)").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(commands.status(&context, &first).await.unwrap().command_id, first);
    commands.cancel(&context, &second).await.unwrap();
    assert!(commands.execute(&context, "").await.is_err());

    commands.destroy_context(&context).await.unwrap();
    let err = commands.status(&context, &first).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    let nowhere = CommandContext::new(cluster.clone(), "9999".into(), CommandLanguage::Sql);
    let err = commands.context_status(&nowhere).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    let cluster = running(&ctx).await;
    commands_contract(&databricks(&ctx).commands(), &cluster).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_is_run_to_its_result() {
    let ctx = TestContext::new();
    let (cluster, commands) = (running(&ctx).await, databricks(&ctx).commands());
    let context = commands.open_context(&cluster, CommandLanguage::Python).await.unwrap();
    let result = commands.run(&context, "print(1)", WaitOptions::default()).await.unwrap();
    // Nothing is executed in-process, and the mock says so.
    let CommandResult::Text(text) = result else { panic!("{result:?}") };
    assert!(text.starts_with("azml-mock has not run this command"), "{text}");

    let id = commands.execute(&context, "print(2)").await.unwrap();
    let poller = commands.poll_until_finished(&context, &id, WaitOptions::default());
    assert_eq!(poller.until_done().await.unwrap().status, CommandStatus::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_was_lost_is_not_run_twice() {
    let ctx = TestContext::new();
    let (cluster, commands) = (running(&ctx).await, databricks(&ctx).commands());
    let context = commands.open_context(&cluster, CommandLanguage::Sql).await.unwrap();
    ctx.cloud.inject(
        Fault::operation("databricks.commands.execute", StatusCode::BAD_GATEWAY).after_handler(),
    );
    let err = commands.execute(&context, "DROP TABLE a").await.unwrap_err();
    assert_eq!((err.kind(), err.attempts()), (ErrorKind::Unavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_run_has_no_contexts() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2");
    let cluster = databricks.clusters().create(&new).await.unwrap();
    let err = databricks.commands().create_context(&cluster, CommandLanguage::R).await.unwrap_err();
    let words = &err.service_fault().unwrap().message;
    assert!(words.starts_with("ClusterNotRunningException"), "{words}");
}
