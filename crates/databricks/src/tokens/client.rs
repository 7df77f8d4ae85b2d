use async_trait::async_trait;
use azml_core::{Endpoint, Result};
use futures_util::stream::BoxStream;

use super::{CreatedToken, NewToken, TokenId, TokenInfo, TokenUpdate, Tokens, ops};
use crate::wire::stream_list;

/// Talks to the Token API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct TokensClient {
    endpoint: Endpoint,
}

impl TokensClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl Tokens for TokensClient {
    async fn create(&self, token: &NewToken) -> Result<CreatedToken> {
        self.endpoint.call(&ops::Create(token)).await
    }

    fn list(&self) -> BoxStream<'static, Result<TokenInfo>> {
        let endpoint = self.endpoint.clone();
        stream_list(async move { endpoint.call(&ops::List).await })
    }

    async fn delete(&self, token_id: &TokenId) -> Result<()> {
        self.endpoint.call(&ops::Delete(token_id)).await
    }

    async fn update(&self, token_id: &TokenId, update: &TokenUpdate) -> Result<()> {
        self.endpoint.call(&ops::Update(token_id, update)).await
    }
}
