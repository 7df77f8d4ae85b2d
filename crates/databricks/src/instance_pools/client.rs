use async_trait::async_trait;
use azml_core::{Endpoint, Result};
use futures_util::stream::BoxStream;

use super::{InstancePool, InstancePoolId, InstancePools, PoolDefinition, ops};
use crate::wire::stream_list;

/// Talks to the Instance Pools API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct InstancePoolsClient {
    endpoint: Endpoint,
}

impl InstancePoolsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl InstancePools for InstancePoolsClient {
    async fn create(&self, definition: &PoolDefinition) -> Result<InstancePoolId> {
        self.endpoint.call(&ops::Create(definition)).await
    }

    async fn edit(&self, pool_id: &InstancePoolId, definition: &PoolDefinition) -> Result<()> {
        self.endpoint.call(&ops::Edit(pool_id, definition)).await
    }

    async fn delete(&self, pool_id: &InstancePoolId) -> Result<()> {
        self.endpoint.call(&ops::Delete(pool_id)).await
    }

    async fn get(&self, pool_id: &InstancePoolId) -> Result<InstancePool> {
        self.endpoint.call(&ops::Get(pool_id)).await
    }

    fn list(&self) -> BoxStream<'static, Result<InstancePool>> {
        let endpoint = self.endpoint.clone();
        stream_list(async move { endpoint.call(&ops::List).await })
    }
}
