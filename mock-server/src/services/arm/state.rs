use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::computes::{Compute, Computes, Due, Event};
use crate::{
    kernel::{self, Ctx, Refusal, World, ids},
    services::azure::AtWorkspace,
    store::Place,
};

/// The storage account of the default workspace.
pub(crate) const ACCOUNT: &str = "mockstorage1";

pub(crate) const TENANT: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const DATABRICKS_WORKSPACE: u64 = 1_234_567_890_123_456;

/// Where everything is that the world begins with.
pub(crate) const REGION: &str = "eastus";

/// When the workspaces were made.
const CREATED_AT: OffsetDateTime = time::macros::datetime!(2024-01-01 00:00 UTC);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arm {
    pub(crate) tenant_id: String,
    pub(crate) subscriptions: Vec<String>,
    /// Azure ML workspaces by resource id in lower case.
    workspaces: BTreeMap<String, MlWorkspace>,
    /// Databricks workspaces by resource id in lower case.
    databricks: BTreeMap<String, DatabricksWorkspace>,
    pub(super) computes: Computes,
}

/// An Azure ML workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MlWorkspace {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) workspace_id: String,
    pub(crate) account: String,
    pub(crate) created_at: OffsetDateTime,
}

/// A Databricks workspace as ARM shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DatabricksWorkspace {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) workspace_id: u64,
    pub(crate) host: String,
}

impl MlWorkspace {
    pub(crate) fn as_scope(&self) -> AtWorkspace {
        AtWorkspace {
            subscription: self.subscription.clone(),
            resource_group: self.resource_group.clone(),
            name: self.name.clone(),
            workspace_id: self.workspace_id.clone(),
            region: self.location.clone(),
            account: self.account.clone(),
            place: Place::AzureMl(self.workspace_id.clone()),
        }
    }
}

impl Arm {
    /// What every world begins with. The Azure ML workspace's own id comes from
    /// the seed, because official SDKs cache by it.
    pub(crate) fn seeded(seed: u64) -> Self {
        let workspace = MlWorkspace {
            subscription: SUBSCRIPTION.into(),
            resource_group: "rg1".into(),
            name: "ws1".into(),
            location: REGION.into(),
            workspace_id: ids::uuid(seed, 0).to_string(),
            account: ACCOUNT.into(),
            created_at: CREATED_AT,
        };
        let databricks = DatabricksWorkspace {
            subscription: SUBSCRIPTION.into(),
            resource_group: "dbx-rg".into(),
            name: "dbx-ws".into(),
            location: REGION.into(),
            workspace_id: DATABRICKS_WORKSPACE,
            host: "adb-1234567890123456.7.azuredatabricks.net".into(),
        };
        Self {
            tenant_id: TENANT.into(),
            subscriptions: vec![SUBSCRIPTION.into()],
            workspaces: BTreeMap::from([(key(SUBSCRIPTION, "rg1", "ws1"), workspace)]),
            databricks: BTreeMap::from([(key(SUBSCRIPTION, "dbx-rg", "dbx-ws"), databricks)]),
            computes: Computes::default(),
        }
    }

    pub(crate) fn workspace(
        &self,
        subscription: &str,
        resource_group: &str,
        name: &str,
    ) -> Result<&MlWorkspace, Refusal> {
        let found = self.workspaces.get(&key(subscription, resource_group, name));
        found.ok_or_else(|| {
            let text = format!(
                "The Resource 'Microsoft.MachineLearningServices/workspaces/{name}' under resource group '{resource_group}' was not found."
            );
            Refusal::not_found(text)
        })
    }

    pub(crate) fn workspaces(&self) -> impl Iterator<Item = &MlWorkspace> {
        self.workspaces.values()
    }

    /// The numbers of all Databricks workspaces.
    pub(crate) fn databricks_workspaces(&self) -> impl Iterator<Item = u64> {
        self.databricks.values().map(|it| it.workspace_id)
    }

    pub(crate) fn databricks(&self) -> impl Iterator<Item = &DatabricksWorkspace> {
        self.databricks.values()
    }

    /// The Databricks workspace with this resource id.
    pub(crate) fn databricks_by_id(&self, resource_id: &str) -> Option<&DatabricksWorkspace> {
        self.databricks().find(|it| it.resource_id().eq_ignore_ascii_case(resource_id))
    }

    /// The compute target `name` of an Azure ML workspace.
    pub(crate) fn compute(
        &self,
        subscription: &str,
        resource_group: &str,
        workspace: &str,
        name: &str,
    ) -> Option<&Compute> {
        let workspace = self.workspace(subscription, resource_group, workspace).ok()?;
        self.computes.get(&workspace.workspace_id, name)
    }

    pub(crate) fn check_subscription(&self, id: &str) -> Result<(), Refusal> {
        let known = self.subscriptions.iter().any(|it| it.eq_ignore_ascii_case(id));
        known.then_some(()).ok_or_else(|| {
            let text = format!("The subscription '{id}' could not be found.");
            Refusal::not_found(text).with_code("SubscriptionNotFound")
        })
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        self.computes.evolve(event);
    }

    pub(crate) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        self.computes.next_due()
    }

    pub(crate) fn decide_due(
        &self,
        due: &Due,
        world: &World,
        ctx: &mut Ctx<'_>,
    ) -> Vec<kernel::Event> {
        self.computes.decide_due(due, world, ctx)
    }
}

impl DatabricksWorkspace {
    pub(crate) fn resource_id(&self) -> String {
        let Self { subscription, resource_group, name, .. } = self;
        format!(
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Databricks/workspaces/{name}"
        )
    }
}

fn key(subscription: &str, resource_group: &str, name: &str) -> String {
    format!("{subscription}/{resource_group}/{name}").to_ascii_lowercase()
}
