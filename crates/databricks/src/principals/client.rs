use std::{fmt, marker::PhantomData};

use async_trait::async_trait;
use azml_core::{Endpoint, Result, stream_pages};
use futures_util::stream::BoxStream;

use super::{PrincipalFilter, PrincipalId, PrincipalKind, PrincipalPatch, Principals, ops};

/// Talks to the SCIM API of one Databricks workspace about one kind of principals.
///
/// ```no_run
/// use azml_databricks::{
///     Databricks,
///     principals::{GroupDefinition, PrincipalFilter, Principals},
/// };
/// use futures_util::TryStreamExt;
///
/// # async fn demo(databricks: &Databricks) -> azml_core::Result<()> {
/// let filter = PrincipalFilter::equal("userName", "someone@example.com");
/// let mut users = databricks.users().list(filter);
/// if let Some(user) = users.try_next().await? {
///     let group = GroupDefinition::new("tasters").with_member(user.id);
///     databricks.groups().create(&group).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PrincipalsClient<K> {
    endpoint: Endpoint,
    kind: PhantomData<K>,
}

impl<K: PrincipalKind> PrincipalsClient<K> {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint, kind: PhantomData }
    }
}

#[async_trait]
impl<K: PrincipalKind + fmt::Debug> Principals for PrincipalsClient<K> {
    type Definition = K::Definition;
    type Principal = K::Principal;

    async fn create(&self, definition: &K::Definition) -> Result<K::Principal> {
        self.endpoint.call(&ops::Create::<K>(definition)).await
    }

    async fn get(&self, id: &PrincipalId) -> Result<K::Principal> {
        self.endpoint.call(&ops::Get(id, self.kind)).await
    }

    fn list(&self, filter: PrincipalFilter) -> BoxStream<'static, Result<K::Principal>> {
        let (endpoint, kind) = (self.endpoint.clone(), self.kind);
        stream_pages(move |token| {
            let (endpoint, filter) = (endpoint.clone(), filter.clone());
            async move { endpoint.call(&ops::List { filter: &filter, token, kind }).await }
        })
    }

    async fn update(&self, id: &PrincipalId, definition: &K::Definition) -> Result<()> {
        self.endpoint.call(&ops::Update::<K>(id, definition)).await
    }

    async fn patch(&self, id: &PrincipalId, patch: &PrincipalPatch) -> Result<()> {
        self.endpoint.call(&ops::Patch { id, steps: patch, kind: self.kind }).await
    }

    async fn delete(&self, id: &PrincipalId) -> Result<()> {
        self.endpoint.call(&ops::Delete(id, self.kind)).await
    }
}
