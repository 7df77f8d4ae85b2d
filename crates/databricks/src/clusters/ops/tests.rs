use std::time::Duration;

use azml_core::{ErrorKind, Operation};
use time::macros::datetime;

use super::*;
use crate::{
    clusters::{
        AzureAttributes, ClusterEventKind, ClusterFilter, ClusterId, ClusterSize, ClusterSort,
        ClusterSource, ClusterState, ClusterUpdate, EventFilter, NewCluster,
    },
    testing::check,
};

fn id() -> ClusterId {
    ClusterId::new("0101-000000-abcd1234")
}

fn small() -> NewCluster {
    NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2")
}

#[test]
fn every_call_is_as_saved() {
    let new = small()
        .with_cluster_name("small")
        .with_autoscale(1, 4)
        .with_autotermination(Duration::from_secs(1259))
        .with_spark_conf("spark.speculation", "true")
        .with_init_script("dbfs:/init.sh")
        .with_log_destination("dbfs:/logs");
    assert_eq!(check("clusters/create", &create(&new)).unwrap(), id());
    check("clusters/edit", &Edit(&id(), &small())).unwrap();
    check("clusters/start", &Start(&id())).unwrap();
    check("clusters/delete", &Delete(&id())).unwrap();
    check("clusters/permanent-delete", &PermanentDelete(&id())).unwrap();

    let cluster = check("clusters/get", &Get(&id())).unwrap();
    assert_eq!(cluster.state, ClusterState::Terminated);
    assert_eq!(cluster.started_at, Some(datetime!(2023-11-14 22:13:20 UTC)));
    assert_eq!(cluster.autotermination, Some(Duration::from_secs(3600)));
    assert_eq!(cluster.termination_reason.unwrap().code, "INACTIVITY");

    let filter = ClusterFilter::default();
    let page = check("clusters/list", &List { filter: &filter, token: None }).unwrap();
    assert_eq!(page.items[0].cluster_id, id());
    assert_eq!(page.next, None);
}

fn create(cluster: &NewCluster) -> Create<'_> {
    Create { cluster, token: None }
}

#[test]
fn every_other_call_is_as_saved() {
    let (team, id) = ([("team".to_owned(), "beer".to_owned())].into(), id());
    let update =
        ClusterUpdate::default().with_custom_tags(&team).with_size(ClusterSize::autoscale(1, 4));
    check("clusters/update", &Update(&id, &update)).unwrap();
    let by = Restart { cluster_id: &id, restart_user: Some("someone@example.test") };
    check("clusters/restart", &by).unwrap();
    check("clusters/resize", &Resize(&id, ClusterSize::Workers(3))).unwrap();
    check("clusters/resize-autoscale", &Resize(&id, ClusterSize::autoscale(2, 8))).unwrap();
    check("clusters/pin", &Pin(&id)).unwrap();
    check("clusters/unpin", &Unpin(&id)).unwrap();
    check("clusters/change-owner", &ChangeOwner(&id, "other@example.test")).unwrap();

    let filter = ClusterFilter::default()
        .with_state(ClusterState::Running)
        .with_state(ClusterState::Pending)
        .with_source(ClusterSource::Api)
        .sorted_by(ClusterSort::Name);
    let list = List { filter: &filter, token: None };
    let page = check("clusters/list-filtered", &list).unwrap();
    assert_eq!(page.items[0].source, Some(ClusterSource::Api));
    assert_eq!(page.items[0].memory_mib, Some(28_672));
    assert_eq!(page.items[0].spec.as_ref().unwrap().cluster_name.as_deref(), Some("pooled"));

    let kinds = [
        ClusterEventKind::Running,
        ClusterEventKind::Resizing,
        ClusterEventKind::Creating,
        ClusterEventKind::Restarting,
    ];
    let filter = kinds
        .into_iter()
        .fold(EventFilter::default(), EventFilter::with_kind)
        .with_from(datetime!(2023-11-14 22:13:20 UTC))
        .with_to(datetime!(2023-11-14 23:03:20 UTC));
    let events = Events { cluster_id: &id, filter: &filter, token: None, limit: 3 };
    let page = check("clusters/events", &events).unwrap();
    assert_eq!(page.items[0].current_num_workers, Some(2));
    assert_eq!(page.items[1].kind, ClusterEventKind::Restarting);
    assert_eq!(page.next.unwrap().0, "3");

    let types = check("clusters/list-node-types", &NodeTypes).unwrap();
    assert_eq!((types[0].memory_mib, types[0].local_disks), (14_336, 1));
    let versions = check("clusters/spark-versions", &SparkVersions).unwrap();
    assert!(versions[0].is_lts());
    let zones = check("clusters/list-zones", &ListZones).unwrap();
    assert_eq!(zones.default_zone.as_deref(), Some("1"));
}

#[test]
fn every_field_of_a_definition_is_as_saved() {
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2")
        .with_policy_defaults()
        .with_autotermination(Duration::from_secs(30 * 60))
        .with_azure_attributes(AzureAttributes {
            spot_bid_max_price: Some(-1.0),
            ..AzureAttributes::spot_with_fallback()
        })
        .with_log_destination("/Volumes/main/default/logs")
        .with_cluster_name("rich")
        .with_custom_tag("team", "wine")
        .with_data_security_mode("SINGLE_USER")
        .with_single_user_name("someone@example.test")
        .with_driver_node_type_id("Standard_DS3_v2")
        .with_num_workers(2)
        .with_runtime_engine("PHOTON")
        .with_spark_conf("spark.speculation", "true")
        .with_spark_env_var("RATE", "0.1")
        .with_init_script("/Shared/init.sh")
        .with_init_script("/Volumes/main/default/scripts/init.sh")
        .with_init_script("abfss://scripts@fake.dfs.core.windows.net/init.sh");
    let saved = azml_fixtures::load("databricks/clusters/create-options").request.body.unwrap();
    let others = [
        "docker_image",
        "enable_elastic_disk",
        "enable_local_disk_encryption",
        "ssh_public_keys",
        "workload_type",
    ];
    let new = others.iter().fold(new, |it, name| it.with_extra(*name, &saved[name]).unwrap());
    assert!(!format!("{new:?}").contains("fake-password"));
    check("clusters/create-options", &create(&new)).unwrap();
    check("clusters/create-idempotent", &Create { cluster: &small(), token: Some("token-1") })
        .unwrap();
}

#[test]
fn create_leaves_out_what_was_not_set() {
    let request = create(&small()).encode("https://adb-1.test").unwrap();
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
    insta::assert_json_snapshot!(body, @r#"
    {
      "node_type_id": "Standard_DS3_v2",
      "num_workers": 1,
      "spark_version": "15.4.x-scala2.12"
    }
    "#);
}

#[test]
fn a_missing_cluster_is_not_found_although_the_service_says_400() {
    let missing = ClusterId::new("0101-000000-nowhere1");
    let err = check("clusters/get-missing", &Get(&missing)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[test]
fn a_definition_that_cannot_be_is_refused_before_it_is_sent() {
    for (new, reason) in [
        (NewCluster::new("", "n"), "spark_version: is empty; give a key such as 15.4.x-scala2.12"),
        (
            NewCluster::new("v", ""),
            "node_type_id: is empty; give a VM size, or a pool with in_pool",
        ),
        (
            small().with_autoscale(3, 2),
            "autoscale: max_workers is less than min_workers; swap them",
        ),
    ] {
        let err = create(&new).encode("https://adb-1.test").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(err.to_string(), format!("databricks.clusters.create failed: {reason}"));
    }
    create(&NewCluster::in_pool("v", "pool")).encode("https://adb-1.test").unwrap();
}
