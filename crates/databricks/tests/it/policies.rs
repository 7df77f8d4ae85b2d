use azml_core::ErrorKind;
use azml_databricks::{
    clusters::{Clusters, NewCluster},
    policies::{Policies, PolicyDefinition, PolicyFamilyId, PolicyId, PolicyOrder, PolicySort},
};
use azml_testkit::TestContext;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;

use crate::databricks;

fn small(name: &str) -> PolicyDefinition {
    let rules = json!({ "autotermination_minutes": { "type": "fixed", "value": 30 } });
    PolicyDefinition::new(name, &rules).unwrap()
}

/// What every implementation keeps.
async fn policies_contract(policies: &dyn Policies) {
    let id = policies.create(&small("b").with_description("small")).await.unwrap();
    let other = policies.create(&small("a")).await.unwrap();
    let read = policies.get(&id).await.unwrap();
    assert_eq!(read.definition, small("b").with_description("small"));
    let order = PolicyOrder::ascending(PolicySort::Name);
    let found: Vec<_> = policies.list(order).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| &it.policy_id).collect::<Vec<_>>(), [&other, &id]);
    assert!(policies.create(&small("a")).await.is_err(), "names are unique");

    policies.edit(&id, &small("c").with_max_clusters_per_user(2)).await.unwrap();
    let read = policies.get(&id).await.unwrap().definition;
    assert_eq!((read.name.as_str(), read.max_clusters_per_user), ("c", Some(2)));
    policies.delete(&id).await.unwrap();

    let nowhere = PolicyId::new("00010203NOWHERE1");
    for err in [
        policies.get(&id).await.unwrap_err(),
        policies.delete(&id).await.unwrap_err(),
        policies.edit(&nowhere, &small("d")).await.unwrap_err(),
        policies.get_family(&PolicyFamilyId::new("nowhere")).await.unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
    let families: Vec<_> = policies.list_families().try_collect().await.unwrap();
    let family = policies.get_family(&families[0].family_id).await.unwrap();
    assert_eq!(family, families[0]);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    policies_contract(&databricks(&ctx).policies()).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_takes_what_its_policy_says() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let id = databricks.policies().create(&small("small")).await.unwrap();
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2").with_policy_id(id.as_str());
    let cluster = databricks.clusters().create(&new).await.unwrap();
    let cluster = databricks.clusters().get(&cluster).await.unwrap();
    assert_eq!(cluster.autotermination.unwrap().as_secs(), 30 * 60);
    assert_eq!(cluster.policy_id.as_deref(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn what_is_read_of_a_policy_with_a_family_can_be_written_back() {
    let ctx = TestContext::new();
    let policies = databricks(&ctx).policies();
    let family = policies.list_families().next().await.unwrap().unwrap();
    let new = PolicyDefinition::of_family("mine", family.family_id.clone());
    let id = policies.create(&new).await.unwrap();
    let read = policies.get(&id).await.unwrap();
    assert_eq!(read.definition.family_id, Some(family.family_id));
    assert!(!read.rules.is_empty());
    policies.edit(&id, &read.definition).await.unwrap();
}
