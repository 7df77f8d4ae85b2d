use async_trait::async_trait;
use azml_core::{Endpoint, Result};

use super::{CurrentUser, ops};
use crate::principals::User;

/// Talks to the SCIM API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct CurrentUserClient {
    endpoint: Endpoint,
}

impl CurrentUserClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl CurrentUser for CurrentUserClient {
    async fn me(&self) -> Result<User> {
        self.endpoint.call(&ops::Me).await
    }
}
