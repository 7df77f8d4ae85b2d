use azml_core::ErrorKind;
use azml_databricks::{
    clusters::{Clusters, NewCluster},
    jobs::{JobSettings, Jobs, NotebookTask, Task},
    permissions::{
        AccessControl, PermissionLevel, PermissionObject, PermissionObjectKind, Permissions,
        Principal,
    },
};
use azml_testkit::TestContext;

use crate::databricks;
use PermissionLevel::{CanAttachTo, CanManage, CanRestart};

/// What every implementation keeps, on a cluster that is there.
async fn permissions_contract(permissions: &dyn Permissions, cluster: &PermissionObject) {
    let users = Principal::group("users");
    let give = |level| [AccessControl::new(users.clone(), level)];
    let given = permissions.update(cluster, &give(CanAttachTo)).await.unwrap();
    assert!(given.direct(&users).eq([&CanAttachTo]));
    assert!(2 <= given.access_control_list.len(), "the rights of others stay");
    assert_eq!(permissions.get(cluster).await.unwrap(), given);

    let set = permissions.set(cluster, &give(CanRestart)).await.unwrap();
    assert!(set.direct(&users).eq([&CanRestart]));
    let admins = Principal::group("admins");
    let inherited = set.access_control_list.iter().find(|it| it.principal == admins).unwrap();
    assert!(inherited.permissions.iter().all(|it| it.is_inherited));

    let levels = permissions.levels(cluster).await.unwrap();
    let levels: Vec<_> = levels.into_iter().map(|it| it.level).collect();
    assert_eq!(levels, [CanAttachTo, CanRestart, CanManage]);

    let nowhere = PermissionObject::cluster(&"0101-000000-nowhere1".into());
    let err = permissions.get(&nowhere).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
    let nobody = [AccessControl::new(Principal::user("nobody@example.test"), CanManage)];
    let err = permissions.update(cluster, &nobody).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_keeps_the_contract() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let new = NewCluster::new("15.4.x-scala2.12", "Standard_DS3_v2");
    let id = databricks.clusters().create(&new).await.unwrap();
    permissions_contract(&databricks.permissions(), &PermissionObject::cluster(&id)).await;
}

#[tokio::test(start_paused = true)]
async fn jobs_and_tokens_have_levels_of_their_own() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let settings = JobSettings::new("a", [Task::new("a", NotebookTask::new("/a"))]);
    let job_id = databricks.jobs().create(&settings).await.unwrap();
    let permissions = databricks.permissions();
    let job = PermissionObject::job(job_id);
    let levels = permissions.levels(&job).await.unwrap();
    assert!(levels.iter().any(|it| it.level == PermissionLevel::IsOwner));
    let read = permissions.get(&job).await.unwrap();
    assert_eq!(read.object_id, job.to_string());

    let tokens = permissions.levels(&PermissionObject::tokens()).await.unwrap();
    assert!(tokens.iter().any(|it| it.level == PermissionLevel::CanUse));
    let wine = PermissionObject::new(PermissionObjectKind::Unknown("wines".to_owned()), "1");
    assert!(permissions.get(&wine).await.is_err());
}
