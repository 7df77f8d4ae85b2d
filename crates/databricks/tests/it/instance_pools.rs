use std::time::Duration;

use azml_core::{ErrorKind, WaitOptions};
use azml_databricks::{
    clusters::{Clusters, NewCluster},
    instance_pools::{InstancePoolId, InstancePools, PoolDefinition, PoolState},
};
use azml_testkit::TestContext;
use futures_util::TryStreamExt;

use crate::databricks;

fn warm() -> PoolDefinition {
    PoolDefinition::new("warm", "Standard_DS3_v2")
        .with_min_idle_instances(1)
        .with_max_capacity(10)
        .with_idle_timeout(Duration::from_secs(15 * 60))
}

/// What every implementation keeps.
async fn pools_contract(pools: &dyn InstancePools) {
    let id = pools.create(&warm()).await.unwrap();
    let pool = pools.get(&id).await.unwrap();
    assert_eq!((&pool.instance_pool_id, &pool.state), (&id, &PoolState::Active));
    assert_eq!(pool.definition.max_capacity, Some(10));
    assert_eq!(pool.definition.idle_timeout, warm().idle_timeout);
    let found: Vec<_> = pools.list().try_collect().await.unwrap();
    assert_eq!(found, [pool]);

    pools.edit(&id, &warm().with_name("cold").with_min_idle_instances(0)).await.unwrap();
    let edited = pools.get(&id).await.unwrap().definition;
    assert_eq!((edited.name.as_str(), edited.min_idle_instances), ("cold", Some(0)));
    pools.delete(&id).await.unwrap();
    let nowhere = InstancePoolId::new("0101-000000-pool-nowhere1");
    for err in [
        pools.get(&id).await.unwrap_err(),
        pools.delete(&id).await.unwrap_err(),
        pools.edit(&nowhere, &warm()).await.unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    pools_contract(&databricks(&ctx).instance_pools()).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_takes_its_machines_from_a_pool() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let (pools, clusters) = (databricks.instance_pools(), databricks.clusters());
    let pool = pools.create(&warm()).await.unwrap();
    let new = NewCluster::in_pool("15.4.x-scala2.12", pool.as_str()).with_num_workers(2);
    let id = clusters.create(&new).await.unwrap();
    let cluster = clusters.wait_until_running(&id, WaitOptions::default()).await.unwrap();
    assert_eq!(cluster.instance_pool_id.as_deref(), Some(pool.as_str()));
    assert_eq!(pools.get(&pool).await.unwrap().stats.used, 3);
}
