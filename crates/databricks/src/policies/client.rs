use async_trait::async_trait;
use azml_core::{Endpoint, Result, stream_pages};
use futures_util::stream::BoxStream;

use super::{
    Policies, Policy, PolicyDefinition, PolicyFamily, PolicyFamilyId, PolicyId, PolicyOrder, ops,
};
use crate::wire::stream_list;

/// Talks to the Cluster Policies API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct PoliciesClient {
    endpoint: Endpoint,
}

impl PoliciesClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl Policies for PoliciesClient {
    async fn create(&self, definition: &PolicyDefinition) -> Result<PolicyId> {
        self.endpoint.call(&ops::Create(definition)).await
    }

    async fn edit(&self, policy_id: &PolicyId, definition: &PolicyDefinition) -> Result<()> {
        self.endpoint.call(&ops::Edit(policy_id, definition)).await
    }

    async fn delete(&self, policy_id: &PolicyId) -> Result<()> {
        self.endpoint.call(&ops::Delete(policy_id)).await
    }

    async fn get(&self, policy_id: &PolicyId) -> Result<Policy> {
        self.endpoint.call(&ops::Get(policy_id)).await
    }

    fn list(&self, order: PolicyOrder) -> BoxStream<'static, Result<Policy>> {
        let endpoint = self.endpoint.clone();
        stream_list(async move { endpoint.call(&ops::List(&order)).await })
    }

    async fn get_family(&self, family_id: &PolicyFamilyId) -> Result<PolicyFamily> {
        self.endpoint.call(&ops::GetFamily(family_id)).await
    }

    fn list_families(&self) -> BoxStream<'static, Result<PolicyFamily>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token| {
            let endpoint = endpoint.clone();
            async move { endpoint.call(&ops::ListFamilies(token)).await }
        })
    }
}
