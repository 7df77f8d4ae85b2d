use std::time::Duration;

use azml_core::{ErrorKind, Progress};
use azml_databricks::{
    clusters::{
        ClusterEventKind, ClusterFilter, ClusterId, ClusterSize, ClusterSort, ClusterState,
        ClusterUpdate, Clusters, ClustersClient, EventFilter, NewCluster, NodeTypeChoice,
        SparkVersionChoice, WaitOptions,
    },
    libraries::{Libraries, Library, LibraryState},
};
use azml_mock::Fault;
use azml_testkit::TestContext;
use futures_util::{StreamExt, TryStreamExt};
use http::StatusCode;
use tokio::time::Instant;

use crate::{databricks, stale};

fn small() -> NewCluster {
    NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2")
}

async fn running(clusters: &ClustersClient) -> ClusterId {
    let id = clusters.create(&small()).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    id
}

/// What every implementation keeps.
async fn clusters_contract(clusters: &dyn Clusters) {
    let new = small().with_cluster_name("b").with_num_workers(2).with_custom_tag("team", "wine");
    let first = clusters.create(&new).await.unwrap();
    let second = clusters.create(&small().with_cluster_name("A")).await.unwrap();
    assert_ne!(first, second, "equal definitions make distinct clusters");
    let cluster = clusters.get(&first).await.unwrap();
    assert_eq!((&cluster.cluster_id, cluster.num_workers), (&first, 2));
    assert_eq!(cluster.spec.unwrap().custom_tags["team"], "wine");

    let by_name = ClusterFilter::default().sorted_by(ClusterSort::Name);
    let found: Vec<_> = clusters.list(by_name.clone()).try_collect().await.unwrap();
    let names: Vec<&str> = found.iter().map(|it| it.cluster_name.as_str()).collect();
    assert_eq!(names, ["A", "b"]);
    let found: Vec<_> = clusters.list(by_name.descending()).try_collect().await.unwrap();
    assert_eq!(found[0].cluster_name, "b");

    clusters.pin(&first).await.unwrap();
    let pinned = ClusterFilter::default().with_pinned(true);
    assert_eq!(clusters.list(pinned.clone()).count().await, 1);
    clusters.unpin(&first).await.unwrap();
    assert_eq!(clusters.list(pinned).count().await, 0);

    clusters.terminate(&first).await.unwrap();
    clusters.terminate(&first).await.unwrap();
    clusters.permanent_delete(&second).await.unwrap();
    let err = clusters.get(&second).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    let nowhere = ClusterId::new("0101-000000-nowhere1");
    assert!(clusters.start(&nowhere).await.is_err());
    assert!(clusters.terminate(&nowhere).await.is_err());

    assert!(!clusters.node_types().await.unwrap().is_empty());
    assert!(!clusters.spark_versions().await.unwrap().is_empty());
    assert!(!clusters.zones().await.unwrap().zones.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    clusters_contract(&databricks(&ctx).clusters()).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_goes_through_its_life() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    let start = Instant::now();
    let id = clusters.create(&small()).await.unwrap();
    let seen: Vec<_> = clusters
        .poll_until_running(
            &id,
            WaitOptions::default().with_poll_interval(Duration::from_secs(120)),
        )
        .into_stream()
        .map_ok(|it| match it {
            Progress::Pending(state) => state,
            Progress::Done(cluster) => cluster.state,
        })
        .try_collect()
        .await
        .unwrap();
    assert_eq!(seen, [ClusterState::Pending, ClusterState::Pending, ClusterState::Running]);
    assert_eq!(start.elapsed().as_secs(), 4 * 60);

    let err = clusters.start(&id).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    clusters.resize(&id, ClusterSize::Workers(3)).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    tokio::time::advance(Duration::from_secs(120)).await;
    assert_eq!(clusters.get(&id).await.unwrap().num_workers, 3);
    clusters.restart(&id).await.unwrap();
    assert_eq!(clusters.get(&id).await.unwrap().state, ClusterState::Restarting);
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();

    clusters.terminate(&id).await.unwrap();
    let ended = clusters.wait_until_terminated(&id, WaitOptions::default()).await.unwrap();
    assert_eq!(ended.state, ClusterState::Terminated);
    assert_eq!(ended.termination_reason.unwrap().code, "USER_REQUEST");
    let err = clusters.resize(&id, ClusterSize::Workers(1)).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    let err = clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Other);

    clusters.change_owner(&id, "tester@example.com").await.unwrap();
    assert_eq!(clusters.get(&id).await.unwrap().creator_user_name, "tester@example.com");
    clusters.start(&id).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();

    let kinds: Vec<_> = clusters
        .events(&id, EventFilter::default().ascending())
        .map_ok(|it| it.kind)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(kinds[0], ClusterEventKind::Creating);
    let terminating = EventFilter::default().with_kind(ClusterEventKind::Terminating);
    let events: Vec<_> = clusters.events(&id, terminating).try_collect().await.unwrap();
    assert_eq!(events[0].reason.as_ref().unwrap().code, "USER_REQUEST");
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_edited_and_updated() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    let id = running(&clusters).await;
    let spec = clusters.get(&id).await.unwrap().spec.unwrap();
    clusters.edit(&id, &spec.with_spark_conf("spark.speculation", "true")).await.unwrap();
    let edited = clusters.get(&id).await.unwrap();
    assert_eq!(edited.state, ClusterState::Restarting);
    assert_eq!(edited.spark_conf["spark.speculation"], "true");

    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    let update = ClusterUpdate::default()
        .with_size(ClusterSize::autoscale(1, 4))
        .with_cluster_name("renamed")
        .without("spark_conf");
    clusters.update(&id, &update).await.unwrap();
    let updated = clusters.get(&id).await.unwrap();
    assert_eq!(updated.autoscale.unwrap().max_workers, 4);
    assert_eq!((updated.cluster_name.as_str(), updated.spark_conf.len()), ("renamed", 0));
    let err = clusters.update(&id, &ClusterUpdate::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_makes_one_cluster() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    ctx.cloud.inject(
        Fault::operation("databricks.clusters.create", StatusCode::BAD_GATEWAY).after_handler(),
    );
    let id = clusters.create(&small()).await.unwrap();
    let all: Vec<_> = clusters.list(ClusterFilter::default()).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|it| &it.cluster_id).collect::<Vec<_>>(), [&id]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_whose_answer_was_lost_is_not_repeated() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    let id = running(&clusters).await;
    ctx.cloud.inject(
        Fault::operation("databricks.clusters.restart", StatusCode::BAD_GATEWAY).after_handler(),
    );
    let err = clusters.restart(&id).await.unwrap_err();
    assert_eq!((err.kind(), err.attempts()), (ErrorKind::Unavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn a_long_listing_and_a_long_history_come_whole() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    for _ in 0..130 {
        clusters.create(&small()).await.unwrap();
    }
    assert_eq!(clusters.list(ClusterFilter::default()).count().await, 130);
    let none = ClusterFilter::default().with_state(ClusterState::Terminated);
    assert_eq!(clusters.list(none).count().await, 0);

    let id = running(&clusters).await;
    for number in 0..600 {
        if number % 2 == 0 {
            clusters.pin(&id).await.unwrap();
        } else {
            clusters.unpin(&id).await.unwrap();
        }
    }
    let pinned = EventFilter::default()
        .with_kind(ClusterEventKind::Pinned)
        .with_kind(ClusterEventKind::Unpinned);
    assert_eq!(clusters.events(&id, pinned).count().await, 600);
}

#[tokio::test(start_paused = true)]
async fn a_runtime_and_a_machine_are_chosen() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    let lts = clusters.select_spark_version(&SparkVersionChoice::latest_lts()).await.unwrap();
    assert_eq!(lts, "17.3.x-scala2.13");
    let ml = SparkVersionChoice::latest_lts().with_ml();
    assert_eq!(clusters.select_spark_version(&ml).await.unwrap(), "15.4.x-cpu-ml-scala2.12");
    let node = NodeTypeChoice::default().with_min_memory_gib(20).with_category("memory");
    assert_eq!(clusters.select_node_type(&node).await.unwrap(), "Standard_E4s_v3");
    let err = clusters.select_node_type(&NodeTypeChoice::default().with_min_cores(999)).await;
    assert_eq!(err.unwrap_err().kind(), ErrorKind::NotFound);
}

/// What every implementation keeps, on a cluster that runs.
async fn libraries_contract(libraries: &dyn Libraries, id: &ClusterId) {
    let wanted = [Library::pypi("simplejson"), Library::Jar("dbfs:/a.jar".to_owned())];
    libraries.install(id, &wanted).await.unwrap();
    let found = libraries.cluster_status(id).await.unwrap();
    assert_eq!(found.iter().map(|it| &it.library).collect::<Vec<_>>(), [&wanted[0], &wanted[1]]);
    let all = libraries.all_cluster_statuses().await.unwrap();
    assert_eq!((&all[0].cluster_id, all[0].libraries.len()), (id, 2));
    libraries.uninstall(id, &wanted[..1]).await.unwrap();
    assert!(libraries.install(id, &[]).await.is_err());
    let nowhere = ClusterId::new("0101-000000-nowhere1");
    assert!(libraries.install(&nowhere, &wanted).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_of_libraries_keeps_the_contract() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let id = running(&databricks.clusters()).await;
    libraries_contract(&databricks.libraries(), &id).await;
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_libraries_ends_when_all_are_there() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let id = running(&databricks.clusters()).await;
    let libraries = databricks.libraries();
    libraries.install(&id, &[Library::pypi("simplejson")]).await.unwrap();
    let found = libraries.wait_until_installed(&id, WaitOptions::default()).await.unwrap();
    assert_eq!(found[0].state, LibraryState::Installed);
}

#[tokio::test(start_paused = true)]
async fn a_first_look_at_the_past_ends_no_wait() {
    let ctx = TestContext::new();
    let clusters = databricks(&ctx).clusters();
    ctx.cloud.inject(stale("databricks.clusters.get"));
    let id = clusters.create(&small()).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();

    clusters.terminate(&id).await.unwrap();
    clusters.wait_until_terminated(&id, WaitOptions::default()).await.unwrap();
    ctx.cloud.inject(stale("databricks.clusters.get"));
    clusters.start(&id).await.unwrap();
    clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
}
