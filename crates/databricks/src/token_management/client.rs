use async_trait::async_trait;
use azml_core::{Endpoint, Result};
use futures_util::stream::BoxStream;

use super::{ManagedToken, OnBehalfToken, TokenFilter, TokenManagement, ops};
use crate::{
    tokens::{NewToken, TokenId, TokenUpdate},
    wire::stream_list,
};

/// Talks to the Token Management API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct TokenManagementClient {
    endpoint: Endpoint,
}

impl TokenManagementClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl TokenManagement for TokenManagementClient {
    async fn create_on_behalf(
        &self,
        application_id: &str,
        token: &NewToken,
    ) -> Result<OnBehalfToken> {
        self.endpoint.call(&ops::CreateOnBehalf(application_id, token)).await
    }

    fn list(&self, filter: TokenFilter) -> BoxStream<'static, Result<ManagedToken>> {
        let endpoint = self.endpoint.clone();
        stream_list(async move { endpoint.call(&ops::List(&filter)).await })
    }

    async fn get(&self, token_id: &TokenId) -> Result<ManagedToken> {
        self.endpoint.call(&ops::Get(token_id)).await
    }

    async fn update(&self, token_id: &TokenId, update: &TokenUpdate) -> Result<()> {
        self.endpoint.call(&ops::Update(token_id, update)).await
    }

    async fn delete(&self, token_id: &TokenId) -> Result<()> {
        self.endpoint.call(&ops::Delete(token_id)).await
    }
}
